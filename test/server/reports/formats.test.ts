import { beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../../packages/server/src/audit/audit.ts'
import { findingsOf } from '../../../packages/server/src/reports/findings.ts'
import { writeReport } from '../../../packages/server/src/reports/write.ts'
import { cleanReport, reportOf, richReport } from './support/audited.ts'
import { reportSaying, reportWith } from './support/made-up.ts'
import { junitErrors, sarifErrors } from './support/schemas.ts'

let rich: Report
let clean: Report
let unreachable: Report

beforeAll(async () => {
  rich = await richReport()
  clean = await cleanReport()
  unreachable = await reportOf(async () => ({
    url: 'ws://127.0.0.1:1/socket',
    options: {},
    close: () => Promise.resolve(),
  }))
})

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { id: string; name: string }[] } }
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly baselineState?: string
      readonly message: { readonly text: string }
      readonly partialFingerprints: Readonly<Record<string, string>>
    }[]
    readonly invocations: readonly { readonly executionSuccessful: boolean }[]
  }[]
}

function sarifOf(report: Report, known?: ReadonlySet<string>): Sarif {
  return JSON.parse(writeReport(report, 'sarif', known === undefined ? {} : { known }))
}

describe('SARIF', () => {
  it('keeps the schema of SARIF 2.1.0, whatever was found', () => {
    for (const report of [rich, clean, unreachable, reportSaying('a [link](https://evil.invalid) {0}')])
      expect(sarifErrors(sarifOf(report))).toEqual([])
  })

  it('would be refused by that schema with a wrong level', () => {
    const log = structuredClone(sarifOf(rich))
    Object.assign(log.runs[0]?.results[0] ?? {}, { level: 'dreadful' })
    expect(sarifErrors(log)).not.toEqual([])
  })

  it('has each result point to its rule, whose name is one word', () => {
    const [run] = sarifOf(rich).runs
    const rules = run?.tool.driver.rules ?? []
    expect(run?.results.length).toBeGreaterThan(3)
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect(rules[ruleIndex]?.id).toBe(ruleId)
    for (const { name } of rules) expect(name).toMatch(/^(?:[A-Z][a-z0-9]+)+$/)
  })

  it('makes no link of what a target says', () => {
    const [result] = sarifOf(reportSaying('[click](https://evil.invalid)')).runs[0]?.results ?? []
    expect(result?.message.text).toContain('\\[click\\](https://evil.invalid)')
  })

  it('calls a run that did not end unsuccessful', () => {
    expect(sarifOf(rich).runs[0]?.invocations[0]?.executionSuccessful).toBe(true)
    expect(sarifOf(unreachable).runs[0]?.invocations[0]?.executionSuccessful).toBe(false)
  })

  it('says of each result whether the baseline knows it', () => {
    const [first] = findingsOf(rich)
    const states = sarifOf(rich, new Set([first?.fingerprint ?? ''])).runs[0]?.results.map(
      ({ baselineState }) => baselineState,
    )
    expect(states?.filter((state) => state === 'unchanged')).toHaveLength(1)
    expect(sarifOf(rich).runs[0]?.results[0]).not.toHaveProperty('baselineState')
  })
})

describe('JUnit XML', () => {
  it('is read by an XML parser and keeps its schema, whatever was found', async () => {
    for (const report of [rich, clean, unreachable, reportSaying('<&>"\']]> \u0000 \ud800')])
      expect(await junitErrors(writeReport(report, 'junit'))).toEqual([])
  })

  it('would be refused with a second name for one case', async () => {
    const xml = writeReport(reportWith({ O1: { kind: 'pass', says: 'fine' } }), 'junit')
    const twice = xml.replace(/( *<testcase[^\n]*\n)/, '$1$1')
    expect(await junitErrors(twice)).not.toEqual([])
  })

  it('counts a failed check as a failure and one that was not tested as skipped', () => {
    const xml = writeReport(
      reportWith({
        O1: {
          kind: 'fail',
          findings: [{ says: 'open', severity: 'high', confidence: 'high', exchanges: [] }],
        },
        A1: { kind: 'not tested', missing: 'an identity' },
        A3: { kind: 'pass', says: 'fine' },
      }),
      'junit',
    )
    expect(xml).toContain('tests="3" failures="1" skipped="1" errors="0"')
    expect(xml).toContain('<skipped message="not tested: missing: an identity"/>')
    expect(xml).toContain('<failure type="high" message="open">')
  })

  it('counts a target that does not answer as one test with an error', () => {
    expect(writeReport(unreachable, 'junit')).toContain('tests="1" failures="0" skipped="0" errors="1"')
  })
})
