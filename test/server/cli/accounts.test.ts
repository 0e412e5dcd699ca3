import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { grantOf } from 'countersign'
import { sqlite } from 'countersign/stores/sqlite'
import { argon2Passwords, scramKeys } from 'countersign/platform/node'
import { samplePublicKey } from 'countersign/testing'
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

/** As `users`, with the account of alice in it. */
async function withAlice(): Promise<ReturnType<typeof users>> {
  const opened = users()
  await opened.user(['add', 'alice', '--password-stdin'], typed)
  return opened
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

describe('user scram', () => {
  it.each([
    ['argon2id13', [], { iterations: 3, memory: 65_536 }],
    ['argon2id-13', ['--kdf', 'argon2id-13'], { iterations: 3, memory: 65_536 }],
    ['pbkdf2', ['--kdf', 'pbkdf2'], { iterations: 600_000, memory: undefined }],
  ] as const)(
    'keeps keys of a password by %s, strong ones, and not the password',
    async (kdf, args, cost) => {
      const { store, user } = await withAlice()
      const { exit, stdout } = await user(['scram', 'Alice', ...args, '--password-stdin'], typed)
      expect([exit, stdout]).toEqual([0, `alice may log in by SCRAM (${kdf})\n`])
      const records = sqlite(store)
      const row = await records.findScramKey('alice')
      await records.close()
      const keys = await scramKeys(password, {
        kdf,
        ...withoutUndefined(cost),
        salt: Buffer.from(row?.salt ?? '', 'hex'),
      })
      expect(row).toMatchObject({
        kdf,
        ...cost,
        storedKey: keys['stored-key'],
        serverKey: keys['server-key'],
      })
      expect(row?.salt).toMatch(/^[0-9a-f]{32}$/)
      const { stdout: json } = await user(['list', '--json'])
      const scram = { kdf, iterations: cost.iterations, memory: cost.memory ?? null }
      expect(JSON.parse(json)).toMatchObject({ users: [{ methods: ['password', 'scram'], scram }] })
      for (const secret of [keys['stored-key'], keys['server-key'], keys.salt])
        expect(json).not.toContain(secret)
    },
  )

  it('asks twice on a terminal', async () => {
    const { user } = await withAlice()
    const { stdout, stderr } = await user(['scram', 'alice'], { types: [password, password] })
    expect(stdout).toBe('alice may log in by SCRAM (argon2id13)\n')
    expect(stderr).toBe('SCRAM password for alice: \nOnce more: \n')
  })

  it('removes them, once', async () => {
    const { user } = await withAlice()
    await user(['scram', 'alice', '--password-stdin'], typed)
    expect((await user(['scram', 'alice', '--remove'])).stdout).toBe('alice has no SCRAM keys any more\n')
    expect(await user(['scram', 'alice', '--remove'])).toMatchObject({
      exit: 1,
      stderr: 'countersign: alice has no SCRAM keys\n',
    })
  })

  it.each([
    [['scram', 'mallory'], 1, 'there is no user mallory'],
    [['scram', 'alice', '--kdf', 'md5'], 2, '--kdf "md5": one of argon2id13, argon2id-13, pbkdf2'],
    [['scram', 'alice', '--password-stdin'], 1, 'password: 8 to 1024 characters'],
  ])('refuses %j', async (args, code, words) => {
    const { user } = await withAlice()
    const { exit, stderr } = await user(args, { stdin: 'short\n' })
    expect(exit).toBe(code)
    expect(stderr).toContain(words)
  })
})

describe('user password', () => {
  it('removes SCRAM keys of the former one, and says so', async () => {
    const { user } = await withAlice()
    await user(['scram', 'alice', '--password-stdin'], typed)
    const { stdout } = await user(['password', 'alice', '--password-stdin'], { stdin: 'quite another one\n' })
    expect(stdout).toBe(
      'alice has a new password\n' +
        'its SCRAM keys were of the former one and are gone; "countersign user scram alice" makes new ones\n',
    )
    expect(JSON.parse((await user(['list', '--json'])).stdout)).toMatchObject({
      users: [{ methods: ['password'] }],
    })
    const again = await user(['password', 'alice', '--password-stdin', '--json'], { stdin: 'a third one\n' })
    expect(JSON.parse(again.stdout)).toMatchObject({ username: 'alice', scram_removed: false })
  })
})

describe('user ed25519', () => {
  const [one, other] = ['1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d', 'ab'.repeat(32)]

  it('adds keys, lists them and removes them', async () => {
    const { user } = users()
    expect((await user(['add', 'robot', '--no-password'])).stdout).toBe('robot added\n')
    const { exit, stdout } = await user(['ed25519', 'add', 'robot', one.toUpperCase()])
    expect([exit, stdout]).toEqual([0, `key ${one} of robot added\n`])
    await user(['ed25519', 'add', 'robot', other])
    const { stdout: json } = await user(['list', '--json'])
    expect(JSON.parse(json)).toMatchObject({ users: [{ methods: ['ed25519'], public_keys: [one, other] }] })
    expect((await user(['ed25519', 'remove', 'robot', other])).stdout).toBe(`key ${other} of robot removed\n`)
    await user(['ed25519', 'remove', 'robot', one])
    expect((await user(['list'])).stdout).toMatch(/robot +enabled +- +- /)
  })

  it('refuses a key that another user has, without saying who', async () => {
    const { user } = await withAlice()
    await user(['add', 'bob', '--no-password'])
    await user(['ed25519', 'add', 'alice', one])
    const { exit, stderr } = await user(['ed25519', 'add', 'bob', one])
    expect([exit, stderr]).toEqual([
      1,
      'countersign: this public key belongs to an account already; no two share one\n',
    ])
  })

  it('refuses a seventeenth key', async () => {
    const { store, user } = await withAlice()
    const records = sqlite(store)
    for (let at = 0; at < 16; at++) await records.addPublicKey(samplePublicKey())
    await records.close()
    expect((await user(['ed25519', 'add', 'alice', one])).stderr).toContain(
      '16 public keys, which is the most',
    )
  })

  it.each([
    [['add', 'mallory', one], 'there is no user mallory'],
    [['add', 'alice', 'ff'], '64 hex digits'],
    [['add', 'alice', '00'.repeat(32)], '64 hex digits'],
    [['remove', 'alice', one], 'alice does not have this public key'],
    [['remove', 'mallory', one], 'there is no user mallory'],
  ])('refuses %j', async (args, words) => {
    const { user } = await withAlice()
    const { exit, stderr } = await user(['ed25519', ...args])
    expect(exit).toBe(1)
    expect(stderr).toContain(words)
  })
})

/** Options that are there. */
function withoutUndefined(cost: { readonly iterations: number; readonly memory: number | undefined }): {
  readonly iterations: number
  readonly memory?: number
} {
  const { iterations, memory } = cost
  return memory === undefined ? { iterations } : { iterations, memory }
}

describe('user list', () => {
  it('shows names, states and roles, and never a hash', async () => {
    const { user } = users()
    await user(['add', 'bob', '--password-stdin'], typed)
    await user(['add', 'alice', '--role', 'member', '--password-stdin'], typed)
    await user(['disable', 'bob'])
    const { stdout } = await user(['list'])
    expect(stdout).toMatch(
      /^NAME +STATE +METHODS +ROLES +CHANGED\nalice +enabled +password +member +\d{4}-\S+Z\nbob +disabled +password +- +\d{4}-\S+Z\n$/,
    )
    const { stdout: json } = await user(['list', '--json'])
    expect(JSON.parse(json)).toMatchObject({
      users: [
        { username: 'alice', roles: ['member'], methods: ['password'], scram: null, public_keys: [] },
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
    ['scram', ['scram', 'alice', '--kdf', 'pbkdf2', '--password-stdin']],
    ['scram --remove', ['scram', 'alice', '--remove']],
    ['ed25519 remove', ['ed25519', 'remove', 'alice', 'ab'.repeat(32)]],
  ])('%s revokes what the user had opened', async (_name, args) => {
    const { store, user } = await withAlice()
    await user(['scram', 'alice', '--kdf', 'pbkdf2', '--password-stdin'], typed)
    await user(['ed25519', 'add', 'alice', 'ab'.repeat(32)])
    const grantedAtMs = Date.now()
    const { exit } = await user(args, { stdin: 'quite another one\n' })
    expect(exit).toBe(0)
    const records = sqlite(store)
    const grant = grantOf({ subject: 'alice', roles: [], issuedAtMs: grantedAtMs })
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
