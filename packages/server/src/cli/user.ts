/** `countersign user`: people who can log in. Every change that takes something away ends what it had opened. */
import type { AccountRow, PasswordHasher, Records } from 'countersign'
import { argon2Passwords } from 'countersign/platform/node'
import {
  checkUsername,
  createAccount,
  listAccounts,
  setDisabled,
  setPassword,
  type AccountTools,
} from '../server/accounts.ts'
import { flag, repeatable, type Call, type Command } from './command.ts'
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts'
import { readSecret } from './secret-input.ts'
import { storeOption, withStore } from './store.ts'
import { printable, writeTable } from './table.ts'

const passwordStdin = flag('take the password from the first line of standard input instead of asking')
const endsSockets =
  'Sessions and sockets of this user end: at once where a server shares the database, else when it next looks.'

/** Adds an account. */
export const userAdd: Command = {
  name: 'user add',
  summary: 'Add someone who can log in; asks for the password without showing it',
  words: ['NAME'],
  options: { role: repeatable('ROLE', 'a role'), 'password-stdin': passwordStdin, ...storeOption },
  notes: ['Example: countersign user add alice --role member'],
  async run(call) {
    const username = checkUsername(call.word)
    // Asked before the password is, so that nobody types one in vain.
    await withStore(call, 'make', async (records) => refuseKnown(records, username))
    const password = await readSecret(call, 'password-stdin', `Password for ${username}`)
    const roles = call.texts('role')
    return withStore(call, 'make', async (records) =>
      tellChange(call, await createAccount(toolsFor(records), { username, password, roles }), 'added'),
    )
  },
}

/** Lists accounts. */
export const userList: Command = {
  name: 'user list',
  summary: 'List who can log in',
  words: [],
  options: storeOption,
  notes: [],
  run: (call) =>
    withStore(call, 'must exist', async (records) => {
      const accounts = await listAccounts(records)
      const rows = accounts.map((row) => [
        printable(row.username),
        stateOf(row),
        row.roles.map(printable).join(',') || '-',
        new Date(row.changedAtMs).toISOString(),
      ])
      call.answer(
        { users: accounts.map(publicPart) },
        writeTable(['NAME', 'STATE', 'ROLES', 'CHANGED'], rows),
      )
      return exitCodes.ok
    }),
}

/** Changes a password. */
export const userPassword: Command = {
  name: 'user password',
  summary: 'Give a user a new password; asks for it without showing it',
  words: ['NAME'],
  options: { 'password-stdin': passwordStdin, ...storeOption },
  notes: [endsSockets],
  async run(call) {
    const username = checkUsername(call.word)
    await withStore(call, 'must exist', async (records) => refuseUnknown(records, username))
    const password = await readSecret(call, 'password-stdin', `New password for ${username}`)
    return withStore(call, 'must exist', async (records) =>
      tellChange(call, await setPassword(toolsFor(records), username, password), 'has a new password'),
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

/** Nothing is verified here twice, so no password is remembered. */
function toolsFor(records: Records): AccountTools {
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
async function refuseUnknown(records: Records, username: string): Promise<void> {
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

/** A word that a script can look for. */
function stateOf(row: AccountRow): string {
  if (row.disabled) return 'disabled'
  return row.passwordHash === undefined ? 'no password' : 'enabled'
}

/** What is told about an account, in the names of the JSON output; never its hash. */
function publicPart(row: AccountRow): object {
  const { username, roles, disabled, changedAtMs } = row
  return { username, roles, disabled, changed_at: new Date(changedAtMs).toISOString() }
}
