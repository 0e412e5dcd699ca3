/** What an application revokes, as the mark that stands for it. */
import { checkWhole, MisuseError } from './errors.ts'
import { markKinds, type Mark } from './records.ts'

/** What to revoke: exactly one member. */
export type RevokeOptions =
  | { readonly subject: string }
  | { readonly session: string }
  | { readonly token: string }
  | { readonly apiKey: string }
  | { readonly certificate: string }
  | { readonly role: string }
  | { readonly lease: string }

/** When a revocation bites. */
export interface RevokeTiming {
  /**
   * Only what was issued at or before this instant, ms since the epoch, for news that comes late: what came about since
   * lives on. Never later than `marginMs` from now. Sessions and leases that are named end whatever it says: they do not
   * come back. @default now, and the margin
   */
  readonly issuedBeforeMs?: number
  /** How far clocks that issue may be ahead of this one, ms, at most 60,000. @default 0 */
  readonly marginMs?: number
}

/**
 * The instant of a revocation's mark.
 * @throws MisuseError for what is no instant: a comparison with it would revoke nothing in silence
 */
export function markTime({ issuedBeforeMs = Infinity, marginMs = 0 }: RevokeTiming, now: number): number {
  checkWhole('revoke: marginMs', marginMs, [0, 60_000])
  if (typeof issuedBeforeMs === 'number' && !Number.isNaN(issuedBeforeMs))
    return Math.min(now + marginMs, issuedBeforeMs)
  throw new MisuseError('invalid_option', 'revoke: issuedBeforeMs is an instant, ms since the epoch')
}

/**
 * The mark that these options mean.
 * @throws MisuseError for anything but exactly one known member with a non-empty text: JavaScript callers have no
 * compiler, and a misspelt member must not revoke nothing in silence
 */
export function markOf(options: RevokeOptions, reason: 'revoked' | 'logged_out', atMs: number): Mark {
  const given = Object.entries(options)
  const kind = markKinds.find((one) => one === given[0]?.[0])
  const value: unknown = given[0]?.[1]
  if (given.length !== 1 || kind === undefined || typeof value !== 'string' || value === '') {
    throw new MisuseError('invalid_option', `revoke: exactly one of ${markKinds.join(', ')}`)
  }
  return { kind, value, atMs, reason }
}
