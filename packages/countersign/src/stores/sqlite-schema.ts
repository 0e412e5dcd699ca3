/** What the SQLite file holds, as the steps by which it came about. */
import type { DatabaseSync } from 'node:sqlite'
import { MisuseError } from '../core/errors.ts'
import { inTransaction } from './sqlite-transaction.ts'

/**
 * Each step lifts a file by one version and is never edited once it was published: add the next one. Columns are
 * called like the members of the rows in `core/records.ts`; times are REAL, because clocks may answer fractions.
 */
const migrations: readonly string[] = [
  `
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
  `,
  // Without references to `accounts`, whose rows are replaced: a reference would take the keys along.
  `
  CREATE TABLE scram_keys (
    username TEXT PRIMARY KEY, kdf TEXT NOT NULL, iterations INTEGER NOT NULL, memory INTEGER, salt TEXT NOT NULL,
    storedKey TEXT NOT NULL, serverKey TEXT NOT NULL, changedAtMs REAL NOT NULL,
    derivation TEXT AS (kdf || ':' || iterations || ':' || coalesce(memory, '') || ':' || (length(salt) / 2))
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX scram_keys_derivation ON scram_keys (derivation);
  CREATE TABLE public_keys (
    publicKey TEXT PRIMARY KEY, username TEXT NOT NULL, addedAtMs REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX public_keys_username ON public_keys (username);
  `,
  `
  DROP INDEX challenge_secrets_salting;
  CREATE INDEX challenge_secrets_lasting ON challenge_secrets (iterations, keylen, salt) WHERE session IS NULL;
  `,
  `
  ALTER TABLE marks ADD COLUMN enforceAtMs REAL NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE spent (key TEXT PRIMARY KEY, usedAtMs REAL NOT NULL, untilMs REAL NOT NULL) STRICT, WITHOUT ROWID;
  `,
]

/** 'CSGN': tells a file of Countersign from those of other programs. */
const applicationId = 0x4353_474e

/**
 * Lifts the file to the schema of this version. Safe for several processes at once: one migrates, the others find it
 * done.
 * @throws MisuseError when the file is another program's, or of a newer version
 */
export function migrate(db: DatabaseSync, file: string, steps: readonly string[] = migrations): void {
  inTransaction(db, () => {
    const version = versionOf(db)
    if (version === 0) claim(db, file)
    if (version > steps.length) {
      const known = `this version of Countersign knows versions up to ${steps.length}`
      throw new MisuseError(
        'invalid_option',
        `sqlite: ${file} has schema version ${version}, ${known}: upgrade it`,
      )
    }
    for (const step of steps.slice(version)) db.exec(step)
    db.exec(`PRAGMA user_version = ${steps.length}`)
  })
}

/** Takes an empty file; never writes into somebody else's. */
function claim(db: DatabaseSync, file: string): void {
  const tables = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get()
  if (tables?.['count'] !== 0) {
    throw new MisuseError('invalid_option', `sqlite: ${file} is a database of another program`)
  }
  db.exec(`PRAGMA application_id = ${applicationId}`)
}

/** How many steps the file has been lifted by. */
function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
}
