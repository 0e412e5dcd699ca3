/** Identities that a transport remembers by a cookie: a port, and its answer in memory. */
import { checkWhole } from './errors.ts'
import type { Grant, Principal } from './principal.ts'
import type { Hash, MaybePromise } from './records.ts'

/** Who was accepted on a connection with a cookie: the lease's own values, so that revocations meet them again. */
export interface Remembered {
  readonly principal: Principal
  readonly grant: Grant
  /** Realm that was joined. */
  readonly realm: string
  /** End of what was proved then, ms since the epoch: coming back by cookie does not extend it. */
  readonly untilMs: number
}

/**
 * Remembers identities by the hash of a cookie's value (`platform.hash`): the values themselves are nowhere at rest. The
 * transport remembers after each acceptance by a method that proves something, and forgets at logout, at kill, and when
 * a client that has the cookie asks for another method.
 */
export interface CookieStore {
  /** Binds an identity to a cookie, in place of an earlier one. */
  remember(cookie: Hash, identity: Remembered, now: number): MaybePromise<void>
  /** The identity, unless it is over or the cookie is too old. */
  find(cookie: Hash, now: number): MaybePromise<Remembered | undefined>
  forget(cookie: Hash): MaybePromise<void>
  /** Forgets every cookie of whom `who` says so: a kill is meant for a person, in whatever browsers. */
  forgetWhere(who: (identity: Remembered) => boolean): MaybePromise<void>
}

/** Bounds of a store. */
export interface CookieStoreOptions {
  /** How long a cookie stands for anybody, ms. @default 604,800,000 (7 days) */
  readonly maxAgeMs?: number
  /** Cookies remembered; beyond that the oldest is forgotten. @default 100,000 */
  readonly maxEntries?: number
}

/** A store that forgets everything when the process ends. @throws MisuseError for options out of range */
export function memoryCookies(options: CookieStoreOptions = {}): CookieStore {
  const { maxAgeMs = 7 * 86_400_000, maxEntries = 100_000 } = options
  checkWhole('memoryCookies: maxAgeMs', maxAgeMs, [1, 400 * 86_400_000])
  checkWhole('memoryCookies: maxEntries', maxEntries, [1, 10_000_000])
  const kept = new Map<Hash, { readonly identity: Remembered; readonly endsAtMs: number }>()
  return {
    remember(cookie, identity, now) {
      kept.delete(cookie)
      kept.set(cookie, { identity, endsAtMs: Math.min(identity.untilMs, now + maxAgeMs) })
      for (const oldest of kept.keys()) {
        if (kept.size <= maxEntries) return
        kept.delete(oldest)
      }
    },
    find(cookie, now) {
      const entry = kept.get(cookie)
      if (entry === undefined) return undefined
      if (entry.endsAtMs > now) return entry.identity
      kept.delete(cookie)
      return undefined
    },
    forget: (cookie) => void kept.delete(cookie),
    forgetWhere(who) {
      for (const [cookie, { identity }] of kept) if (who(identity)) kept.delete(cookie)
    },
  }
}
