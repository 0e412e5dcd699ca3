/** What a server does now and then: drops what expired, and hears what other processes revoked in the same database. */
import type { Bus, Clock, Guard, Records } from 'countersign'
import type { SqliteRecords } from 'countersign/stores/sqlite'
import type { Logger } from 'pino'
import { describeError } from './log.ts'

// Expired rows cost room and nothing else.
const sweepEveryMs = 5 * 60_000
/** After a write, how often a store is asked for a new mark, and for how long: a commit takes its time to be visible. */
const askEveryMs = 10
const askForMs = 500
/** How often every open lease is compared with the marks, whatever was told. */
const lookEveryMs = 1_000

/** What is looked after. */
export interface Watched {
  readonly records: Records
  readonly guards: readonly Guard[]
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Compares open leases with the marks as soon as there is a new one: the command line writes marks, and has no bus to say
 * so. Where the store cannot tell, and for whatever it does not tell, it looks once a second.
 * @returns a function that ends it
 */
export function watchRecords(watched: Watched): () => void {
  const { clock, records } = watched
  const stops = [
    clock.every(
      sweepEveryMs,
      () => void quietly(watched, async () => void (await records.sweep(clock.now()))),
    ),
    clock.every(lookEveryMs, () => void quietly(watched, () => publishMarks(watched))),
    ...(tellsOfMarks(records) ? [listenForMarks(watched, records)] : []),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function tellsOfMarks(records: Records): records is SqliteRecords {
  return 'newestMark' in records && 'onWrite' in records
}

/** Sleeps until somebody writes; then asks for a new mark until the file has been quiet for a while. */
function listenForMarks(watched: Watched, records: SqliteRecords): () => void {
  const { clock } = watched
  const ask = askForNewMarks(records, () => publishMarks(watched))
  let askUntilMs = 0
  let stopAsking: (() => void) | undefined
  const sleep = (): void => {
    stopAsking?.()
    stopAsking = undefined
  }
  const stopListening = records.onWrite(() => {
    askUntilMs = clock.now() + askForMs
    stopAsking ??= clock.every(askEveryMs, () => {
      void quietly(watched, ask)
      if (clock.now() >= askUntilMs) sleep()
    })
  })
  return () => {
    stopListening()
    sleep()
  }
}

/** A question, which looks when the answer is another one than before, and asks again as long as looking fails. */
function askForNewMarks(records: SqliteRecords, look: () => Promise<void>): () => Promise<void> {
  let seen: number | undefined
  let asking = false
  return async () => {
    if (asking) return
    asking = true
    try {
      const newest = await records.newestMark()
      if (newest !== seen) await look()
      seen = newest
    } finally {
      asking = false
    }
  }
}

/**
 * One lookup a lease: the store keeps marks in memory and reads the file only when another process wrote to
 * it.
 */
async function publishMarks({ records, guards, bus }: Watched): Promise<void> {
  for (const lease of guards.flatMap((guard) => guard.leases())) {
    if (lease.ended) continue
    const mark = await records.findMark(lease.grant, lease.id)
    if (mark !== undefined) bus.publish(mark)
  }
}

/** A store that is out of reach for a moment is asked again at the next tick. */
async function quietly(watched: Watched, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    watched.log.error({ err: describeError(error) }, 'records')
  }
}
