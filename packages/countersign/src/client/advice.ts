/** What a client does after a close: the advice of the table of refusals, by the code that it sees. */
import type { Advice } from '../core/reasons.ts'

/**
 * Advice by close code. The codes of the table of refusals are exactly those of `core/reasons.ts`; the rest is what
 * other servers and RFC 6455 §7.4 say. 1000 is an end that the server meant.
 */
export const closeAdvice: Readonly<Record<number, Advice>> = {
  1000: 'stop',
  1001: 'reconnect',
  1002: 'fix',
  1003: 'fix',
  1007: 'fix',
  1008: 'stop',
  1009: 'fix',
  1010: 'fix',
  1011: 'back_off',
  1012: 'reconnect',
  1013: 'back_off',
  3000: 'new_credential',
  3003: 'stop',
  3008: 'retry',
  4409: 'stop',
  4429: 'wait',
  4503: 'back_off',
}

/** Advice by the HTTP status of a refused upgrade, for clients that are told it: browsers are not. */
export const statusAdvice: Readonly<Record<number, Advice>> = {
  400: 'fix',
  401: 'new_credential',
  403: 'stop',
  404: 'fix',
  408: 'retry',
  413: 'fix',
  421: 'stop',
  426: 'fix',
  429: 'wait',
}

/** How a connection ended. */
export interface Ending {
  /** Close code; 1006 where there was none (RFC 6455 §7.1.5). */
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
  /** Status of a refused upgrade, where the base tells it. */
  readonly status?: number | undefined
}

/**
 * What is to be done after an ending. Codes that nobody knows back off: a client that gives up by mistake is dead, one
 * that comes again ever more seldom harms nobody.
 */
export function adviceAfter({ code, status }: Ending): Advice {
  const told = status === undefined ? closeAdvice[code] : statusAdvice[status]
  return told ?? 'back_off'
}
