/**
 * What is thrown, and only for two things:
 *
 *     CountersignError
 *     ├─ MisuseError   the caller broke a contract (`invalid_option`, `spent_turn`, …): fix the program
 *     └─ OutageError   a port failed (`records_unavailable`, …): the guard turns it into the reason `internal`
 *
 * A refused credential is never thrown: it is a `Verdict`.
 */

/** Stable codes of misuse. */
export type MisuseCode = 'invalid_option' | 'spent_turn' | 'missing_port' | 'closed'
/** Stable codes of outage. */
export type OutageCode = 'records_unavailable' | 'keys_unavailable' | 'overloaded'

abstract class CountersignError extends Error {
  abstract readonly code: MisuseCode | OutageCode
}

/** The program that calls Countersign is wrong. Messages name options and never contain their secret values. */
export class MisuseError extends CountersignError {
  override readonly name = 'MisuseError'
  readonly code: MisuseCode
  constructor(code: MisuseCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Holds an option against its bounds, both included.
 * @param what the option as the message shall name it: `sqlite: maxWaitMs`
 * @throws MisuseError when the value is no whole number, or out of bounds
 */
export function checkWhole(
  what: string,
  value: number,
  [least, most]: readonly [least: number, most: number],
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new MisuseError('invalid_option', `${what} is a whole number from ${least} to ${most}`)
}

/** Something lent by the outside is out of reach. `cause` has the original error. */
export class OutageError extends CountersignError {
  override readonly name = 'OutageError'
  readonly code: OutageCode
  constructor(code: OutageCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.code = code
  }
}
