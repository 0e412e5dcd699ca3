/** Records in one SQLite file, through Node's own `node:sqlite`: for one machine, for one process or several. */
import { checkWhole } from '../core/errors.ts'
import type { Sealer } from '../core/ports.ts'
import type { MaybePromise, Records } from '../core/records.ts'
import { SqliteStore } from './sqlite-store.ts'

/** How a SQLite file is used. */
export interface SqliteOptions {
  /**
   * Seals challenge secrets, which the protocol needs in clear: `sealer(sealingKeysFrom(…))` of
   * `countersign/platform/node`. @default none: challenge secrets are refused
   */
  readonly sealer?: Sealer
  /**
   * Where tickets are kept. `file`: shared by several processes, and alive after a crash. `memory`: for a single
   * process, twice as fast; a crash loses them, which is safe. @default 'file'
   */
  readonly tickets?: 'memory' | 'file'
  /** How long one call may stop the event loop while another process writes, ms, 0 to 50. @default 50 */
  readonly busyTimeoutMs?: number
  /** How long a call waits for another process's lock in all, as a promise, before it fails, ms. @default 2000 */
  readonly maxWaitMs?: number
  /** How many calls may wait for it. @default 1000 */
  readonly maxWaiting?: number
}

/** Records in a SQLite file. */
export interface SqliteRecords extends Records {
  /**
   * Number of the newest revocation mark: it grows with every mark that any process writes. Whoever asks after a write
   * learns whether open leases must be compared again. Costs microseconds.
   */
  newestMark(): MaybePromise<number>
  /**
   * Calls soon after any process, this one included, has begun to write to the file; what it writes may be visible a
   * moment later only. A hint: where the system cannot tell, it is never called.
   * @returns a function that ends it
   */
  onWrite(written: () => void): () => void
}

const defaults: Readonly<Required<Omit<SqliteOptions, 'sealer'>>> = Object.freeze({
  tickets: 'file',
  busyTimeoutMs: 50,
  maxWaitMs: 2000,
  maxWaiting: 1000,
})

/** Name, least, greatest. */
const ranges = [
  ['busyTimeoutMs', 0, 50],
  ['maxWaitMs', 0, 60_000],
  ['maxWaiting', 0, 1_000_000],
] as const

/**
 * Opens the file, or creates it readable by its owner alone; its folder must exist. Every call answers at once, except
 * while another process holds the lock: then it answers with a promise. Marks, accounts and their keys, API keys, ends of sessions
 * and spent challenge secrets survive a power loss; tickets of an earlier boot of the machine are refused.
 * Call `sweep` now and then, and `close` at the end.
 * @throws MisuseError for options out of range, a file that is open to others, another program's, or of a newer version
 */
export function sqlite(file: string, options: SqliteOptions = {}): SqliteRecords {
  const settings = { ...defaults, ...options }
  for (const [name, least, most] of ranges) checkWhole(`sqlite: ${name}`, settings[name], [least, most])
  return new SqliteStore(file, { sealer: undefined, ...settings })
}
