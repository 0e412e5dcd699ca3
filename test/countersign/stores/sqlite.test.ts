import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Records } from '../../../packages/countersign/src/core/records.ts'
import { sealer } from '../../../packages/countersign/src/platform/node.ts'
import { sqlite, type SqliteOptions } from '../../../packages/countersign/src/stores/sqlite.ts'
import {
  issuedAtMs,
  recordsSuite,
  sampleAccount,
  sampleApiKey,
  sampleGrant,
  sampleHash,
  sampleMark,
  samplePublicKey,
  sampleScramKey,
  sampleSecret,
  sampleSession,
  sampleTicket,
  type OpenedRecords,
} from '../../../packages/countersign/src/testing/index.ts'

const sealed = { sealer: sealer([{ id: 'k1', key: new Uint8Array(32).fill(7) }]) } as const

let folder = ''
let file = ''
const opened: Records[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-sqlite-'))
  file = join(folder, 'countersign.db')
})
afterEach(async () => {
  for (const records of opened.splice(0)) await records.close()
  rmSync(folder, { recursive: true })
})

function open(options: SqliteOptions = sealed): Records {
  const records = sqlite(file, options)
  opened.push(records)
  return records
}

/** The file as another program sees it. */
function withFile<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

const failsAs = (code: string): unknown => expect.objectContaining({ code })

describe.each(['file', 'memory'] as const)('records in a SQLite file, tickets in %s', (tickets) => {
  const fresh = async (): Promise<OpenedRecords> => {
    let records = open({ ...sealed, tickets })
    return {
      records,
      close: async () => records.close(),
      async reopen() {
        await records.close()
        records = open({ ...sealed, tickets })
        return records
      },
    }
  }
  for (const { name, run } of recordsSuite(fresh)) test(name, run)
})

describe('the SQLite file', () => {
  test('and its companions are for their owner alone, whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      await open().putTicket(sampleTicket())
    } finally {
      process.umask(umask)
    }
    const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777])
    expect(Object.fromEntries(modes)).toEqual({
      'countersign.db': 0o600,
      'countersign.db-shm': 0o600,
      'countersign.db-wal': 0o600,
    })
  })

  test('is refused when it is open to others', () => {
    open().close()
    chmodSync(file, 0o644)
    expect(() => open()).toThrow(/open to others \(mode 644\)/)
  })

  test('is refused in a folder that does not exist', () => {
    expect(() => sqlite(join(folder, 'absent', 'a.db'))).toThrow(/ENOENT/)
  })

  test.each(['', ':memory:'])('is not called "%s"', (name) => {
    expect(() => sqlite(name)).toThrow(failsAs('invalid_option'))
  })

  test('is refused when it is no database, and left as it was', () => {
    writeFileSync(file, 'my diary'.repeat(100), { mode: 0o600 })
    expect(() => open()).toThrow(failsAs('records_unavailable'))
    expect(readFileSync(file, 'utf8')).toBe('my diary'.repeat(100))
  })

  test("is refused when it is another program's database", () => {
    withFile((db) => db.exec('CREATE TABLE recipes (name TEXT)'))
    chmodSync(file, 0o600)
    expect(() => open()).toThrow(/another program/)
    expect(withFile((db) => db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'])).toBe(1)
  })

  test('is refused when a newer version wrote it', () => {
    open().close()
    withFile((db) => db.exec('PRAGMA user_version = 99'))
    expect(() => open()).toThrow(/schema version 99/)
  })

  test('can be opened again by a process that has it open', async () => {
    const [one, other] = [open(), open()]
    const row = sampleTicket()
    await one.putTicket(row)
    expect(await other.takeTicket(row.key)).toEqual(row)
    expect(await one.takeTicket(row.key)).toBeUndefined()
  })

  test('holds no challenge secret in clear', async () => {
    const row = sampleSecret({ secret: 'marked-secret-marked-secret' })
    const records = open()
    await records.putChallengeSecret(row)
    await records.close()
    expect(readFileSync(file).includes('marked-secret')).toBe(false)
  })

  test.each([
    ['busyTimeoutMs', 51],
    ['busyTimeoutMs', -1],
    ['maxWaitMs', 60_001],
    ['maxWaiting', 0.5],
  ])('is not opened with %s of %d', (name, value) => {
    expect(() => open({ [name]: value })).toThrow(failsAs('invalid_option'))
  })

  test('answers no more once closed, which may be said twice', async () => {
    const records = open()
    await records.close()
    await records.close()
    expect(() => records.takeTicket(sampleHash())).toThrow(failsAs('closed'))
    expect(() => records.putTicket(sampleTicket())).toThrow(failsAs('closed'))
  })
})

