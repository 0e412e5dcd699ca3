/** A live socket whose client speaks Countersign's own frames comes with a fresh credential by them. */
import type { ReplyForm } from '../core/credential.ts'
import { settle, type PeerTurn, type Turn } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Lease } from '../core/lease.ts'
import type { Heard } from '../core/ports.ts'
import type { Reason } from '../core/reasons.ts'
import { parseAuthenticate } from '../wire/first-message.ts'
import type { MessageFilter } from './gated-socket.ts'
import { acceptanceFrame, challengeFrame, refusalFrame } from './frames.ts'

/** Longest answer to a challenge, bytes of UTF-8. */
const maxAnswerBytes = 4_096

/** What `{"type":"authenticate",…}` carries; `undefined` for anything else, which is a wrong signature. */
export function answerOf(text: string): Omit<Heard, 'now'> | undefined {
  const answer = parseAuthenticate(text, maxAnswerBytes)
  return answer.kind === 'found' ? { text: answer.value.signature, extra: answer.value.extra } : undefined
}

/** The beginning of a frame that is ours; clients write `type` first. */
const ours = /^\{[ \t\r\n]*"type"[ \t\r\n]*:[ \t\r\n]*"(auth|hello|authenticate)"/
/** As much of a message as is looked at, bytes. */
const lookAt = 64

/** What in-band renewal needs of its socket. */
export interface InBandSocket {
  readonly lease: Lease | undefined
  send(frame: string): void
}

type Renewal = Turn<Reason | undefined>

/** One for each framed socket, from its acceptance on: takes what is for Countersign before anything else sees it. */
export class InBand implements MessageFilter {
  /** What the rest goes through. */
  next: MessageFilter | undefined = undefined
  readonly #guard: Guard
  readonly #socket: InBandSocket
  readonly #handshake: Handshake
  readonly #form: ReplyForm
  /** The challenge that is to be answered. */
  #turn: PeerTurn<Reason | undefined> | undefined = undefined
  /** When it was made. */
  #challengedAtMs = 0
  #judging = false

  /** @param form how the client came, hence how it is answered */
  constructor(
    guard: Guard,
    socket: InBandSocket,
    { handshake, form }: { handshake: Handshake; form: ReplyForm },
  ) {
    this.#guard = guard
    this.#socket = socket
    this.#handshake = withoutCredentials(handshake)
    this.#form = form
  }

  /**
   * Takes a text message that is for Countersign: `auth` and `hello` begin a renewal, `authenticate` answers its challenge.
   * What comes while the former is still judged breaks the protocol and ends the lease.
   * @returns whether it was; anything else is the application's
   */
  takes(data: Buffer): boolean {
    const word = ours.exec(data.toString('latin1', 0, lookAt))?.[1]
    if (word === undefined) return false
    const turn = this.#turn
    this.#turn = undefined
    if (this.#judging || (word === 'authenticate' && turn === undefined)) this.#violated()
    else if (word === 'authenticate' && turn !== undefined) this.#answer(turn, data.toString('utf8'))
    else {
      turn?.leave('authentication_timeout')
      this.#begin(data.toString('utf8'))
    }
    return true
  }

  /** See `MessageFilter`. Whatever shape an application has asked for by `binaryType`, text is looked at. */
  admits(data: unknown, isBinary: boolean): boolean {
    const text = isBinary ? undefined : bufferOf(data)
    if (text !== undefined && this.takes(text)) return false
    return this.next?.admits(data, isBinary) ?? true
  }

  /** The socket has closed: nobody is left to answer. */
  gone(): void {
    this.#turn?.leave('authentication_timeout')
    this.#turn = undefined
  }

  /** The guard gives the peer the word first, without a word of its own; what it says is there already. */
  #begin(text: string): void {
    const { lease } = this.#socket
    if (lease === undefined) return
    this.#judging = true
    this.#settle(this.#guard.reauthenticate(lease.id, this.#handshake), (first) => {
      if (first.kind === 'done') this.#proceed(first)
      else this.#settle(first.answer({ text, now: this.#guard.now() }), (next) => this.#proceed(next))
    })
  }

  #answer(turn: PeerTurn<Reason | undefined>, text: string): void {
    const now = this.#guard.now()
    const said = answerOf(text)
    const late = now - this.#challengedAtMs > this.#guard.limits.deadlineMs
    if (said === undefined || late) {
      turn.leave('invalid_credential')
      this.#say(late ? 'authentication_timeout' : 'invalid_credential')
      return
    }
    this.#judging = true
    this.#settle(turn.answer({ ...said, now }), (next) => this.#proceed(next))
  }

  #settle(turn: Renewal | PromiseLike<Renewal>, then: (turn: Renewal) => void): void {
    settle(turn, then, (error) => {
      this.#judging = false
      this.#guard.failed(error)
    })
  }

  #proceed(turn: Renewal): void {
    this.#judging = false
    if (turn.kind === 'done') {
      this.#say(turn.value)
      return
    }
    this.#turn = turn
    this.#challengedAtMs = this.#guard.now()
    if (turn.say !== undefined) this.#socket.send(challengeFrame(turn.say))
  }

  /** A refusal changes nothing: the lease ends when it ends. */
  #say(refused: Reason | undefined): void {
    const { lease } = this.#socket
    if (lease === undefined || lease.ended) return
    const frame =
      refused === undefined
        ? acceptanceFrame(this.#form, lease, this.#guard.now())
        : refusalFrame(this.#form, refused)
    if (frame !== undefined) this.#socket.send(frame)
  }

  #violated(): void {
    this.#socket.lease?.apply({ kind: 'ended', reason: 'protocol_violation' }, this.#guard.now())
  }
}

function bufferOf(data: unknown): Buffer | undefined {
  if (Buffer.isBuffer(data)) return data
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Array.isArray(data) ? Buffer.concat(data) : undefined
}

/** The facts that a refusal may rest upon. What was shown at the door is not kept for the life of the socket. */
function withoutCredentials({ host, origin, remoteAddress, secure }: Handshake): Handshake {
  return {
    target: '/',
    host,
    origin,
    cookie: undefined,
    authorization: undefined,
    subprotocol: undefined,
    remoteAddress,
    secure,
    certificate: undefined,
  }
}
