/** What a server does now and then: drops what expired, and hears what other processes revoked in the same database. */
import type { Clock, Guard, Records } from 'countersign'
import type { Logger } from 'pino'
import { describeError } from './log.ts'

// Expired rows cost room and nothing else; revocations must be heard within a second or two.
const sweepEveryMs = 5 * 60_000
const lookEveryMs = 1_000

/** What is looked after. */
export interface Watched {
  readonly records: Records
  readonly guards: readonly Guard[]
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Looks once a second whether a mark revokes an open lease: the command line writes marks, and has no bus to say so.
 * @returns a function that ends it
 */
export function watchRecords(watched: Watched): () => void {
  const stops = [
    watched.clock.every(
      sweepEveryMs,
      () => void quietly(watched, async () => void (await watched.records.sweep(watched.clock.now()))),
    ),
    watched.clock.every(lookEveryMs, () => void quietly(watched, () => recheck(watched))),
  ]
  return () => {
    for (const stop of stops) stop()
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
