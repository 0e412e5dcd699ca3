/** One client of a crowd: opens, exchanges echoes, answers a close as RFC 6455 §5.5.1 wants it, and notes when. */
import { connect, type Socket } from 'node:net'
import { sourceAddress } from './addresses.ts'
import { burstText } from './bursts.ts'
import { monotonicMs } from './clock.ts'
import { closeFrame, handshakeRequest, textFrame } from './requests.ts'

const message = textFrame(burstText)
/** A server's frames are not masked: two bytes of head. */
const echoBytes = burstText.length + 2
const closeOpcode = 0x88

/** A client that holds a connection. Everything that arrives is either an echo or the server's close. */
export class CrowdSocket {
  closeFrameAtMs: number | undefined
  endAtMs: number | undefined
  readonly #socket: Socket
  /** What is done with the echoes that are awaited, first come first. */
  readonly #awaited: (() => void)[] = []
  #bytes = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#heard(chunk))
    socket.on('error', () => undefined)
    socket.once('close', () => (this.endAtMs = monotonicMs()))
  }

  /** Opens a connection. @throws Error when it is not answered with 101 */
  static open(port: number, target: string, at: number): Promise<CrowdSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: sourceAddress(at) })
      socket.once('error', reject)
      socket.once('data', (head: Buffer) => {
        socket.off('error', reject)
        if (head.toString('latin1', 9, 12) === '101') resolve(new CrowdSocket(socket))
        else reject(new Error(`expected 101, got ${head.toString('latin1', 0, 200)}`))
      })
      socket.write(handshakeRequest({ target }))
    })
  }

  /** Sends a message. @param heard called when its echo is there */
  send(heard: () => void): void {
    this.#awaited.push(heard)
    this.#socket.write(message)
  }

  drop(): void {
    this.#socket.resetAndDestroy()
  }

  /** A close comes in a chunk of its own: nothing else was under way on a socket that is closed here. */
  #heard(chunk: Buffer): void {
    if (this.#awaited.length === 0 && chunk[0] === closeOpcode) {
      this.closeFrameAtMs = monotonicMs()
      this.#socket.write(closeFrame)
      return
    }
    this.#bytes += chunk.length
    for (; this.#bytes >= echoBytes; this.#bytes -= echoBytes) this.#awaited.shift()?.()
  }
}