describe('a file of the first schema', () => {
  /** As the first version wrote it: its tables, word for word. */
  const firstSchema = `
    CREATE TABLE tickets (
      key TEXT PRIMARY KEY, id TEXT NOT NULL, purpose TEXT NOT NULL, subject TEXT NOT NULL, roles TEXT NOT NULL,
      audience TEXT NOT NULL, origin TEXT, sessionKey TEXT, session TEXT, apiKey TEXT, lease TEXT NOT NULL,
      leaseUntilMs REAL, issuedAtMs REAL NOT NULL, expiresAtMs REAL, boot TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sessions (
      key TEXT PRIMARY KEY, id TEXT NOT NULL, purpose TEXT NOT NULL, root TEXT NOT NULL, subject TEXT NOT NULL,
      roles TEXT NOT NULL, origin TEXT, issuedAtMs REAL NOT NULL, expiresAtMs REAL, idleMs REAL, lastSeenMs REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_root ON sessions (root);
    CREATE TABLE api_keys (
      key TEXT PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL, roles TEXT NOT NULL,
      scopes TEXT NOT NULL, issuedAtMs REAL NOT NULL, expiresAtMs REAL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX api_keys_id ON api_keys (id);
    CREATE TABLE accounts (
      username TEXT PRIMARY KEY, roles TEXT NOT NULL, passwordHash TEXT, disabled INTEGER NOT NULL,
      changedAtMs REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE challenge_secrets (
      authid TEXT PRIMARY KEY, secret TEXT NOT NULL, salt TEXT, iterations INTEGER, keylen INTEGER,
      subject TEXT NOT NULL, roles TEXT NOT NULL, session TEXT, uses TEXT NOT NULL, issuedAtMs REAL NOT NULL,
      expiresAtMs REAL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX challenge_secrets_salting ON challenge_secrets (iterations, keylen, salt);
    CREATE TABLE marks (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, value TEXT NOT NULL, atMs REAL NOT NULL,
      reason TEXT NOT NULL, UNIQUE (kind, value)
    ) STRICT;
    INSERT INTO accounts VALUES ('alice', '["member"]', NULL, 0, ${issuedAtMs});
    INSERT INTO marks (kind, value, atMs, reason) VALUES ('subject', 'user-17', ${issuedAtMs}, 'revoked');
    PRAGMA application_id = 0x4353474e;
    PRAGMA user_version = 1;
  `
  beforeEach(() => {
    withFile((db) => db.exec(firstSchema))
    chmodSync(file, 0o600)
  })

  test('keeps what is in it, and takes the keys of accounts from then on', async () => {
    const records = open()
    expect(await records.findAccount('alice')).toEqual(sampleAccount({ passwordHash: undefined }))
    expect(await records.findMark(sampleGrant(), 'l')).toMatchObject({ value: 'user-17' })
    expect(await records.findScramKey('alice')).toBeUndefined()
    const [scramKey, publicKey] = [sampleScramKey(), samplePublicKey()]
    await records.putScramKey(scramKey)
    expect(await records.addPublicKey(publicKey)).toBe('added')
    await records.close()
    const again = open()
    expect(await again.findScramKey('alice')).toEqual(scramKey)
    expect(await again.listPublicKeys('alice')).toEqual([publicKey])
  })

  test('is lifted to the very schema of a new one', () => {
    const schemaOf = (): unknown =>
      withFile((db) => [
        db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all(),
        db.prepare('PRAGMA user_version').get(),
      ])
    const spaced = (schema: unknown): string => JSON.stringify(schema).replace(/(\\n|\s)+/g, ' ')
    open().close()
    const lifted = schemaOf()
    file = join(folder, 'new.db')
    open().close()
    expect(spaced(lifted)).toBe(spaced(schemaOf()))
  })
})

