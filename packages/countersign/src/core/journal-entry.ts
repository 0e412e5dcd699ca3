/** One line of the journal from what is known of it. */
import type { JournalEntry } from './ports.ts'

/** Longest origin that the journal is told, in characters: longer than any that a browser sends. */
const maxOrigin = 320

/**
 * Fills in `undefined` for what an event has nothing to say about: readers find every member, always.
 * @param by the name of the guard that tells it
 */
export function entryOf(
  known: Partial<JournalEntry> & Pick<JournalEntry, 'kind'>,
  atMs: number,
  by: string,
): JournalEntry {
  return {
    kind: known.kind,
    atMs,
    guard: by,
    method: known.method,
    subject: known.subject,
    lease: known.lease,
    reason: known.reason,
    remoteAddress: known.remoteAddress,
    // Whatever a stranger sends in 16 KiB of header would be kept and logged at every knock.
    origin: known.origin?.slice(0, maxOrigin),
    detail: known.detail,
  }
}
