/** Accounts as the command line manages them. Every change that takes something away also ends what it had opened. */
import type { AccountRow, Clock, Guard, PasswordHasher, Records } from 'countersign'
import { MisuseError } from 'countersign'
import { normaliseUsername } from 'countersign/methods'

/** What managing accounts needs. */
export interface AccountTools {
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly clock: Pick<Clock, 'now'>
  /** A running guard ends open sockets at once; without one the mark waits for the next check. */
  readonly guard?: Guard
}

/** A new account. */
export interface NewAccount {
  readonly username: string
  /** 8 to 1,024 characters; `undefined`: cannot log in with a password. */
  readonly password: string | undefined
  readonly roles: readonly string[]
}

// Bounds of what is typed. Passwords have no rule but length: anything more is weaker passwords that look
// stronger.
const maxUsernameLength = 64
const minPasswordLength = 8
const maxPasswordLength = 1_024
const maxRoles = 32

/**
 * Creates an account.
 * @throws MisuseError when the name, the password or a role is out of bounds, or the name is taken
 */
export async function createAccount(tools: AccountTools, account: NewAccount): Promise<AccountRow> {
  const username = checkUsername(account.username)
  if ((await tools.records.findAccount(username)) !== undefined) {
    throw new MisuseError('invalid_option', `username: ${username} exists already`)
  }
  const row: AccountRow = {
    username,
    roles: checkRoles(account.roles),
    passwordHash: account.password === undefined ? undefined : await hashed(tools, account.password),
    disabled: false,
    changedAtMs: tools.clock.now(),
  }
  await tools.records.putAccount(row)
  return row
}

/** What came of a new password. */
export interface PasswordChange {
  readonly account: AccountRow
  /** Whether there were SCRAM keys, which are gone: tell the user. */
  readonly scramEnded: boolean
}

/**
 * Gives an account a new password and ends everything that was opened before. SCRAM keys end with the former password:
 * nothing tells that they were made of another one.
 * @throws MisuseError as `createAccount`
 */
export async function setPassword(
  tools: AccountTools,
  username: string,
  password: string,
): Promise<PasswordChange> {
  const name = checkUsername(username)
  const passwordHash = await hashed(tools, password)
  // First of all: where this is cut short, a former password opens less and never more.
  const scramEnded = await tools.records.endScramKey(name)
  return { account: await change(tools, name, { passwordHash }), scramEnded }
}

/**
 * Gives an account other roles and ends everything that was opened with the former ones.
 * @throws MisuseError when there is no such account, or a role is out of bounds
 */
export async function setRoles(
  tools: AccountTools,
  username: string,
  roles: readonly string[],
): Promise<AccountRow> {
  return change(tools, username, { roles: checkRoles(roles) })
}

/**
 * Disables an account, ending everything it had opened, or enables it again.
 * @throws MisuseError when there is no such account
 */
export async function setDisabled(
  tools: AccountTools,
  username: string,
  disabled: boolean,
): Promise<AccountRow> {
  return change(tools, username, { disabled })
}

/** All accounts, by name. */
export async function listAccounts(records: Records): Promise<readonly AccountRow[]> {
  const accounts = [...(await records.listAccounts())]
  return accounts.sort((one, other) => (one.username < other.username ? -1 : 1))
}

/** The row is written before the mark: whoever logs in between does so with what is right from now on. */
async function change(
  tools: AccountTools,
  username: string,
  changes: Partial<Pick<AccountRow, 'passwordHash' | 'roles' | 'disabled'>>,
): Promise<AccountRow> {
  const known = await knownAccount(tools.records, username)
  const row: AccountRow = { ...known, ...changes, changedAtMs: tools.clock.now() }
  await tools.records.putAccount(row)
  await revokeSubject(tools, row.username)
  return row
}

/** The account of this name. @throws MisuseError when there is none */
export async function knownAccount(records: Records, username: string): Promise<AccountRow> {
  const name = checkUsername(username)
  const known = await records.findAccount(name)
  if (known === undefined) throw new MisuseError('invalid_option', `username: there is no ${name}`)
  return known
}

/**
 * Ends everything that a subject has opened. With a guard at hand its sockets close at once; otherwise a running server
 * that is on the same file finds the mark at once, as a rule.
 */
export async function revokeSubject(tools: AccountTools, subject: string): Promise<void> {
  if (tools.guard !== undefined) return tools.guard.revoke({ subject })
  const now = tools.clock.now()
  await tools.records.putMark({
    kind: 'subject',
    value: subject,
    atMs: now,
    enforceAtMs: now,
    reason: 'revoked',
  })
}

/** The stored form of a name. @throws MisuseError when it is empty, too long or has control characters or blanks */
export function checkUsername(typed: string): string {
  const username = normaliseUsername(typed)
  if (username.length < 1 || username.length > maxUsernameLength || /[\s\p{Cc}:]/u.test(username)) {
    throw new MisuseError(
      'invalid_option',
      `username: 1 to ${maxUsernameLength} characters, no blanks, no colon`,
    )
  }
  return username
}

/** @throws MisuseError for a password out of bounds; what the hasher throws passes through */
async function hashed(tools: AccountTools, password: string): Promise<string> {
  return tools.passwords.hash(checkPassword(password))
}

/** @throws MisuseError for a password out of bounds */
export function checkPassword(password: string): string {
  if (password.length < minPasswordLength || password.length > maxPasswordLength) {
    throw new MisuseError(
      'invalid_option',
      `password: ${minPasswordLength} to ${maxPasswordLength} characters`,
    )
  }
  return password
}

/** Each once. No blanks and no commas: roles stand in lists, claims and command lines. */
function checkRoles(roles: readonly string[]): readonly string[] {
  if (roles.length > maxRoles || roles.some((role) => !/^[\w.:-]{1,64}$/.test(role))) {
    throw new MisuseError(
      'invalid_option',
      `roles: at most ${maxRoles}, each of letters, digits, and . : - _`,
    )
  }
  return [...new Set(roles)]
}