describe('keys of accounts in SQLite', () => {
  test('of a kind that does not exist are an outage', async () => {
    const records = open()
    await records.putScramKey(sampleScramKey())
    withFile((db) => db.exec("UPDATE scram_keys SET kdf = 'md5'"))
    expect(() => records.findScramKey('alice')).toThrow(failsAs('records_unavailable'))
    expect(() => records.listScramDerivations(16)).toThrow(failsAs('records_unavailable'))
  })

  test('are given to one of two processes', async () => {
    const [one, other] = [open(), open()]
    const row = samplePublicKey()
    const answers = [await one.addPublicKey(row), await other.addPublicKey({ ...row, username: 'bob' })]
    expect(answers).toEqual(['added', 'taken'])
    await one.putScramKey(sampleScramKey({ memory: undefined, kdf: 'pbkdf2' }))
    expect(await other.listScramDerivations(16)).toHaveLength(1)
  })
})

describe('challenge secrets in SQLite', () => {
  test('are refused without a sealer', async () => {
    expect(() => open({}).putChallengeSecret(sampleSecret())).toThrow(failsAs('missing_port'))
    const row = sampleSecret()
    await open().putChallengeSecret(row)
    expect(() => open({}).findChallengeSecret(row.authid)).toThrow(failsAs('missing_port'))
    expect(await open({}).findChallengeSecret('nobody')).toBeUndefined()
  })

  test('are out of reach under other sealing keys', async () => {
    const row = sampleSecret()
    await open().putChallengeSecret(row)
    const other = open({ sealer: sealer([{ id: 'k1', key: new Uint8Array(32).fill(8) }]) })
    expect(() => other.findChallengeSecret(row.authid)).toThrow(failsAs('keys_unavailable'))
  })

  test('do not open under another name', async () => {
    const [alice, mallory] = [sampleSecret({ authid: 'alice' }), sampleSecret({ authid: 'mallory' })]
    const records = open()
    for (const row of [alice, mallory]) await records.putChallengeSecret(row)
    const theft = `UPDATE challenge_secrets SET secret = (SELECT secret FROM challenge_secrets WHERE authid = 'alice')
      WHERE authid = 'mallory'`
    withFile((db) => db.exec(theft))
    expect(() => records.findChallengeSecret('mallory')).toThrow(failsAs('keys_unavailable'))
    expect(await records.findChallengeSecret('alice')).toEqual(alice)
  })
})

describe('values that SQLite would change', () => {
  test('are refused when they are no Unicode', () => {
    const broken = sampleTicket({ subject: 'a\ud800' })
    expect(() => open().putTicket(broken)).toThrow(failsAs('invalid_option'))
  })

  test('come back whole: a NUL, a fraction, the largest time', async () => {
    const records = open()
    const row = sampleTicket({ subject: 'a\u0000b', issuedAtMs: 0.25, expiresAtMs: Number.MAX_SAFE_INTEGER })
    await records.putTicket(row)
    expect(await records.takeTicket(row.key)).toEqual(row)
  })

  test.each([
    ["roles = '{}'", 'roles that are no list'],
    ["roles = '[1]'", 'roles that are no texts'],
    ["purpose = 'other'", 'a purpose that does not exist'],
    ["roles = 'x'", 'roles that are no JSON'],
  ])('are an outage when somebody set %s (%s)', async (change) => {
    const records = open()
    const row = sampleSession()
    await records.putSession(row)
    withFile((db) => db.exec(`UPDATE sessions SET ${change}`))
    expect(() => records.findSession(row.key)).toThrow(failsAs('records_unavailable'))
  })

  test('are an outage when the file lost a table', () => {
    const records = open()
    withFile((db) => db.exec('DROP TABLE accounts'))
    expect(() => records.findAccount('alice')).toThrow(failsAs('records_unavailable'))
  })
})

