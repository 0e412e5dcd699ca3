/**
 * What a session sends while one of its requests waits for a decision or an answer: it queues, because order is a promise of
 * the protocol (WAMP, basic profile, "Ordering Guarantees").
 */
import { payloadBytes } from './kept-size.ts'
import type { ClientMessage, Message } from './messages.ts'
import type { Session } from './session.ts'

/** What a queue is bounded by, and whom it hands messages to. */
export interface WaitingParts {
  /** Messages of one session that may wait; see `RouterLimits`. */
  readonly maxWaiting: number
  /** Bytes that may be kept for one session; see `RouterLimits`. */
  readonly maxHeldBytes: number
  /** Acts on a message whose turn has come. `false`: it breaks the protocol. May make the session wait again. */
  readonly act: (session: Session, message: ClientMessage) => boolean
}

/**
 * The queues of a realm's sessions. Each stands in `Session.waiting`, which is `undefined` while the session waits for
 * nothing: that is all that a message looks at which need not wait.
 */
export class WaitingMessages {
  readonly #parts: WaitingParts

  constructor(parts: WaitingParts) {
    this.#parts = parts
  }

  /**
   * Makes a session wait: its later messages queue until `awaited` has come and was acted upon.
   * @param awaited never rejects
   * @param act `false`: the message that had to wait breaks the protocol
   */
  hold<T>(session: Session, awaited: PromiseLike<T>, act: (come: T) => boolean): void {
    session.waiting ??= []
    void awaited.then((come) => this.#resume(session, () => act(come)))
  }

  /**
   * Queues a message of a session that waits. One that has too many, or too large ones, is closed as overloaded.
   * @returns `false`: a message that no session sends while it lives; it breaks the protocol
   */
  add(session: Session, message: Message): boolean {
    if (!isWaitable(message)) return false
    const { waiting, keeper } = session
    const { maxWaiting, maxHeldBytes } = this.#parts
    const full = session.heldBytes + heldBytes(message) > maxHeldBytes
    if (waiting === undefined || waiting.length >= maxWaiting || full) keeper.overloaded()
    else queue(session, waiting, withKeptPayload(message))
    return true
  }

  #resume(session: Session, act: () => boolean): void {
    if (session.over) return
    const behind = session.waiting ?? []
    session.waiting = undefined
    for (const message of behind) session.heldBytes -= heldBytes(message)
    if (!act()) {
      session.keeper.violated()
      return
    }
    for (const [at, next] of behind.entries()) {
      if (session.over) return
      if (isWaiting(session)) {
        // The rest keeps its place before whatever comes from now on.
        for (const message of behind.slice(at)) queue(session, session.waiting, message)
        return
      }
      if (!this.#parts.act(session, next)) {
        session.keeper.violated()
        return
      }
    }
  }
}

/** What waits must not pin the chunk that it came in. */
export function withKeptPayload<M extends ClientMessage>(message: M): M {
  return 'payload' in message ? { ...message, payload: message.payload.keep() } : message
}

/** Messages that keep their place behind a request that waits. */
const waitable: ReadonlySet<string> = new Set([
  'call',
  'cancel',
  'publish',
  'register',
  'subscribe',
  'unregister',
  'unsubscribe',
])

/** Asked anew after every message: acting on one may have to wait. */
function isWaiting(session: Session): session is Session & { waiting: ClientMessage[] } {
  return session.waiting !== undefined
}

function isWaitable(message: Message): message is ClientMessage {
  return waitable.has(message.kind)
}

function queue(session: Session, waiting: ClientMessage[], message: ClientMessage): void {
  waiting.push(message)
  session.heldBytes += heldBytes(message)
}

function heldBytes(message: ClientMessage): number {
  return 'payload' in message ? payloadBytes(message.payload) : 0
}
