/** Connects to a namespace with Socket.IO's own client, sends one event there, and tells what came of it. */
import type { Socket } from 'socket.io-client'
import type { SocketIoWay } from './case.ts'
import { Inbox } from './inbox.ts'
import { noTicks, type Knock } from './knock.ts'
import { later, within } from './later.ts'
import type { ConnectSocketIo } from './load-socket-io.ts'
import { accepted, type Measured } from './outcome.ts'
import { randomText } from './random-text.ts'
import { socketIoWords, type SocketIoEvent } from './socket-io-words.ts'

/** Who connects, where and how. */
export interface SocketIoPlan {
  /** Loads the client. */
  readonly client: () => Promise<ConnectSocketIo>
  /** `http://localhost:8014/`. */
  readonly url: string
  /** `/`, or another namespace. */
  readonly namespace: string
  readonly by: SocketIoWay
  /** Payload of the CONNECT. */
  readonly auth: Readonly<Record<string, unknown>>
  /** Parameters of every request. */
  readonly query: Readonly<Record<string, string>>
  /** Whether polling brings cookies; a WebSocket brings them whatever a page wants. */
  readonly cookies: boolean
  readonly event: SocketIoEvent
  /** Longest wait for an outcome, ms. */
  readonly patienceMs: number
}

const transports: Readonly<Record<SocketIoWay, readonly ('polling' | 'websocket')[]>> = {
  polling: ['polling'],
  websocket: ['websocket'],
  upgrade: ['polling', 'websocket'],
}

/** How long an open socket may take to answer, ms. */
const answerMs = 3_000

const silence: Measured = { kind: 'unsettled', why: 'no answer' }

const nothing = {
  frames: [],
  protocol: '',
  signature: '',
  realShape: undefined,
} as const

/** Connects and waits until the event is acknowledged or refused, or the socket has ended, or patience ends. Never throws. */
export async function visitSocketIo(plan: SocketIoPlan): Promise<Knock> {
  try {
    return await new Visit(await plan.client(), plan).settled
  } catch (error) {
    const why = error instanceof Error ? error.message : 'no client'
    const measured: Measured = { kind: 'unsettled', why }
    return {
      ...nothing,
      measured,
      greeted: undefined,
      closed: Promise.resolve(measured),
      ticks: noTicks(),
      answers: () => Promise.resolve(false),
      line: undefined,
      close: () => undefined,
    }
  }
}

class Visit {
  readonly settled: Promise<Knock>
  readonly #plan: SocketIoPlan
  readonly #socket: Socket
  #outcome = later<Measured>()
  readonly #closed = later<Measured>()
  readonly #upgraded = later<undefined>()
  readonly #ticks = noTicks()
  readonly #inbox = new Inbox()
  #connected = false
  #greeted: string | undefined
  /** Word of `auth_end`, which comes before the end. */
  #reason: string | undefined

