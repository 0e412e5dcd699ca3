/** Retained events: what a topic says to those who subscribe later (WAMP, advanced profile, event retention). */
import { admits, type Audience } from './blackwhite.ts'
import { eventSize } from './kept-size.ts'
import type { Dict } from './messages.ts'
import type { Payload } from './payload.ts'
import type { Session } from './session.ts'
import { matcherOf, type Match } from './uri.ts'

/** One retained event. */
export interface RetainedEvent {
  readonly publication: number
  readonly topic: string
  /** Details that do not depend on the subscription. */
  readonly details: Dict
  readonly payload: Payload
  readonly audience: Audience | undefined
  /** The publisher, where it was excluded. */
  readonly exceptFor: number | undefined
}

/** Events for part of the subscribers that one topic keeps beside the one for all. */
const maxForSome = 16
/** Retained events that one SUBSCRIBE of a pattern gets, those that were published last. */
const maxAnswers = 1000

/** One event, and what keeping it costs. */
interface Kept {
  readonly event: RetainedEvent
  readonly bytes: number
}

/**
 * The retained events of a realm. An event for everyone replaces what its topic had; one with lists stands beside it. When
 * there are too many, or too much, the topic goes whose event was set longest ago.
 */
export class RetainedEvents {
  readonly #maxEvents: number
  readonly #maxBytes: number
  /** By topic, oldest first on both levels: topics move to the end when they are set. */
  readonly #topics = new Map<string, Kept[]>()
  #size = 0
  #bytes = 0

  constructor(options: { readonly maxEvents: number; readonly maxBytes: number }) {
    this.#maxEvents = options.maxEvents
    this.#maxBytes = options.maxBytes
  }

  /** Keeps one; its payload must outlive the turn. */
  keep(event: RetainedEvent): void {
    const before = this.#topics.get(event.topic) ?? []
    const one = { event, bytes: eventSize(event) }
    const kept = event.audience === undefined ? [one] : [...before.slice(-maxForSome), one]
    this.#topics.delete(event.topic)
    this.#topics.set(event.topic, kept)
    this.#size += kept.length - before.length
    this.#bytes += bytesOf(kept) - bytesOf(before)
    while (this.#size > this.#maxEvents || this.#bytes > this.#maxBytes) this.#dropOldest()
  }

  /** What a new subscriber gets: of each topic the newest event that it would have received, in order of topics set. */
  for(session: Session, pattern: string, match: Match): readonly RetainedEvent[] {
    const found: RetainedEvent[] = []
    for (const events of this.#candidates(pattern, match)) {
      const kept = events.findLast(({ event }) => isFor(event, session))
      if (kept !== undefined) found.push(kept.event)
    }
    return found.slice(-maxAnswers)
  }

  #candidates(pattern: string, match: Match): readonly Kept[][] {
    if (match === 'exact') {
      const events = this.#topics.get(pattern)
      return events === undefined ? [] : [events]
    }
    const found: Kept[][] = []
    const covers = matcherOf(pattern, match)
    for (const [topic, events] of this.#topics) if (covers(topic)) found.push(events)
    return found
  }

  #dropOldest(): void {
    for (const [topic, events] of this.#topics) {
      this.#topics.delete(topic)
      this.#size -= events.length
      this.#bytes -= bytesOf(events)
      return
    }
  }
}

function bytesOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { bytes }) => sum + bytes, 0)
}

function isFor(event: RetainedEvent, session: Session): boolean {
  if (event.exceptFor === session.id) return false
  return event.audience === undefined || admits(event.audience, session)
}
