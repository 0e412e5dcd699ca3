/** Every number that bounds a guard, in one place. */
import { MisuseError } from './errors.ts'
import { defaultLockout, type LockoutLimits } from './lockout.ts'
import type { PoolLimits } from './pool.ts'

/** What an unaccepted connection may cost, and how long a lease lives. */
export interface Limits {
  /** Absolute deadline from the upgrade to acceptance, ms. Traffic does not extend it. */
  readonly deadlineMs: number
  /** Bytes that may arrive on the raw socket before acceptance. A packet counts as 64 at least, as it is kept apart. */
  readonly maxBytes: number
  /** Messages that may arrive before acceptance; those behind the credential are queued for the application. */
  readonly maxMessages: number
  /** Time from a refusal to the end of the socket, whatever the peer does, ms. */
  readonly lingerMs: number
  /** Caps of the waiting room before acceptance. */
  readonly pool: PoolLimits
  /** How fast secrets that people choose may be guessed. */
  readonly lockout: LockoutLimits
  /** Handshakes a second of one source. */
  readonly handshakesPerSecond: number
  /** Longest life of a lease, refreshed or not, ms. */
  readonly maxLeaseMs: number
  /** How long before its end the holder of a lease is warned, ms. */
  readonly warnMs: number
  /** How long an expired lease may still speak, ms; 0: not at all. */
  readonly graceMs: number
  /** Share of a lease's life by which its end may be brought forward, so that a fleet does not expire at once. */
  readonly jitter: number
}

/**
 * What holds where an option is left out. An unaccepted socket costs at most 4 KiB, four messages and ten
 * seconds; a lease lives at most twelve hours, is warned half a minute before its end, and may speak for 25
 * s beyond it.
 */
export const defaultLimits: Limits = {
  deadlineMs: 10_000,
  maxBytes: 4_096,
  maxMessages: 4,
  lingerMs: 900,
  pool: { total: 1_000, perSource: 100, perSubnet: 200, talking: 250 },
  lockout: defaultLockout,
  handshakesPerSecond: 1_000,
  maxLeaseMs: 12 * 3_600_000,
  warnMs: 30_000,
  graceMs: 25_000,
  jitter: 0.1,
}

/** Limits as callers name them: what is left out keeps its default. */
export type LimitOptions = Partial<Omit<Limits, 'pool' | 'lockout'>> & {
  readonly pool?: Partial<PoolLimits>
  readonly lockout?: Partial<LockoutLimits>
}

/**
 * Merges options into the defaults, two levels deep.
 * @throws MisuseError for what is no number, negative, or a jitter above 1
 */
export function limitsOf(options: LimitOptions | undefined): Limits {
  const limits: Limits = {
    ...defaultLimits,
    ...options,
    pool: { ...defaultLimits.pool, ...options?.pool },
    lockout: { ...defaultLimits.lockout, ...options?.lockout },
  }
  const { pool, lockout, ...single } = limits
  for (const group of [single, pool, lockout]) {
    for (const [name, value] of Object.entries(group)) checkLimit(name, value)
  }
  if (limits.jitter > 1) throw new MisuseError('invalid_option', 'limits: jitter is a share, at most 1')
  return limits
}

/** `NaN` is no number here; `Infinity` is one: it lifts the bound. */
function checkLimit(name: string, value: unknown): void {
  if (typeof value === 'number' && value >= 0) return
  throw new MisuseError('invalid_option', `limits: ${name} is a number, not negative`)
}
