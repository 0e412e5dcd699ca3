/** Event history: the newest events of a subscription, for those who ask later (WAMP, advanced profile, event history). */
import type { Audience } from './blackwhite.ts'
import type { StoredEvent, Subscription } from './broker-types.ts'
import { eventSize } from './kept-size.ts'
import type { Dict } from './messages.ts'
import type { Payload } from './payload.ts'

/** One event as it is kept. */
export interface HistoryRecord {
  /** When it was published, ms since the epoch. */
  readonly atMs: number
  readonly publication: number
  readonly topic: string
  readonly details: Dict
  readonly payload: Payload
  /** Its lists by authid and authrole, which hold for whoever asks. */
  readonly audience: Audience | undefined
}

/** The newest events of one subscription, in the order in which they were published. */
export class History {
  readonly #limit: number
  readonly #maxBytes: number
  #records: HistoryRecord[] = []
  #bytes = 0

  /** @param maxBytes what is kept may be twice as much for a while */
  constructor({ limit, maxBytes }: { readonly limit: number; readonly maxBytes: number }) {
    this.#limit = limit
    this.#maxBytes = maxBytes
  }

  /** Adds one, whose payload must outlive the turn; the oldest go when there are too many, or too much. */
  add(record: HistoryRecord): void {
    this.#records.push(record)
    this.#bytes += eventSize(record)
    // Cut in bulk: dropping one a time from the front would move all the others for each event.
    if (this.#records.length >= this.#limit * 2 || this.#bytes >= this.#maxBytes * 2) this.#cut()
  }

  /** Keeps the newest, within both bounds. */
  #cut(): void {
    const records = this.records()
    let from = records.length
    let bytes = 0
    while (from > 0) {
      const record = records[from - 1]
      const more = record === undefined ? 0 : eventSize(record)
      if (bytes + more > this.#maxBytes) break
      bytes += more
      from--
    }
    this.#records = records.slice(from)
    this.#bytes = bytes
  }

  /** What is kept, oldest first. */
  records(): readonly HistoryRecord[] {
    return this.#records.slice(-this.#limit)
  }
}

/** Payload that one answer may carry, bytes; at least one event is told. */
const maxAnswerBytes = 1_048_576

/** As many of these records as one answer may carry: who wants more asks on behind the last one. */
export function answerable(records: readonly HistoryRecord[]): readonly HistoryRecord[] {
  let bytes = 0
  const end = records.findIndex((record, at) => {
    bytes += eventSize(record)
    return at > 0 && bytes > maxAnswerBytes
  })
  return end === -1 ? records : records.slice(0, end)
}

/** A record as the meta procedure answers it. */
export function storedEvent(record: HistoryRecord, subscription: Subscription): StoredEvent {
  // Decoded for this answer alone: values take many times the memory of their bytes.
  const payload = record.payload.keep()
  return {
    timestamp: new Date(record.atMs).toISOString(),
    subscription: subscription.id,
    publication: record.publication,
    details: record.details,
    args: payload.args(),
    kwargs: payload.kwargs(),
  }
}
