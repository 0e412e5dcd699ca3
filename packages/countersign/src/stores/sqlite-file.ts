/** The file beneath: owner-only, in write-ahead mode, opened twice. */
import { closeSync, fchmodSync, fstatSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MisuseError } from '../core/errors.ts'
import { asOutage, isBusy } from './sqlite-locks.ts'
import { migrate } from './sqlite-schema.ts'

/** Two connections to one file, which differ in what a commit waits for. */
export interface Connections {
  /** `synchronous = NORMAL`: survives a crash of the process; a power loss may take the last commits. */
  readonly quick: DatabaseSync
  /** `synchronous = FULL`: survives a power loss. For whatever must never come undone. */
  readonly durable: DatabaseSync
}

/** How long opening may wait for processes that open the same file, ms. */
const openTimeoutMs = 5000

/**
 * Opens or creates the file and brings its schema up to date. The folder must exist.
 * @throws MisuseError when the file is open to group or others, another program's, or of a newer version
 */
export function openFile(file: string, busyTimeoutMs: number): Connections {
  if (file === '' || file === ':memory:') {
    throw new MisuseError('invalid_option', 'sqlite: name a file; records in memory are memory()')
  }
  // An absolute path: SQLite would read `file:…` as a URI.
  const path = resolve(file)
  ownFile(path)
  const connections = { quick: connect(path), durable: connect(path) }
  try {
    settle(connections, path)
    for (const db of [connections.quick, connections.durable])
      db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    return connections
  } catch (error) {
    connections.durable.close()
    connections.quick.close()
    throw asOutage(error)
  }
}

/** One handle. Its busy timeout is the patience of opening; `openFile` sets that of use afterwards. */
function connect(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: openTimeoutMs, enableForeignKeyConstraints: true })
}

/**
 * Once for the file, then for each connection. Functions in a schema that someone else wrote are not run
 * (`trusted_schema`).
 */
function settle({ quick, durable }: Connections, path: string): void {
  patiently(() => quick.exec('PRAGMA journal_mode = WAL'))
  migrate(quick, path)
  quick.exec('PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF')
  durable.exec('PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
}

/** Makes the file before SQLite would, which follows the umask; its `-wal` and `-shm` inherit the mode. */
function ownFile(path: string): void {
  const handle = openOwned(path)
  try {
    const { mode, size } = fstatSync(handle)
    if (size === 0) fchmodSync(handle, 0o600)
    else if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8)
      throw new MisuseError(
        'invalid_option',
        `sqlite: ${path} is open to others (mode ${octal}): chmod 600 it`,
      )
    }
  } finally {
    closeSync(handle)
  }
}

/**
 * Appending, so that a file that is there stays as it is. The message has the code and not the system's
 * words.
 */
function openOwned(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new MisuseError('invalid_option', `sqlite: ${path} cannot be opened or created (${code})`)
  }
}

/** SQLite answers a contended change of the journal mode at once, without its busy timeout. */
function patiently(work: () => void): void {
  const untilMs = performance.now() + openTimeoutMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= untilMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
