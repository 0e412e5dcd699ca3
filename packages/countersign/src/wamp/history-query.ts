/** What `wamp.subscription.get_events` is asked for (WAMP, advanced profile, event history). */
import { admitsIdentity } from './blackwhite.ts'
import type { HistoryRecord } from './history.ts'
import { idOf } from './ids.ts'
import type { Dict } from './messages.ts'
import type { Identity } from './session.ts'

/** Conditions, all of which must hold; `undefined` is none. */
export interface HistoryQuery {
  /** Newest first. */
  readonly reverse: boolean
  /** Most events, counted in the direction of travel. */
  readonly limit: number
  readonly topic: string | undefined
  /** Instants, ms since the epoch. */
  readonly fromTime: number | undefined
  readonly afterTime: number | undefined
  readonly beforeTime: number | undefined
  readonly untilTime: number | undefined
  /** Publication ids: an event's place in the history, not its number, is compared. */
  readonly fromPublication: number | undefined
  readonly afterPublication: number | undefined
  readonly beforePublication: number | undefined
  readonly untilPublication: number | undefined
}

/** RFC 3339 §5.6; `Date.parse` alone takes much that is no date of the specification's. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** What a reader says of a value of a wrong type. */
const wrong = Symbol('wrong')

/** Reads the arguments. @returns `undefined` when a known one has a wrong type */
export function readHistoryQuery(kwargs: Dict): HistoryQuery | undefined {
  let valid = true
  const take = <T>(name: string, read: (value: unknown) => T | typeof wrong): T | undefined => {
    const value = Object.hasOwn(kwargs, name) ? (kwargs[name] ?? undefined) : undefined
    const taken = value === undefined ? undefined : read(value)
    if (taken !== wrong) return taken
    valid = false
    return undefined
  }
  const query: HistoryQuery = {
    reverse: take('reverse', readFlag) ?? false,
    limit: take('limit', readCount) ?? Infinity,
    topic: take('topic', readText),
    fromTime: take('from_time', readTime),
    afterTime: take('after_time', readTime),
    beforeTime: take('before_time', readTime),
    untilTime: take('until_time', readTime),
    fromPublication: take('from_publication', readCount),
    afterPublication: take('after_publication', readCount),
    beforePublication: take('before_publication', readCount),
    untilPublication: take('until_publication', readCount),
  }
  return valid ? query : undefined
}

/** The records that a query asks for and that its asker would have received, in the order asked for. */
export function selectEvents(
  records: readonly HistoryRecord[],
  query: HistoryQuery,
  asker: Identity,
): readonly HistoryRecord[] {
  const [start, end] = spanOf(records, query)
  const chosen: HistoryRecord[] = []
  // The limit counts what is told, so conditions come before it; whose event it was not to see is no gap in the answer.
  for (let step = 0; step < end - start && chosen.length < query.limit; step++) {
    const record = records[query.reverse ? end - 1 - step : start + step]
    if (record !== undefined && isWanted(record, query) && isFor(record, asker)) chosen.push(record)
  }
  return chosen
}

/** Places from and to which the publication ids allow; nothing where one of them is not kept any more. */
function spanOf(records: readonly HistoryRecord[], query: HistoryQuery): readonly [number, number] {
  let start = 0
  let end = records.length
  const place = (id: number | undefined, use: (at: number) => void): void => {
    if (id === undefined) return
    const at = records.findIndex((record) => record.publication === id)
    if (at === -1) end = 0
    else use(at)
  }
  place(query.fromPublication, (at) => (start = Math.max(start, at)))
  place(query.afterPublication, (at) => (start = Math.max(start, at + 1)))
  place(query.beforePublication, (at) => (end = Math.min(end, at)))
  place(query.untilPublication, (at) => (end = Math.min(end, at + 1)))
  return [start, end]
}

/** Times from the clock, and the topic: among the events of a pattern it is one of many. */
function isWanted({ atMs, topic }: HistoryRecord, query: HistoryQuery): boolean {
  if (query.topic !== undefined && topic !== query.topic) return false
  if (query.fromTime !== undefined && !(atMs >= query.fromTime)) return false
  if (query.afterTime !== undefined && !(atMs > query.afterTime)) return false
  if (query.beforeTime !== undefined && !(atMs < query.beforeTime)) return false
  return query.untilTime === undefined || atMs <= query.untilTime
}

/** Black- and whitelists hold for readers of a history as they did for subscribers. */
function isFor(record: HistoryRecord, asker: Identity): boolean {
  return record.audience === undefined || admitsIdentity(record.audience, asker)
}

function readFlag(value: unknown): boolean | typeof wrong {
  return typeof value === 'boolean' ? value : wrong
}

function readText(value: unknown): string | typeof wrong {
  return typeof value === 'string' ? value : wrong
}

function readCount(value: unknown): number | typeof wrong {
  const count = idOf(value)
  return count === undefined || count === 0 ? wrong : count
}

function readTime(value: unknown): number | typeof wrong {
  if (typeof value !== 'string' || value.length > 40) return wrong
  const text = value.toUpperCase()
  const at = rfc3339.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(at) ? wrong : at
}