describe('tickets in a SQLite file', () => {
  test('are refused, and gone, when they were put in another boot of the machine', async () => {
    const records = open()
    const row = sampleTicket()
    await records.putTicket(row)
    withFile((db) => db.exec("UPDATE tickets SET boot = '9b1c1f39-0000-4000-8000-000000000000'"))
    expect(await records.takeTicket(row.key)).toBeUndefined()
    expect(withFile((db) => db.prepare('SELECT count(*) AS n FROM tickets').get()?.['n'])).toBe(0)
  })

  test('do not pile up in a flood of issuing', async () => {
    const records = open()
    for (let at = 0; at < 3000; at++) {
      const now = issuedAtMs + at
      await records.putTicket(sampleTicket({ issuedAtMs: now, expiresAtMs: now + 1 }))
    }
    const count = withFile((db) => db.prepare('SELECT count(*) AS n FROM tickets').get()?.['n'])
    expect(count).toBeLessThanOrEqual(1025)
  })

  test('in memory never reach the file', async () => {
    const records = open({ tickets: 'memory' })
    const row = sampleTicket()
    await records.putTicket(row)
    expect(withFile((db) => db.prepare('SELECT count(*) AS n FROM tickets').get()?.['n'])).toBe(0)
    expect(await records.sweep(row.expiresAtMs)).toBe(1)
  })
})

describe('marks in a file that two processes share', () => {
  test('are seen by the other at once, the replaced and the later ones too', async () => {
    const [one, other] = [open(), open()]
    expect(await other.findMark(sampleGrant(), 'l')).toBeUndefined()
    const first = sampleMark()
    await one.putMark(first)
    expect(await other.findMark(sampleGrant(), 'l')).toEqual(first)
    const later = sampleMark({ atMs: first.atMs + 1, reason: 'logged_out' })
    await one.putMark(later)
    expect(await other.findMark(sampleGrant(), 'l')).toEqual(later)
    await other.putMark(sampleMark({ kind: 'lease', value: 'm' }))
    expect(await one.findMark(sampleGrant({ subject: 'x' }), 'm')).toBeDefined()
  })

  test('are not read again for commits that concern other tables', async () => {
    const [one, other] = [open(), open()]
    await one.putMark(sampleMark())
    for (let at = 0; at < 3; at++) {
      await one.putTicket(sampleTicket())
      expect(await other.findMark(sampleGrant(), 'l')).toBeDefined()
      expect(await other.findMark(sampleGrant({ subject: 'x' }), 'l')).toBeUndefined()
    }
  })

  test('are known to whoever has just read a row, in the same turn', async () => {
    const [one, other] = [open(), open()]
    const session = sampleSession()
    await one.putSession(session)
    await one.putMark(sampleMark())
    expect(other.findSession(session.key)).toEqual(session)
    expect(other.findMark(sampleGrant(), 'l')).toEqual(sampleMark())
  })

  test('are seen in the turn after one that has read a row', async () => {
    const [one, other] = [open(), open()]
    const [session, row] = [sampleSession(), sampleTicket()]
    await one.putSession(session)
    await one.putTicket(row)
    const reads = [
      { read: () => other.findSession(session.key), answer: session },
      { read: () => other.takeTicket(row.key), answer: row },
      { read: () => other.takeTicket(row.key), answer: undefined },
    ]
    for (const [at, { read, answer }] of reads.entries()) {
      const mark = sampleMark({ atMs: sampleMark().atMs + at })
      expect(read()).toEqual(answer)
      await one.putMark(mark)
      expect(other.findMark(sampleGrant(), 'l')).toEqual(mark)
    }
  })

  test('are new to the others even after all older ones were swept', async () => {
    const [one, other] = [open(), open()]
    const old = sampleMark({ value: 'old' })
    await one.putMark(old)
    expect(await other.findMark(sampleGrant({ subject: 'old' }), 'l')).toBeDefined()
    expect(await one.sweep(old.atMs + 401 * 86_400_000)).toBe(1)
    await one.putMark(sampleMark())
    expect(await other.findMark(sampleGrant(), 'l')).toBeDefined()
  })
})

