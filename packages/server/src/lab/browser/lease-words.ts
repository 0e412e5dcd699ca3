/** What is said of a lease: how long it holds yet, and how it ended. */
import { describeOutcome, type Measured } from './outcome.ts'

/** Tenths below ten seconds, where eyes follow them; whole seconds otherwise, and for those who want it calm. */
export function timeLeft(ms: number, calm: boolean): string {
  const seconds = Math.max(0, ms) / 1_000
  return calm || seconds >= 9.95 ? `${Math.ceil(seconds)} s` : `${seconds.toFixed(1)} s`
}

const sentences: Readonly<Record<string, string>> = {
  logged_out: 'its login was logged out elsewhere',
  lease_expired: 'its lease ran out',
  revoked: 'whoever runs the server took it back',
}

/** What GOODBYE of WAMP says. */
const reasonOfUri: Readonly<Record<string, string>> = {
  'wamp.close.logout': 'logged_out',
  'wamp.close.expired': 'lease_expired',
  'wamp.close.killed': 'revoked',
}

function reasonOf(measured: Measured): string | undefined {
  if (measured.kind === 'closed' || measured.kind === 'dismissed') return measured.reason
  return measured.kind === 'ended' ? reasonOfUri[measured.uri] : undefined
}

/** How the last lease of a door ended, for its card. */
export function endWords(measured: Measured): string {
  const sentence = sentences[reasonOf(measured) ?? '']
  const told = measured.kind === 'ended' || measured.kind === 'dismissed'
  const how = told ? `closed by ${describeOutcome(measured)}` : describeOutcome(measured)
  return sentence === undefined ? how : `${how}: ${sentence}`
}

const shorts: Readonly<Record<string, string>> = {
  logged_out: 'logged out',
  lease_expired: 'expired',
  revoked: 'revoked',
}

/** The same in the room that a gate of the strip has. */
export function shortWords(measured: Measured): string {
  return shorts[reasonOf(measured) ?? ''] ?? 'ended'
}
