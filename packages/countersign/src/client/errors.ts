/**
 * What goes wrong on a client's side. No message holds a credential or a URL.
 *
 *     Error
 *     ├─ Unauthorized          nobody is logged in: stop
 *     ├─ RetryLater            the issuer asks to wait
 *     ├─ OutboxOverflow        a message was not taken
 *     ├─ UnanswerableChallenge the server asks for what it must not have, or proves nothing
 *     └─ ConnectionFailed      an attempt came to nothing
 */

/** Thrown by a `getCredential` that cannot get one: the client stops, and says so by `close` with 3000. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized'
  constructor(message: string = 'not authorized') {
    super(message)
  }
}

/** Longest pause that an issuer may ask for, ms. */
const longestMs = 86_400_000

/** Thrown by a `getCredential` whose issuer asks to come later: no attempt is made before that. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  /** How much later, ms: a day at most. */
  readonly afterMs: number
  constructor(afterMs: number) {
    super('come again later')
    // What is no number would be no pause at all.
    this.afterMs = Math.min(Math.max(0, afterMs) || 0, longestMs)
  }
}

/** In an `error` event: messages that were handed to `send` and will not be sent. */
export class OutboxOverflow extends Error {
  override readonly name = 'OutboxOverflow'
  /** How many messages. */
  readonly lost: number
  constructor(message: string, lost: number) {
    super(message)
    this.lost = lost
  }
}

/** In an `error` event: a challenge cannot or must not be answered, or a server did not prove itself. The socket stops. */
export class UnanswerableChallenge extends Error {
  override readonly name = 'UnanswerableChallenge'
  constructor(why: string) {
    super(`a challenge that cannot be answered: ${why}`)
  }
}

/** In an `error` event: an attempt failed. What the base said is not repeated, because it may show the URL. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed'
  /** HTTP status of a refused upgrade, where the base tells it. */
  readonly status: number | undefined
  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}