describe('while another process holds the lock', () => {
  /** Another connection in the midst of writing; the returned function lets go. */
  function hold(): () => void {
    const db = new DatabaseSync(file)
    db.exec('BEGIN IMMEDIATE')
    return () => {
      db.exec('COMMIT')
      db.close()
    }
  }
  const quick = { ...sealed, busyTimeoutMs: 10 } as const

  test('reads are answered at once, and so are takings of what is not there', () => {
    const records = open(quick)
    const release = hold()
    expect(records.findSession(sampleHash())).toBeUndefined()
    expect(records.takeTicket(sampleHash())).toBeUndefined()
    expect(records.takeChallengeSecret('nobody')).toBe(false)
    expect(records.findMark(sampleGrant(), 'l')).toBeUndefined()
    release()
  })

  test('writes wait as promises, in order, and stop the event loop for one busy timeout in all', async () => {
    const records = open(quick)
    const session = sampleSession()
    await records.putSession(session)
    const release = hold()
    const beganMs = performance.now()
    const row = sampleTicket()
    const writes = [records.putTicket(row), records.touchSession(session.key, issuedAtMs + 1)]
    for (let at = 0; at < 20; at++) writes.push(records.putAccount(sampleAccount({ username: `user-${at}` })))
    expect(performance.now() - beganMs).toBeLessThan(110)
    expect(writes.every((write) => write instanceof Promise)).toBe(true)
    release()
    for (const write of writes) await write
    expect(await records.takeTicket(row.key)).toEqual(row)
    expect(await records.listAccounts()).toHaveLength(20)
    expect(records.putApiKey(sampleApiKey())).toBeUndefined()
  })

  test('a ticket is still given to one taker alone', async () => {
    const records = open(quick)
    const row = sampleTicket()
    await records.putTicket(row)
    const release = hold()
    const takers = Array.from({ length: 10 }, async () => records.takeTicket(row.key))
    setTimeout(release, 20)
    expect((await Promise.all(takers)).filter((taken) => taken !== undefined)).toEqual([row])
  })

  test('a ticket that its holder removes is given to nobody, though it was there when it was asked for', async () => {
    const records = open(quick)
    const row = sampleTicket()
    await records.putTicket(row)
    const db = new DatabaseSync(file)
    db.exec('BEGIN IMMEDIATE; DELETE FROM tickets')
    const taken = records.takeTicket(row.key)
    expect(taken).toBeInstanceOf(Promise)
    db.exec('COMMIT')
    db.close()
    expect(await taken).toBeUndefined()
  })

  test('writes fail once they have waited for too long', async () => {
    const records = open({ ...quick, maxWaitMs: 30 })
    const release = hold()
    const writes = [records.putTicket(sampleTicket()), records.putMark(sampleMark())]
    for (const write of writes) await expect(write).rejects.toThrow(/another process holds the lock/)
    release()
    expect(await records.findMark(sampleGrant(), 'l')).toBeUndefined()
    expect(records.putMark(sampleMark())).toBeUndefined()
  })

  test('no more writes wait than may', async () => {
    const records = open({ ...quick, maxWaiting: 2 })
    const release = hold()
    const writes = Array.from({ length: 3 }, () => records.putTicket(sampleTicket()))
    await expect(writes[2]).rejects.toThrow(/too many/)
    release()
    for (const write of writes.slice(0, 2)) await write
  })

  test('writes that wait fail when the store is closed', async () => {
    const records = open(quick)
    const release = hold()
    const write = records.putTicket(sampleTicket())
    await records.close()
    await expect(write).rejects.toThrow(/closed/)
    release()
  })

  test('a write that waited and is refused for itself says why', async () => {
    const records = open(quick)
    const row = sampleTicket()
    await records.putTicket(row)
    const release = hold()
    const again = records.putTicket(row)
    release()
    await expect(again).rejects.toThrow(failsAs('records_unavailable'))
  })
})
