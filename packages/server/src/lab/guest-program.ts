/** D5 for guests: no page can send an Authorization field, so the lab's server opens the socket as a program would. */
import { WebSocket } from 'ws'

/** A socket that a program holds, and what it has heard. */
export interface Program {
  /** What the page that asked for it is told. */
  tell(): ProgramState
  /** Whether the other side answers, now. */
  asks(): Promise<boolean>
  end(): void
}

/** How it goes. */
export interface ProgramState {
  /** Whom it was greeted as; empty before. */
  readonly greeted: string
  readonly open: boolean
  /** Close code, once it is closed; 1006 where the handshake was refused. */
  readonly code: number
  readonly reason: string
  /** Numbered messages: how many, the last number, and how long the lease held then, ms. */
  readonly ticks: { readonly count: number; readonly last: number; readonly left_ms: number }
}

const handshakeMs = 5_000
const answerMs = 3_000
const question = 'still there'

/** Connects with an API key and waits until it is greeted, or closed. */
export async function startProgram(url: string, apiKey: string): Promise<Program> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${apiKey}` },
    handshakeTimeout: handshakeMs,
    perMessageDeflate: false,
    maxPayload: 4_096,
  })
  const program = new Listening(socket)
  await program.settled
  return program
}

class Listening implements Program {
  readonly settled: Promise<void>
  readonly #socket: WebSocket
  readonly #ticks = { count: 0, last: 0, left_ms: 0 }
  #greeted = ''
  #code = 0
  #reason = ''
  #answered: (() => void) | undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.settled = new Promise((resolve) => {
      socket.on('message', (data) => {
        // A socket whose `binaryType` nobody has set hears Buffers.
        this.#hear((data as Buffer).toString('utf8'))
        if (this.#greeted !== '') resolve()
      })
      socket.on('error', () => undefined)
      socket.on('close', (code, reason) => {
        this.#code = code
        this.#reason = reason.toString('utf8')
        resolve()
      })
    })
  }

  tell(): ProgramState {
    // A socket that is closing has not said why yet.
    const open = this.#code === 0
    const [greeted, code, reason] = [this.#greeted, this.#code, this.#reason]
    return { greeted, open, code, reason, ticks: { ...this.#ticks } }
  }

  async asks(): Promise<boolean> {
    if (this.#socket.readyState !== WebSocket.OPEN) return false
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, answerMs, false)
      this.#answered = () => {
        clearTimeout(timer)
        resolve(true)
      }
      this.#socket.send(question)
    })
  }

  end(): void {
    this.#socket.terminate()
  }

  #hear(text: string): void {
    const [, number, leftMs] = /^tick (\d+) (-?\d+)$/.exec(text) ?? []
    if (number !== undefined) {
      this.#ticks.count++
      this.#ticks.last = Number(number)
      this.#ticks.left_ms = Number(leftMs)
    } else if (text === question) this.#answered?.()
    else this.#greeted ||= /^Hello (.+)!$/.exec(text)?.[1] ?? ''
  }
}
