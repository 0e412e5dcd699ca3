/** What an application revokes, as the mark that stands for it. */
import { checkWhole, MisuseError } from './errors.ts'
import type { AddressRules } from './ports.ts'
import { markKinds, type Mark, type MarkKind } from './records.ts'

/** What to revoke: exactly one member. */
export type RevokeOptions =
  | { readonly subject: string }
  | { readonly session: string }
  | { readonly token: string }
  | { readonly apiKey: string }
  /** SHA-256 fingerprint of a client certificate, hex with or without colons. */
  | { readonly certificate: string }
  /** Serial number of a client certificate, hex with or without colons, whichever authority gave it. */
  | { readonly serial: string }
  /** `iss` of JWTs. */
  | { readonly issuer: string }
  | { readonly role: string }
  | { readonly lease: string }
  /** An address, or a block of them in CIDR notation (RFC 4632, RFC 4291 §2.3). */
  | { readonly address: string }
  /** `Origin` of a page, exactly as browsers send it. */
  | { readonly origin: string }
  /** Everything that was issued at or before this instant, ms since the epoch. */
  | { readonly issuedBefore: number }

/** How to revoke it. */
export interface RevokeTerms {
  /**
   * How long holders of open sockets are given to come with a credential that was issued since, ms, at most an hour: they
   * are warned at once and end after it. Nobody new is let in meanwhile. @default 0
   */
  readonly marginMs?: number
  /**
   * Spares what was issued later, ms since the epoch; never later than now and the tolerance. Sessions and leases end whenever they were
   * issued. @default now, and the tolerance
   */
  readonly issuedBeforeMs?: number
  /** How far clocks that issue may be ahead of this one, ms, at most a minute: what they issue meanwhile is hit, too. @default 0 */
  readonly clockToleranceMs?: number
}

/** Longest margin, ms. */
const maxMarginMs = 3_600_000

/** Largest tolerance, ms. */
const maxToleranceMs = 60_000

/** What a mark for everything that was issued before an instant has for a value: it names nothing. */
export const everything = '*'

/**
 * The mark that these options mean.
 * @param address how addresses and blocks of them are written
 * @throws MisuseError for anything but exactly one known member of the right type and terms within bounds: JavaScript
 * callers have no compiler, and a misspelt member must not revoke nothing in silence
 */
export function markOf(
  options: RevokeOptions,
  how: RevokeTerms & { readonly reason: Mark['reason']; readonly now: number },
  address: AddressRules,
): Mark {
  const given = Object.entries(options)
  const kind = markKinds.find((one) => one === given[0]?.[0])
  if (given.length !== 1 || kind === undefined) wrong()
  const { marginMs = 0, clockToleranceMs = 0, issuedBeforeMs = Infinity, now, reason } = how
  checkWhole('revoke: marginMs', marginMs, [0, maxMarginMs])
  checkWhole('revoke: clockToleranceMs', clockToleranceMs, [0, maxToleranceMs])
  const value: unknown = given[0]?.[1]
  const before = kind === 'issuedBefore' ? value : issuedBeforeMs
  if (typeof before !== 'number' || Number.isNaN(before)) wrong()
  const text = kind === 'issuedBefore' ? everything : textOf(kind, value, address)
  const atMs = Math.min(now + clockToleranceMs, before)
  return { kind, value: text, atMs, enforceAtMs: now + marginMs, reason }
}

/** Serial numbers as they are compared: lower-case hex without colons and leading zeros. */
export function serialOf(text: string): string {
  return text
    .replaceAll(':', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
}

function textOf(kind: MarkKind, value: unknown, address: AddressRules): string {
  if (typeof value !== 'string' || value === '') wrong()
  if (kind === 'address') return address.normalise(value) ?? wrong()
  if (kind === 'certificate') return value.replaceAll(':', '').toLowerCase()
  return kind === 'serial' ? serialOf(value) : value
}

function wrong(): never {
  throw new MisuseError('invalid_option', `revoke: exactly one of ${markKinds.join(', ')}`)
}
