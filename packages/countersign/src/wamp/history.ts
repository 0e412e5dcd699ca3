/** Event history: the newest events of a subscription, for those who ask later (WAMP, advanced profile, event history). */
import type { Audience } from './blackwhite.ts'
import type { StoredEvent, Subscription } from './broker-types.ts'
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
  #records: HistoryRecord[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds one, whose payload must outlive the turn; the oldest goes when there are too many. */
  add(record: HistoryRecord): void {
    this.#records.push(record)
    // Cut in bulk: dropping one a time from the front would move all the others for each event.
    if (this.#records.length >= this.#limit * 2) this.#records = this.records().slice()
  }

  /** What is kept, oldest first. */
  records(): readonly HistoryRecord[] {
    return this.#records.slice(-this.#limit)
  }
}

/** A record as the meta procedure answers it. */
export function storedEvent(record: HistoryRecord, subscription: Subscription): StoredEvent {
  return {
    timestamp: new Date(record.atMs).toISOString(),
    subscription: subscription.id,
    publication: record.publication,
    details: record.details,
    args: record.payload.args(),
    kwargs: record.payload.kwargs(),
  }
}
