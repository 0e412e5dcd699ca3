/** How many tests of a run ended how, and the names of those that failed or did not run. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Each with the first line of what went wrong. */
  readonly failures: readonly string[]
  readonly skippedNames: readonly string[]
}

/** The counts of no run at all. */
export const noCounts: Counts = Object.freeze({
  passed: 0,
  failed: 0,
  skipped: 0,
  failures: [],
  skippedNames: [],
})

/** The part of vitest's JSON report that is counted. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly Assertion[]
  }[]
}

interface Assertion {
  readonly status: string
  readonly fullName: string
  readonly failureMessages?: readonly string[] | null
}

/** Counts a report. A file that fails before its first test is one failure: no test of it can speak for it. */
export function countReport(report: Report): Counts {
  return report.testResults.map(countFile).reduce(addCounts, noCounts)
}

function countFile(file: Report['testResults'][number]): Counts {
  const passed = file.assertionResults.filter(({ status }) => status === 'passed').length
  const failed = file.assertionResults.filter(({ status }) => status === 'failed')
  const others = file.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed')
  const failures =
    failed.length === 0 && file.status === 'failed' ? [file.name] : failed.map((one) => failureOf(file, one))
  return {
    passed,
    failed: failures.length,
    skipped: others.length,
    failures,
    skippedNames: others.map(({ fullName }) => fullName),
  }
}

function failureOf({ name }: { readonly name: string }, { fullName, failureMessages }: Assertion): string {
  const [says = ''] = (failureMessages?.[0] ?? '').split('\n')
  return `${name}: ${fullName}: ${says}`
}

/** Two runs counted as one. */
export function addCounts(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
    failures: [...one.failures, ...other.failures],
    skippedNames: [...one.skippedNames, ...other.skippedNames],
  }
}

/** The line that ends a test run. */
export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`
}
