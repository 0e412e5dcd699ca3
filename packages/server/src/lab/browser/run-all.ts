import type { CaseResult, LabCase, LabReport } from './case.ts'
import { logInAgain, runCase, type Surroundings } from './run-case.ts'
import { startTrace, type Trace } from './trace.ts'

/** Hears how a run goes. */
export interface RunListener {
  readonly planned: (cases: readonly LabCase[]) => void
  readonly started: (one: LabCase) => void
  readonly finished: (one: LabCase, result: CaseResult, trace: Trace) => void
}

/**
 * Runs cases: the doors side by side, the cases of a door one after the other (they share its cookies), waiting cases
 * beside them, and at the very end, alone, those that log the page out.
 */
export async function runCases(
  chosen: readonly LabCase[],
  around: Surroundings,
  listener: RunListener,
): Promise<LabReport> {
  const startedAt = new Date().toISOString()
  const results: CaseResult[] = []
  listener.planned(chosen)
  const runOne = async (one: LabCase): Promise<void> => {
    const trace = startTrace()
    listener.started(one)
    const result = await runCase(one, around, trace)
    results.push(result)
    listener.finished(one, result, trace)
  }
  await Promise.all(lanesOf(chosen).map((lane) => inOrder(lane, runOne)))
  for (const one of chosen.filter(({ alone }) => alone)) {
    await runOne(one)
    await logInAgain(around.facts, around.username)
  }
  return reportOf({ around, startedAt, results, chosen })
}

/** One lane for each door, and one for each case that only waits. */
function lanesOf(chosen: readonly LabCase[]): readonly (readonly LabCase[])[] {
  const together = chosen.filter(({ alone }) => !alone)
  const waiting = together.filter(({ slow }) => slow).map((one) => [one])
  const prompt = together.filter(({ slow }) => !slow)
  const doors = [...new Set(prompt.map(({ door }) => door))]
  return [...doors.map((door) => prompt.filter((one) => one.door === door)), ...waiting]
}

async function inOrder(lane: readonly LabCase[], run: (one: LabCase) => Promise<void>): Promise<void> {
  for (const one of lane) await run(one)
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
