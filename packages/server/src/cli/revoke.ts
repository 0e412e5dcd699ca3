/** `countersign revoke`: ends open sockets, and refuses what they were opened with. */
import type { RevokeOptions, RevokeTerms } from 'countersign'
import { isRevocable, optionsOf, revocable } from '../server/revocation-body.ts'
import { option, type Call, type Command } from './command.ts'
import { durationOption } from './duration.ts'
import { exitCodes, usageError, type ExitCode } from './exit-codes.ts'
import { issuerOver } from './issuer.ts'
import { storeOption, withStore } from './store.ts'
import { printable } from './table.ts'

/** What stands in place of a name and a value. */
const everything = 'everything'
const names = Object.keys(revocable)
const longestValue = 512
const maxMarginMs = 3_600_000

/** Revokes. */
export const revoke: Command = {
  name: 'revoke',
  summary: 'End open sockets and refuse what they were opened with',
  words: ['WHAT', '[VALUE]'],
  options: {
    before: option('TIME', 'spare what was issued later: 2030-01-31T12:00:00Z [now]'),
    margin: option('TIME', 'warn first, and give holders so long to come with something new: 30s [0]'),
    reason: option('WORD', 'what clients are told: revoked or logged_out [revoked]'),
    ...storeOption,
  },
  notes: [
    `WHAT: ${names.join(' ')}, or ${everything}.`,
    'address takes CIDR blocks; certificate a SHA-256 fingerprint; serial is hex.',
    'A server that uses the same database ends the sockets at once. What is issued from now on is good again:',
    'to keep somebody out use "user disable", "key revoke", or a rule.',
    'Example: countersign revoke subject alice --margin 30s',
  ],
  run: revokeIt,
}

function revokeIt(call: Call): Promise<ExitCode> {
  const [name = '', value] = call.words
  const reason = call.text('reason') ?? 'revoked'
  if (reason !== 'revoked' && reason !== 'logged_out')
    throw usageError(`--reason ${shown(reason)}: revoked or logged_out`)
  const before = call.text('before')
  const beforeMs = before === undefined ? undefined : instantOption(before)
  const what = name === everything ? everythingBefore(value, beforeMs) : whatOf(name, value)
  const spared = beforeMs === undefined || name === everything ? {} : { issuedBeforeMs: beforeMs }
  const terms: RevokeTerms = { marginMs: marginOption(call.text('margin')), ...spared }
  return withStore(call, 'must exist', async (records) => {
    await issuerOver(records).revoke(what, reason, terms)
    const facts = { revoked: name, ...(value === undefined ? {} : { value }), reason }
    call.answer(facts, [`${name}${value === undefined ? '' : ` ${printable(value)}`} revoked`])
    return exitCodes.ok
  })
}

function whatOf(name: string, value: string | undefined): RevokeOptions {
  if (!isRevocable(name)) throw usageError(`${shown(name)}: one of ${names.join(', ')}, ${everything}`)
  if (value === undefined) throw usageError('VALUE is missing')
  if (value === '' || value.length > longestValue) throw usageError(`VALUE: 1 to ${longestValue} characters`)
  const what = optionsOf(name, value)
  if (what === undefined)
    throw usageError(`${shown(value)}: not an address; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32`)
  return what
}

function everythingBefore(value: string | undefined, beforeMs: number | undefined): RevokeOptions {
  if (value !== undefined) throw usageError(`${shown(value)}: one word too many`)
  return { issuedBefore: beforeMs ?? Infinity }
}

function marginOption(text: string | undefined): number {
  if (text === undefined) return 0
  const ms = durationOption('--margin', text)
  if (ms > maxMarginMs) throw usageError(`--margin ${text}: an hour at most`)
  return ms
}

/** RFC 3339. */
function instantOption(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN
  if (Number.isNaN(ms))
    throw usageError(`--before ${shown(text)}: not an instant; write 2030-01-31T12:00:00Z`)
  return ms
}

/** What was typed, short and safe to print. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
