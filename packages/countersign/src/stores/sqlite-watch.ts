/** News of the file: the system tells when somebody writes to its write-ahead log, so that nobody has to ask all the time. */
import { watch, type FSWatcher } from 'node:fs'
import { resolve } from 'node:path'

/**
 * Calls soon after anyone has begun to write to the file; the write may not be visible yet. Where the system cannot tell
 * (some file systems, too many watches) it is never called.
 * @returns a function that ends it
 */
export function watchWrites(file: string, written: () => void): () => void {
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(`${resolve(file)}-wal`, { persistent: false }, () => written())
    watcher.on('error', () => watcher?.close())
  } catch {
    // Whoever listens looks from time to time anyhow.
  }
  return () => watcher?.close()
}
