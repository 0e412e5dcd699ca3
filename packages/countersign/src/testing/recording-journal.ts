/** A journal that a test can read. */
import type { Journal, JournalEntry } from '../core/ports.ts'

/** Keeps what it was told, oldest first. */
export interface RecordingJournal extends Journal {
  readonly entries: readonly JournalEntry[]
}

/** A journal that keeps every entry in memory, for as long as the test holds it. */
export function recordingJournal(): RecordingJournal {
  const entries: JournalEntry[] = []
  return { entries, record: (entry) => void entries.push(entry) }
}
