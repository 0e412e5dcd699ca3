/** What a server does now and then: drops what expired, and hears what other processes revoked in the same database. */
import type { Clock, Guard, Records } from 'countersign'
import type { SqliteRecords } from 'countersign/stores/sqlite'
import type { Logger } from 'pino'
import { describeError } from './log.ts'

// Expired rows cost room and nothing else.
const sweepEveryMs = 5 * 60_000
/** After a write, how often a store is asked for a new mark, and for how long: a commit takes its time to be visible. */
const askEveryMs = 10
const askForMs = 500
/** How often is looked, whatever was told: for a new mark, or, where the store cannot tell of one, at every open lease. */
const lookEveryMs = 1_000

/** What is looked after. */
export interface Watched {
  readonly records: Records
  readonly guards: readonly Guard[]
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
  const compare = (): Promise<void> => recheck(watched)
  const look = tellsOfMarks(records) ? askForNewMarks(records, compare) : compare
  const stops = [
    clock.every(
      sweepEveryMs,
      () => void quietly(watched, async () => void (await records.sweep(clock.now()))),
    ),
    clock.every(lookEveryMs, () => void quietly(watched, look)),
    ...(tellsOfMarks(records) ? [listenForMarks(watched, records, look)] : []),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function tellsOfMarks(records: Records): records is SqliteRecords {
  return 'newestMark' in records && 'onWrite' in records
}

/** Sleeps until somebody writes; then asks for a new mark until the file has been quiet for a while. */
function listenForMarks(watched: Watched, records: SqliteRecords, look: () => Promise<void>): () => void {
  const { clock } = watched
  let askUntilMs = 0
  let stopAsking: (() => void) | undefined
  const sleep = (): void => {
    stopAsking?.()
    stopAsking = undefined
  }
  const stopListening = records.onWrite(() => {
    askUntilMs = clock.now() + askForMs
    stopAsking ??= clock.every(askEveryMs, () => {
      void quietly(watched, look)
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
async function recheck({ guards }: Watched): Promise<void> {
  for (const guard of guards) await guard.recheck()
}

/** A store that is out of reach for a moment is asked again at the next tick. */
async function quietly(watched: Watched, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    watched.log.error({ err: describeError(error) }, 'records')
  }
}
