import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { sqlite } from 'countersign/stores/sqlite'
import { argon2Passwords } from 'countersign/platform/node'
import { countersign, type Lent, type Outcome } from './support/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-users-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0

/** A database of its own, and `countersign user …` on it. */
function users(): {
  readonly store: string
  readonly user: (args: readonly string[], lent?: Lent) => Promise<Outcome>
} {
  const store = join(folder, `users-${(count += 1)}.db`)
  return { store, user: (args, lent) => countersign(['user', ...args, '--store', store], lent) }
}

const password = 'a long enough one'
const typed = { stdin: `${password}\n` }

describe('user add', () => {
  it('makes the database, readable by its owner alone, and the account', async () => {
    const { store, user } = users()
    const { exit, stdout } = await user(
      ['add', 'Alice', '--role', 'member', '--role', 'staff', '--password-stdin'],
      typed,
    )
    expect([exit, stdout]).toEqual([0, 'alice added\n'])
    expect(statSync(store).mode & 0o777).toBe(0o600)
    const records = sqlite(store)
    const account = await records.findAccount('alice')
    await records.close()
    expect(account).toMatchObject({ roles: ['member', 'staff'], disabled: false })
    expect(await argon2Passwords().verify(password, account?.passwordHash)).toBe('right')
  })

  it('asks twice on a terminal and shows nothing of what is typed', async () => {
    const { user } = users()
    const { exit, stdout, stderr } = await user(['add', 'alice'], { types: [password, password] })
    expect([exit, stdout]).toEqual([0, 'alice added\n'])
    expect(stderr).toBe('Password for alice: \nOnce more: \n')
  })

  it('changes nothing when the two differ', async () => {
    const { user } = users()
    const { exit, stderr } = await user(['add', 'alice'], { types: [password, 'another one'] })
    expect(exit).toBe(2)
    expect(stderr).toContain('the two were not the same; nothing was changed')
    expect((await user(['list', '--json'])).stdout).toBe('{"users":[]}\n')
  })

  it('says so when there is no terminal to ask on', async () => {
    const { exit, stderr } = await users().user(['add', 'alice'], typed)
    expect(exit).toBe(2)
    expect(stderr).toContain('--password-stdin')
  })

  it.each([
    ['an empty line', '\n', 2, 'the first line is empty'],
    ['too much', 'x'.repeat(10_000), 2, 'more than 8192 bytes'],
    ['a short one', 'short\n', 1, 'password: 8 to 1024 characters'],
  ])('refuses %s as password', async (_name, stdin, code, words) => {
    const { exit, stderr } = await users().user(['add', 'alice', '--password-stdin'], { stdin })
    expect(exit).toBe(code)
    expect(stderr).toContain(words)
  })

  it('refuses a name that is taken, before it asks for a password', async () => {
    const { user } = users()
    await user(['add', 'alice', '--password-stdin'], typed)
    const { exit, stderr } = await user(['add', 'ALICE'], { types: [] })
    expect(exit).toBe(1)
    expect(stderr).toBe(
      'countersign: alice exists already; "countersign user password alice" changes the password\n',
    )
  })

  it('refuses a name that is none', async () => {
    const { exit, stderr } = await users().user(['add', 'a b', '--password-stdin'], typed)
    expect(exit).toBe(1)
    expect(stderr).toContain('username: 1 to 64 characters')
  })
})

describe('user list', () => {
  it('shows names, states and roles, and never a hash', async () => {
    const { user } = users()
    await user(['add', 'bob', '--password-stdin'], typed)
    await user(['add', 'alice', '--role', 'member', '--password-stdin'], typed)
    await user(['disable', 'bob'])
    const { stdout } = await user(['list'])
    expect(stdout).toMatch(
      /^NAME +STATE +ROLES +CHANGED\nalice +enabled +member +\d{4}-\S+Z\nbob +disabled +- +\d{4}-\S+Z\n$/,
    )
    const { stdout: json } = await user(['list', '--json'])
    expect(JSON.parse(json)).toMatchObject({
      users: [
        { username: 'alice', roles: ['member'] },
        { username: 'bob', disabled: true },
      ],
    })
    expect(`${stdout}${json}`).not.toContain('argon2')
  })

  it('says where it looked when there is no database', async () => {
    const { store, user } = users()
    const { exit, stderr } = await user(['list'])
    expect(exit).toBe(4)
    expect(stderr).toContain(`${store}: there is no such database`)
  })

  it('says so when the file is no database', async () => {
    const { exit, stderr } = await countersign(['user', 'list', '--store', import.meta.filename])
    expect(exit).toBe(4)
    expect(stderr).toContain('is it a Countersign database')
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})

describe('a database that another process holds', () => {
  it('is said to be out of reach after a moment, with exit code 4', async () => {
    const { store, user } = users()
    await user(['add', 'alice', '--password-stdin'], typed)
    const holder = new DatabaseSync(store)
    holder.exec('BEGIN EXCLUSIVE')
    const { exit, stderr } = await user(['disable', 'alice'])
    holder.exec('ROLLBACK')
    holder.close()
    expect(exit).toBe(4)
    expect(stderr).toContain(store)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr).toContain('another process')
  })
})

describe('a change that takes something away', () => {
  it.each([
    ['disable', ['disable', 'alice']],
    ['password', ['password', 'alice', '--password-stdin']],
  ])('%s revokes what the user had opened', async (_name, args) => {
    const { store, user } = users()
    await user(['add', 'alice', '--password-stdin'], typed)
    const grantedAtMs = Date.now()
    const { exit } = await user(args, { stdin: 'quite another one\n' })
    expect(exit).toBe(0)
    const records = sqlite(store)
    const grant = {
      subject: 'alice',
      roles: [],
      session: undefined,
      token: undefined,
      apiKey: undefined,
      certificate: undefined,
      issuedAtMs: grantedAtMs,
    }
    const mark = await records.findMark(grant, 'a lease')
    await records.close()
    expect(mark).toMatchObject({ kind: 'subject', value: 'alice', reason: 'revoked' })
  })

  it.each(['disable', 'enable', 'password'])(
    '%s of an unknown user fails and says how to see who there is',
    async (verb) => {
      const { user } = users()
      await user(['add', 'alice', '--password-stdin'], typed)
      const { exit, stderr } = await user([verb, 'mallory'])
      expect(exit).toBe(1)
      expect(stderr).toContain('there is no user mallory; "countersign user list" shows who there is')
    },
  )

  it('is undone by enable', async () => {
    const { user } = users()
    await user(['add', 'alice', '--password-stdin'], typed)
    await user(['disable', 'alice'])
    const { stdout } = await user(['enable', 'alice', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ username: 'alice', disabled: false })
  })
})
