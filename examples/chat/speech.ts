/**
 * What a person may still do once their message has passed the policy: how often they may speak on all their sockets
 * together, and whether a moderator has silenced them. Who they are comes from the lease, and from nowhere else.
 */
import type { Lease } from 'countersign'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { nicknames } from './accounts.ts'
import type { Removal, Silence, Spoken } from './messages.ts'
import type { Room } from './room.ts'

/** What became of it. `undefined`: the lease ended meanwhile, and nobody is left to be told. */
export type Answer =
  | { readonly kind: 'done'; readonly number?: number }
  | {
      readonly kind: 'refused'
      readonly reason: 'too_many_attempts' | 'muted' | 'not_found'
      readonly retryInMs?: number
    }
  | undefined

/** Messages of one person: five at once, five in ten seconds, however many tabs they have open. */
export const perPerson = { points: 5, duration: 10 }

/** Speaking and moderating in one room, the same for both doors. */
export class Speech {
  readonly #room: Room
  readonly #allowance = new RateLimiterMemory(perPerson)
  /** Until when, ms since the epoch. Only accounts are ever named here, so it stays small. */
  readonly #mutedUntil = new Map<string, number>()

  constructor(room: Room) {
    this.#room = room
  }

  /** Someone speaks. */
  async say(lease: Lease, { message, lat, lon }: Spoken): Promise<Answer> {
    const nickname = lease.principal.id
    const silentMs = (this.#mutedUntil.get(nickname) ?? 0) - Date.now()
    if (silentMs > 0) return { kind: 'refused', reason: 'muted', retryInMs: silentMs }
    const waitMs = await this.#spend(nickname)
    if (lease.ended) return undefined
    if (waitMs > 0) return { kind: 'refused', reason: 'too_many_attempts', retryInMs: waitMs }
    const { number } = this.#room.post({ nickname, message, lat, lon })
    return { kind: 'done', number }
  }

  /** A moderator takes a message away. */
  remove({ number }: Removal): Answer {
    return this.#room.remove(number) ? { kind: 'done' } : { kind: 'refused', reason: 'not_found' }
  }

  /** A moderator silences someone. */
  mute({ nickname, minutes }: Silence): Answer {
    if (!nicknames.has(nickname)) return { kind: 'refused', reason: 'not_found' }
    this.#mutedUntil.set(nickname, Date.now() + minutes * 60_000)
    this.#room.tell('muted', { nickname, minutes })
    return { kind: 'done' }
  }

  /** @returns 0, or the ms until the next message */
  async #spend(nickname: string): Promise<number> {
    try {
      await this.#allowance.consume(nickname)
      return 0
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, refused.msBeforeNext)
      throw refused
    }
  }
}