  constructor(connect: ConnectSocketIo, plan: SocketIoPlan) {
    this.#plan = plan
    this.#socket = connect(new URL(plan.namespace, plan.url).href, {
      transports: [...transports[plan.by]],
      auth: { ...plan.auth },
      query: { ...plan.query },
      withCredentials: plan.cookies,
      reconnection: false,
      forceNew: true,
      timeout: plan.patienceMs,
    })
    this.#listen()
    const timer = setTimeout(() => this.#giveUp(), plan.patienceMs)
    this.settled = this.#outcome.promise.then((measured) => {
      clearTimeout(timer)
      return this.#tell(measured)
    })
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('connect', () => this.#begin())
    socket.on('connect_error', (error) => this.#end(refusalOf(error, this.#plan.by)))
    socket.on('disconnect', () => this.#end(this.#farewell()))
    socket.on(socketIoWords.greeting, (words: unknown) => void this.#act(words))
    socket.on(socketIoWords.tick, (number: unknown, leftMs: unknown) => {
      this.#ticks.count++
      this.#ticks.last = Number(number)
      this.#ticks.leftMs = Number(leftMs)
      this.#ticks.atMs = Date.now()
    })
    socket.on('auth_expiring', (told: unknown) =>
      this.#inbox.put({ ...membersOf(told), type: 'auth_expiring' }),
    )
    socket.on('auth_end', (told: unknown) => {
      this.#reason = String(membersOf(told)['reason'])
    })
  }

  #begin(): void {
    this.#connected = true
    const { engine } = this.#socket.io
    if (engine.transport.name === 'websocket') this.#upgraded.resolve(undefined)
    else engine.once('upgrade', () => this.#upgraded.resolve(undefined))
  }

  /** Greeted: now what the case is about. */
  async #act(words: unknown): Promise<void> {
    this.#greeted = /^Hello (.+)!$/.exec(String(words))?.[1]
    const { by, event } = this.#plan
    if (by === 'upgrade') await this.#upgraded.promise
    const word = `echo ${randomText().slice(0, 8)}`
    this.#socket.emit(socketIoWords[event], word, (answer: unknown) => {
      const refused = membersOf(membersOf(answer)['error'])['reason']
      if (answer === word) this.#outcome.resolve(accepted)
      else if (typeof refused === 'string') this.#outcome.resolve({ kind: 'withheld', reason: refused })
      else this.#outcome.resolve({ kind: 'unsettled', why: 'another answer came back' })
    })
  }

  #farewell(): Measured {
    if (this.#reason !== undefined) return { kind: 'dismissed', reason: this.#reason }
    return { kind: 'unsettled', why: 'disconnected without a word' }
  }

  #end(measured: Measured): void {
    this.#closed.resolve(measured)
    this.#outcome.resolve(measured)
  }

  #giveUp(): void {
    const what =
      this.#greeted === undefined ? (this.#connected ? 'open, but silent' : 'no answer') : 'no echo'
    const seconds = Math.round(this.#plan.patienceMs / 1_000)
    this.#outcome.resolve({ kind: 'unsettled', why: `${what} for ${seconds} s` })
    this.#socket.disconnect()
  }

  /** By the acknowledgement of a word of its own. */
  async #answers(): Promise<boolean> {
    if (!this.#socket.connected) return false
    const question = `still there ${randomText().slice(0, 8)}`
    const heard = later<boolean>()
    this.#socket.emit(socketIoWords.echo, question, (answer: unknown) => heard.resolve(answer === question))
    return within(answerMs, heard.promise, false)
  }

  async #lose(): Promise<void> {
    const lost = later<undefined>()
    this.#socket.once('disconnect', () => lost.resolve(undefined))
    this.#socket.io.engine.close()
    await within(answerMs, lost.promise, undefined)
  }

  /** The client names the session that it had; whatever else it showed stays away. */
  async #comeBack(): Promise<Measured> {
    this.#outcome = later()
    this.#socket.auth = {}
    this.#socket.connect()
    const measured = await within(this.#plan.patienceMs, this.#outcome.promise, silence)
    const isAnother = measured.kind === 'accepted' && !this.#socket.recovered
    return isAnother ? { kind: 'unsettled', why: 'another session' } : measured
  }

  /** A frame of a plain socket, as the event of its type: what answers it is a frame again. */
  #say(text: string): void {
    const { type, ...members } = membersOf(JSON.parse(text))
    this.#socket.emit(String(type), members, (answer: unknown) => this.#inbox.put(membersOf(answer)))
  }

  #tell(measured: Measured): Knock {
    return {
      ...nothing,
      measured,
      greeted: this.#greeted,
      closed: this.#closed.promise,
      ticks: this.#ticks,
      answers: () => this.#answers(),
      line: {
        say: (text) => this.#say(text),
        hear: (types, ms) => this.#inbox.take(types, ms),
      },
      path: { lose: () => this.#lose(), comeBack: () => this.#comeBack() },
      close: () => void this.#socket.disconnect(),
    }
  }
}

/** The server's own refusal carries a reason; where the transport failed, the client says no more than that. */
function refusalOf(error: Error, by: SocketIoWay): Measured {
  const { reason } = membersOf(membersOf(error)['data'])
  if (typeof reason === 'string') return { kind: 'rejected', reason }
  if (!/^(?:xhr poll|websocket) error$/.test(error.message)) return { kind: 'unsettled', why: error.message }
  return { kind: 'unopened', by: by === 'websocket' ? 'websocket' : 'polling' }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
