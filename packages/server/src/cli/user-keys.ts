/** `countersign user scram` and `user ed25519`: ways to log in without showing a password. */
import type { ScramKdf } from 'countersign'
import { addPublicKey, endPublicKey, endScramKey, scramKdfs, setScramKey } from '../server/account-keys.ts'
import { checkUsername } from '../server/accounts.ts'
import { flag, option, type Call, type Command } from './command.ts'
import { exitCodes, usageError, type ExitCode } from './exit-codes.ts'
import { readSecret } from './secret-input.ts'
import { storeOption, withStore } from './store.ts'
import { printable } from './table.ts'
import { endsSockets, passwordStdin, refuseUnknown, scramPart, toolsFor } from './user.ts'

/** Makes or removes SCRAM keys. */
export const userScram: Command = {
  name: 'user scram',
  summary: 'Let a user log in by SCRAM; asks for a password and keeps keys that prove it',
  words: ['NAME'],
  options: {
    kdf: option('KDF', `${scramKdfs.join(', ')} [${scramKdfs[0] ?? ''}]`),
    'password-stdin': passwordStdin,
    remove: flag('remove the keys instead'),
    ...storeOption,
  },
  notes: [
    'argon2id13 and pbkdf2 are for wamp-scram; argon2id-13 is for scram, as Autobahn speaks it.',
    'Clients log in under the name as "countersign user list" shows it, in lower case.',
    'Where keys are replaced or removed: sessions and sockets of this user end.',
    'Example: countersign user scram alice',
  ],
  run: (call) => (call.flag('remove') ? removeScram(call) : makeScram(call)),
}

/** Adds a public key. */
export const userEd25519Add: Command = {
  name: 'user ed25519 add',
  summary: 'Let the holder of an Ed25519 key log in as a user, by cryptosign',
  words: ['NAME', 'HEX'],
  options: storeOption,
  notes: ['HEX is the public key, 64 hex digits. A key belongs to one user.'],
  run: (call) =>
    withStore(call, 'must exist', async (records) => {
      const username = checkUsername(call.word)
      await refuseUnknown(records, username)
      const { publicKey } = await addPublicKey(toolsFor(records), username, hexOf(call))
      return tellKey(call, username, publicKey, 'added')
    }),
}

/** Removes a public key. */
export const userEd25519Remove: Command = {
  name: 'user ed25519 remove',
  summary: 'Let the holder of an Ed25519 key in no more',
  words: ['NAME', 'HEX'],
  options: storeOption,
  notes: ['"countersign user list --json" shows the keys.', endsSockets],
  run: (call) =>
    withStore(call, 'must exist', async (records) => {
      const username = checkUsername(call.word)
      await refuseUnknown(records, username)
      await endPublicKey(toolsFor(records), username, hexOf(call))
      return tellKey(call, username, hexOf(call).toLowerCase(), 'removed')
    }),
}

/** The one word behind the name; the parser has seen to it that it is there. */
function hexOf(call: Call): string {
  return call.words[1] ?? ''
}

async function makeScram(call: Call): Promise<ExitCode> {
  const username = checkUsername(call.word)
  const kdf = kdfOf(call)
  await withStore(call, 'must exist', async (records) => refuseUnknown(records, username))
  const password = await readSecret(call, 'password-stdin', `SCRAM password for ${username}`)
  return withStore(call, 'must exist', async (records) => {
    const row = await setScramKey(toolsFor(records), { username, password, kdf })
    call.answer({ username, scram: scramPart(row) }, [`${printable(username)} may log in by SCRAM (${kdf})`])
    return exitCodes.ok
  })
}

function removeScram(call: Call): Promise<ExitCode> {
  return withStore(call, 'must exist', async (records) => {
    const username = checkUsername(call.word)
    await refuseUnknown(records, username)
    await endScramKey(toolsFor(records), username)
    call.answer({ username, scram: null }, [`${printable(username)} has no SCRAM keys any more`])
    return exitCodes.ok
  })
}

/** @throws CommandError usage for one that does not exist */
function kdfOf(call: Call): ScramKdf {
  const wanted = call.text('kdf') ?? scramKdfs[0]
  const kdf = scramKdfs.find((one) => one === wanted)
  if (kdf !== undefined) return kdf
  throw usageError(`--kdf ${JSON.stringify(String(wanted).slice(0, 80))}: one of ${scramKdfs.join(', ')}`)
}

function tellKey(call: Call, username: string, publicKey: string, what: 'added' | 'removed'): ExitCode {
  call.answer({ username, public_key: publicKey, [what]: true }, [
    `key ${publicKey} of ${printable(username)} ${what}`,
  ])
  return exitCodes.ok
}
