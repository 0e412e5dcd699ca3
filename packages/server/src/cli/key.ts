/** `countersign key`: API keys, with which machines connect, or another application issues and revokes. */
import type { ApiKeyRow } from 'countersign'
import { option, repeatable, type Call, type Command } from './command.ts'
import { durationOption } from './duration.ts'
import { CommandError, exitCodes, usageError, type ExitCode } from './exit-codes.ts'
import { checkSubject, issuerOver, rolesFor } from './issuer.ts'
import { writeFresh } from './secret-file.ts'
import { storeOption, withStore } from './store.ts'
import { printable, writeTable } from './table.ts'

const scopes: readonly string[] = ['connect', 'issue', 'revoke']

/** Creates a key. */
export const keyCreate: Command = {
  name: 'key create',
  summary: 'Make an API key and print it once',
  words: [],
  options: {
    name: option('NAME', 'what it is for, shown in lists (required)'),
    subject: option('NAME', 'who it lets in (required)'),
    scope: repeatable('SCOPE', 'connect, issue or revoke [connect]'),
    role: repeatable('ROLE', 'a role [those of the account, if there is one]'),
    ttl: option('TIME', 'how long it is good for: 90d [for ever]'),
    out: option('FILE', 'write the key to this new file, readable by you alone, instead of printing it'),
    ...storeOption,
  },
  notes: [
    'connect: open sockets as the subject.  issue: tickets for any subject.  revoke: end what was issued.',
    'Example: countersign key create --name website --subject website --scope issue --ttl 90d',
  ],
  run: createKey,
}

/** Lists keys. */
export const keyList: Command = {
  name: 'key list',
  summary: 'List API keys, without their secrets',
  words: [],
  options: storeOption,
  notes: [],
  run: (call) =>
    withStore(call, 'must exist', async (records) => {
      const keys = [...(await records.listApiKeys())].sort((one, other) => one.issuedAtMs - other.issuedAtMs)
      const rows = keys.map((row) => [
        row.id,
        printable(row.name),
        printable(row.subject),
        row.scopes.join(','),
        row.roles.map(printable).join(',') || '-',
        expiryOf(row) ?? 'never',
      ])
      call.answer(
        { keys: keys.map(publicPart) },
        writeTable(['ID', 'NAME', 'SUBJECT', 'SCOPES', 'ROLES', 'EXPIRES'], rows),
      )
      return exitCodes.ok
    }),
}

/** Revokes a key. */
export const keyRevoke: Command = {
  name: 'key revoke',
  summary: 'End an API key and every socket that it opened',
  words: ['ID'],
  options: storeOption,
  notes: ['"countersign key list" shows the ids.'],
  run: (call) =>
    withStore(call, 'must exist', async (records) => {
      const known = (await records.listApiKeys()).find(({ id }) => id === call.word)
      if (known === undefined) {
        throw new CommandError(
          exitCodes.failed,
          `there is no key ${JSON.stringify(call.word.slice(0, 80))}; "countersign key list" shows the ids`,
        )
      }
      await issuerOver(records).revoke({ apiKey: known.id })
      call.answer({ id: known.id, name: known.name, revoked: true }, [
        `${printable(known.name)} (${known.id}) revoked`,
      ])
      return exitCodes.ok
    }),
}

/** Prints the key or writes it to a file, never both: it is shown once and kept only as a hash. */
function createKey(call: Call): Promise<ExitCode> {
  const name = call.required('name')
  if (name.length > 64 || /\p{Cc}/u.test(name))
    throw usageError('--name: 1 to 64 characters, none of them a control character')
  const subject = checkSubject(call.required('subject'))
  const wanted = call.texts('scope')
  const wrong = wanted.find((scope) => !scopes.includes(scope))
  if (wrong !== undefined)
    throw usageError(`--scope ${JSON.stringify(wrong.slice(0, 80))}: one of ${scopes.join(', ')}`)
  const ttl = call.text('ttl')
  const life = ttl === undefined ? {} : { ttlMs: durationOption('--ttl', ttl) }
  return withStore(call, 'make', async (records) => {
    const roles = await rolesFor(records, subject, call.texts('role'))
    const given = wanted.length === 0 ? ['connect'] : [...new Set(wanted)]
    const guard = issuerOver(records)
    const { key, id, expiresAtMs } = await guard.issue.apiKey({
      name,
      subject,
      roles,
      scopes: given,
      ...life,
    })
    const facts = { id, name, subject, roles, scopes: given, expires_at: isoDate(expiresAtMs) }
    const file = call.text('out')
    if (file === undefined) {
      call.answer({ ...facts, key }, [key])
      if (!call.json) call.note(`id ${id}; the key is shown this once`)
      return exitCodes.ok
    }
    try {
      writeFresh(file, `${key}\n`, 'secret')
    } catch (error) {
      // A key that nobody has must not stay valid.
      await records.endApiKey(id)
      throw error
    }
    call.answer({ ...facts, file }, [`id ${id}; the key is in ${file}`])
    return exitCodes.ok
  })
}

/** What may be shown at any time, in the names of the JSON output. */
function publicPart(row: ApiKeyRow): object {
  const { id, name, subject, roles, scopes, issuedAtMs } = row
  return {
    id,
    name,
    subject,
    roles,
    scopes,
    issued_at: isoDate(issuedAtMs),
    expires_at: expiryOf(row) ?? null,
  }
}

/** `undefined`: never. */
function expiryOf(row: ApiKeyRow): string | undefined {
  return isoDate(row.expiresAtMs) ?? undefined
}

/** ISO 8601; `null` for what never ends. */
function isoDate(ms: number): string | null {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null
}
