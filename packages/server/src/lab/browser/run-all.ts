import type { CaseResult, DoorId, LabCase, LabReport } from './case.ts'
import { later } from './later.ts'
import { logInAgain, runCase } from './run-case.ts'
import type { Surroundings } from './surroundings.ts'
import { startTrace, type Trace } from './trace.ts'

/** Hears how a run goes. */
export interface RunListener {
  readonly planned: (cases: readonly LabCase[]) => void
  readonly started: (one: LabCase) => void
  readonly finished: (one: LabCase, result: CaseResult, trace: Trace) => void
}

/**
 * Runs cases: the doors side by side, the cases of a door one after the other (they share its cookies), those that wait
 * for a deadline beside them, then leases of seconds, a few openings at a time, and at the very end, alone, those that take
 * the page's login.
 */
export async function runCases(
  chosen: readonly LabCase[],
  around: Surroundings,
  listener: RunListener,
): Promise<LabReport> {
  const startedAt = new Date().toISOString()
  const results: CaseResult[] = []
  listener.planned(chosen)
  const start = (one: LabCase): Started => {
    const trace = startTrace()
    const free = later<undefined>()
    listener.started(one)
    const finish = (result: CaseResult): void => {
      results.push(result)
      listener.finished(one, result, trace)
      free.resolve(undefined)
    }
    const done = runCase(one, around, { trace, watching: () => free.resolve(undefined) }).then(finish)
    return { free: free.promise, done }
  }
  const { prompt, deadlines, leases } = lanesOf(chosen)
  const waiting = deadlines.map((one) => start(one).done)
  for (const lanes of [prompt, leases])
    await Promise.all(lanes.map(async (lane) => waiting.push(...(await inOrder(lane, start)))))
  await Promise.all(waiting)
  const last: Promise<void>[] = []
  for (const one of chosen.filter(({ alone }) => alone)) {
    last.push(...(await inOrder([one], start)))
    await logInAgain(around.facts, around.username)
  }
  await Promise.all(last)
  return reportOf({ around, startedAt, results, chosen })
}

/** What these doors read is the browser's, one for all cases: cookies, and passwords that it remembers. */
const sharing: ReadonlySet<DoorId> = new Set<DoorId>(['D3', 'D4', 'D9'])

/** A case under way. */
interface Started {
  /** It needs nothing of the browser any more. */
  readonly free: Promise<unknown>
  /** It has ended and its result was told. */
  readonly done: Promise<void>
}

/** What runs side by side. */
interface Lanes {
  /** One for each door. */
  readonly prompt: readonly (readonly LabCase[])[]
  /** Each beside everything else: they only wait. */
  readonly deadlines: readonly LabCase[]
  /**
   * Beside the deadlines, when the rest is done, and not all opened at once: a lease of seconds must not run out because the
   * machine is busy with the others. Those that only wait for their end do not keep the next from opening.
   */
  readonly leases: readonly (readonly LabCase[])[]
}

/** How many leases are opened at the same time. */
const leaseLanes = 8

function lanesOf(chosen: readonly LabCase[]): Lanes {
  const together = chosen.filter(({ alone }) => !alone)
  const waiting = together.filter(({ slow, door }) => slow && !sharing.has(door))
  const prompt = together.filter((one) => !waiting.includes(one))
  const doors = [...new Set(prompt.map(({ door }) => door))]
  const leases = waiting.filter(holdsLease)
  return {
    prompt: doors.map((door) => prompt.filter((one) => one.door === door)),
    deadlines: waiting.filter((one) => !holdsLease(one)),
    leases: Array.from({ length: leaseLanes }, (_, lane) =>
      leases.filter((_one, index) => index % leaseLanes === lane),
    ),
  }
}

function holdsLease({ steps }: LabCase): boolean {
  return steps.some(({ kind }) => kind === 'invite')
}

/** Each as soon as what the one before took of the browser is free. @returns their ends */
async function inOrder(
  lane: readonly LabCase[],
  start: (one: LabCase) => Started,
): Promise<readonly Promise<void>[]> {
  const ends: Promise<void>[] = []
  for (const one of lane) {
    const { free, done } = start(one)
    ends.push(done)
    await free
  }
  return ends
}

interface Finished {
  readonly around: Surroundings
  readonly startedAt: string
  readonly results: readonly CaseResult[]
  readonly chosen: readonly LabCase[]
}

function reportOf({ around, startedAt, results, chosen }: Finished): LabReport {
  const place = new Map(chosen.map((one, index) => [one.id, index]))
  const sorted = results.toSorted((one, other) => (place.get(one.id) ?? 0) - (place.get(other.id) ?? 0))
  return {
    engine: around.engine,
    userAgent: navigator.userAgent,
    startedAt,
    results: sorted,
    agrees: sorted.every(({ agrees }) => agrees),
  }
}
