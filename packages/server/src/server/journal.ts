/** The security journal: every acceptance, refusal and end, in the log and in memory for whoever watches live. */
import type { Journal, JournalEntry } from 'countersign'
import type { Logger } from 'pino'
import { RefusalLines } from './refusal-lines.ts'

/** A journal that can be read and followed. */
export interface SiteJournal extends Journal {
  /** The latest entries, oldest first. */
  recent(): readonly JournalEntry[]
  /** Calls `hear` for each entry from now on. @returns a function that ends it; call it when the reader is gone */
  subscribe(hear: (entry: JournalEntry) => void): () => void
}

/**
 * What an operator wants to be woken by: nothing here but errors; refusals and revocations are worth a look.
 */
const levels: Readonly<Record<JournalEntry['kind'], 'info' | 'warn' | 'error'>> = {
  accepted: 'info',
  refused: 'warn',
  ended: 'info',
  issued: 'info',
  revoked: 'warn',
  error: 'error',
}

/**
 * Writes entries to the log and keeps the last `keep` of them. In a flood refusals are counted instead, in the log and for
 * those who watch. @param keep [500]
 */
export function createJournal(log: Logger, keep = 500): SiteJournal {
  const entries: JournalEntry[] = []
  const listeners = new Set<(entry: JournalEntry) => void>()
  const lines = new RefusalLines((reason, count) =>
    log.warn({ reason, count }, 'refused, not written one by one'),
  )
  return {
    record(entry) {
      if (entry.kind === 'refused' && !lines.allows(entry)) return
      const { kind, ...rest } = entry
      log[levels[kind]](defined(rest), kind)
      entries.push(entry)
      if (entries.length > keep) entries.shift()
      for (const hear of listeners) tell(hear, entry)
    },
    recent: () => [...entries],
    subscribe(hear) {
      listeners.add(hear)
      return () => void listeners.delete(hear)
    },
  }
}

/** A journal must not throw, whatever a listener does. */
function tell(hear: (entry: JournalEntry) => void, entry: JournalEntry): void {
  try {
    hear(entry)
  } catch {
    // The listener's own trouble: others are still told.
  }
}

/** The log has no members that say nothing. */
function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
