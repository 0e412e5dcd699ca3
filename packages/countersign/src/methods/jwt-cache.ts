/** Tokens that were verified before: a client that connects again costs one hash instead of one signature. */
import type { Hash } from '../core/records.ts'
import type { Verdict } from '../core/verdict.ts'
import type { KeySource } from './jwt-keys.ts'

/** A verified token. */
export interface Seen {
  /** Frozen: the same object is handed to every connection that shows the token. */
  readonly verdict: Verdict
  /** When the token ends, leeway included. */
  readonly endsAtMs: number
  /** The keys that verified it, and their generation then. */
  readonly keys: KeySource
  readonly generation: number
}

/**
 * Verified tokens by their SHA-256. Revocations are not its business: the guard asks for marks at every
 * acceptance, cached or not.
 */
export interface TokenCache {
  /** The verdict, unless the token has ended or its issuer's keys have changed or are due to be fetched. */
  find(token: Hash, now: number): Verdict | undefined
  /**
   * Remembers a verdict. Only for tokens whose signature was found right: what is in here is not checked
   * again.
   */
  put(token: Hash, seen: Seen): void
}

/** @param size most entries; the oldest makes room */
export function tokenCache(size: number): TokenCache {
  const entries = new Map<Hash, Seen>()
  return {
    find(token, now) {
      const seen = entries.get(token)
      if (seen === undefined) return undefined
      if (seen.endsAtMs <= now) {
        entries.delete(token)
        return undefined
      }
      return seen.keys.generation(now) === seen.generation ? seen.verdict : undefined
    },
    put(token, seen) {
      entries.delete(token)
      entries.set(token, seen)
      if (entries.size <= size) return
      for (const oldest of entries.keys()) {
        entries.delete(oldest)
        break
      }
    },
  }
}
