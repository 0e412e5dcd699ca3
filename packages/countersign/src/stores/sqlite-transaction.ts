/** All or nothing. */
import type { DatabaseSync } from 'node:sqlite'

/** Does the work in one transaction that holds the write lock from its beginning. What it throws undoes it. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  // IMMEDIATE: a lock that is only taken at the first write may find that what was read has changed meanwhile.
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has rolled back by itself where the disk failed.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
