/** `countersign user`: people who can log in. Every change that takes something away ends what it had opened. */
import type { AccountRow, PasswordHasher, Records, ScramKeyRow } from 'countersign'
import { argon2Passwords } from 'countersign/platform/node'
import {
  checkUsername,
  createAccount,
  listAccounts,
  setDisabled,
  setPassword,
  type PasswordChange,
  type AccountTools,
} from '../server/accounts.ts'
import { keysOf, type AccountKeys } from '../server/account-keys.ts'
import { flag, repeatable, type Call, type Command, type OptionSpec } from './command.ts'
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts'
import { readSecret } from './secret-input.ts'
import { storeOption, withStore } from './store.ts'
import { printable, writeTable } from './table.ts'

/** Passwords are never given on the command line, where others see them. */
export const passwordStdin: OptionSpec = flag(
  'take the password from the first line of standard input instead of asking',
)
/** What a change that takes something away does besides. */
export const endsSockets: string =
  'Sessions and sockets of this user end: at once where a server shares the database, else when it next looks.'

/** Adds an account. */
export const userAdd: Command = {
  name: 'user add',
  summary: 'Add someone who can log in; asks for the password without showing it',
  words: ['NAME'],
  options: {
    role: repeatable('ROLE', 'a role'),
    'password-stdin': passwordStdin,
    'no-password': flag('without a password: for those who log in by SCRAM or by a key alone'),
    ...storeOption,
  },
  notes: ['Example: countersign user add alice --role member'],
  async run(call) {
    const username = checkUsername(call.word)
    // Asked before the password is, so that nobody types one in vain.
    await withStore(call, 'make', async (records) => refuseKnown(records, username))
    const password = call.flag('no-password')
      ? undefined
      : await readSecret(call, 'password-stdin', `Password for ${username}`)
    const roles = call.texts('role')
    return withStore(call, 'make', async (records) =>
      tellChange(call, await createAccount(toolsFor(records), { username, password, roles }), 'added'),
    )
  },
}

/** Lists accounts. */
export const userList: Command = {
  name: 'user list',
  summary: 'List who can log in, and how',
  words: [],
  options: storeOption,
  notes: [],
  run: (call) =>
    withStore(call, 'must exist', async (records) => {
      const users: object[] = []
      const rows: string[][] = []
      for (const row of await listAccounts(records)) {
        const keys = await keysOf(records, row.username)
        users.push({ ...publicPart(row), ...publicKeyPart(row, keys) })
        rows.push([
          printable(row.username),
          row.disabled ? 'disabled' : 'enabled',
          methodsOf(row, keys).join(',') || '-',
          row.roles.map(printable).join(',') || '-',
          new Date(row.changedAtMs).toISOString(),
        ])
      }
      call.answer({ users }, writeTable(['NAME', 'STATE', 'METHODS', 'ROLES', 'CHANGED'], rows))
      return exitCodes.ok
    }),
}

/** Changes a password. */
export const userPassword: Command = {
  name: 'user password',
  summary: 'Give a user a new password; asks for it without showing it',
  words: ['NAME'],
  options: { 'password-stdin': passwordStdin, ...storeOption },
  notes: [endsSockets, 'SCRAM keys are removed: "countersign user scram NAME" makes new ones.'],
  async run(call) {
    const username = checkUsername(call.word)
    await withStore(call, 'must exist', async (records) => refuseUnknown(records, username))
    const password = await readSecret(call, 'password-stdin', `New password for ${username}`)
    return withStore(call, 'must exist', async (records) =>
      tellPassword(call, await setPassword(toolsFor(records), username, password)),
    )
  },
}

/** Disables an account. */
export const userDisable: Command = switchCommand(
  'disable',
  'Let a user in no more, until enabled again',
  true,
)

/** Enables an account. */
export const userEnable: Command = switchCommand('enable', 'Let a disabled user in again', false)

function switchCommand(verb: 'disable' | 'enable', summary: string, disabled: boolean): Command {
  return {
    name: `user ${verb}`,
    summary,
    words: ['NAME'],
    options: storeOption,
    notes: disabled ? [endsSockets] : [],
    run: (call) =>
      withStore(call, 'must exist', async (records) => {
        const username = checkUsername(call.word)
        await refuseUnknown(records, username)
        return tellChange(call, await setDisabled(toolsFor(records), username, disabled), `${verb}d`)
      }),
  }
}

/** What commands manage accounts with. Nothing is verified here twice, so no password is remembered. */
export function toolsFor(records: Records): AccountTools {
  const passwords: PasswordHasher = argon2Passwords({ cacheMs: 0 })
  return { records, passwords, clock: { now: () => Date.now() } }
}

async function refuseKnown(records: Records, username: string): Promise<void> {
  if ((await records.findAccount(username)) === undefined) return
  throw new CommandError(
    exitCodes.failed,
    `${username} exists already; "countersign user password ${username}" changes the password`,
  )
}

/** Before a password is asked for. @throws CommandError failed */
export async function refuseUnknown(records: Records, username: string): Promise<void> {
  if ((await records.findAccount(username)) !== undefined) return
  throw new CommandError(
    exitCodes.failed,
    `there is no user ${username}; "countersign user list" shows who there is`,
  )
}

function tellChange(call: Call, row: AccountRow, what: string): ExitCode {
  call.answer(publicPart(row), [`${printable(row.username)} ${what}`])
  return exitCodes.ok
}

function tellPassword(call: Call, { account, scramEnded }: PasswordChange): ExitCode {
  const name = printable(account.username)
  const lost = `its SCRAM keys were of the former one and are gone; "countersign user scram ${name}" makes new ones`
  call.answer({ ...publicPart(account), scram_removed: scramEnded }, [
    `${name} has a new password`,
    ...(scramEnded ? [lost] : []),
  ])
  return exitCodes.ok
}

/** Words that a script can look for. */
function methodsOf(row: AccountRow, { scram, publicKeys }: AccountKeys): readonly string[] {
  const has = {
    password: row.passwordHash !== undefined,
    scram: scram !== undefined,
    ed25519: publicKeys.length > 0,
  }
  return Object.entries(has).flatMap(([method, here]) => (here ? [method] : []))
}

/** How somebody logs in: the public half of it. */
function publicKeyPart(row: AccountRow, keys: AccountKeys): object {
  return {
    methods: methodsOf(row, keys),
    scram: keys.scram === undefined ? null : scramPart(keys.scram),
    public_keys: keys.publicKeys.map(({ publicKey }) => publicKey),
  }
}

/** How keys were derived, which every client is told; never the keys. */
export function scramPart({ kdf, iterations, memory }: ScramKeyRow): object {
  return { kdf, iterations, memory: memory ?? null }
}

/** What is told about an account, in the names of the JSON output; never its hash. */
function publicPart(row: AccountRow): object {
  const { username, roles, disabled, changedAtMs } = row
  return { username, roles, disabled, changed_at: new Date(changedAtMs).toISOString() }
}
