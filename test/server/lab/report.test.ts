import { describe, expect, it } from 'vitest'
import { labCases, expectedIn, type CaseResult, type Engine } from '../../../packages/server/src/lab/cases.ts'
import type { Outcome } from '../../../packages/server/src/lab/browser/outcome.ts'
import { mergeResults, writeMatrix } from '../../../packages/server/src/lab/report.ts'
import { matrixOf, type EngineRun, type LabMatrix } from '../../../packages/server/src/lab/report-matrix.ts'

const about = { measuredAt: '2026-01-02T03:04:05.678Z', program: '1.2.3' }
const noWay = 'it has no way to be given one'

/** A run in which every case showed what it should, but those that `surprises` names. */
function run(engine: Engine, surprises: Readonly<Record<string, Outcome>> = {}): EngineRun {
  const results = labCases
    .filter((one) => one.needs !== 'client-certificate')
    .map((one): CaseResult => {
      const expected = expectedIn(one, engine)
      const measured = surprises[one.id] ?? expected
      return {
        id: one.id,
        door: one.door,
        expected,
        measured,
        agrees: measured === expected,
        ms: 5,
        note: '',
      }
    })
  return {
    engine,
    version: `${engine} 1.0`,
    trouble: undefined,
    lacks: { 'client-certificate': noWay },
    results,
  }
}

const missing: EngineRun = {
  engine: 'webkit',
  version: undefined,
  trouble: 'WebKitGTK cannot be driven: no Xvfb',
  lacks: {},
  results: [],
}
const broken: EngineRun = {
  ...missing,
  engine: 'firefox',
  version: 'Firefox 1.0',
  trouble: 'it did not start',
}

function matrix(...runs: readonly EngineRun[]): LabMatrix {
  return matrixOf(labCases, runs, about)
}

describe('a matrix', () => {
  it('has a row for every case and a cell for every browser', () => {
    const { rows, measured, agrees } = matrix(run('chromium'), run('firefox'))
    expect(rows.map(({ id }) => id)).toEqual(labCases.map(({ id }) => id))
    expect(rows.every(({ cells }) => cells.chromium !== undefined && cells.firefox !== undefined)).toBe(true)
    expect(measured).toBe(2 * labCases.filter(({ needs }) => needs !== 'client-certificate').length)
    expect(agrees).toBe(true)
  })

  it('disagrees when one case does', () => {
    const { agrees, disagreements } = matrix(
      run('chromium', { 'D2.replay': { kind: 'accepted', greeting: true } }),
    )
    expect([agrees, disagreements]).toEqual([false, [{ id: 'D2.replay', engine: 'chromium' }]])
  })

  it('agrees when a browser is not installed, and disagrees when one is and could not be measured', () => {
    expect(matrix(run('chromium'), missing).agrees).toBe(true)
    expect(matrix(run('chromium'), broken).agrees).toBe(false)
    expect(matrix(missing).agrees).toBe(false)
  })

  it('says why a case was not run', () => {
    const { rows } = matrix(run('chromium'), missing)
    const row = rows.find(({ id }) => id === 'D11.connect')
    expect(row?.cells).toEqual({
      chromium: { kind: 'not-run', why: noWay },
      webkit: { kind: 'not-run', why: 'WebKitGTK cannot be driven: no Xvfb' },
    })
  })

  it('keeps what engines are expected to show differently, with the reason', () => {
    const differing = labCases.find(({ differs }) => differs.firefox !== undefined)
    const row = matrix(run('firefox')).rows.find(({ id }) => id === differing?.id)
    expect(row?.differs).toEqual([
      expect.objectContaining({ engine: 'firefox', why: differing?.differs.firefox?.why }),
    ])
  })

  it('survives JSON', () => {
    const made = matrix(run('chromium'))
    expect(JSON.parse(JSON.stringify(made))).toMatchObject({ ...about, agrees: true })
  })
})

describe('the page of a matrix', () => {
  it('tells date, program, browsers and the sum of it', () => {
    const page = writeMatrix(matrix(run('chromium'), missing))
    expect(page).toContain('Measured on 2026-01-02 by `countersign lab --report`, version 1.2.3')
    expect(page).toMatch(/All \d+ measurements show what is expected\./)
    expect(page).toMatch(
      new RegExp(`\\| Chromium \\| chromium 1\\.0 \\| \\d+ of ${labCases.length} cases; ${noWay} \\|`),
    )
    expect(page).toContain('| WebKitGTK | missing | WebKitGTK cannot be driven: no Xvfb |')
  })

  it('has a table for each door whose rows are all equally wide', () => {
    const page = writeMatrix(matrix(run('chromium'), run('firefox')))
    const doors = [...new Set(labCases.map(({ door }) => door))]
    for (const door of doors) expect(page).toContain(`\n## ${door} `)
    const tables = page.split('\n## ').slice(1)
    for (const table of tables) {
      const widths = table
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.replaceAll('\\|', '').split('|').length)
      expect(new Set(widths)).toEqual(new Set([6]))
    }
  })

  it('shows a difference by a sign and a word, and says what was expected', () => {
    const page = writeMatrix(matrix(run('chromium', { 'D2.replay': { kind: 'accepted', greeting: true } })))
    expect(page).toMatch(/1 of \d+ measurements differ from what is expected: D2\.replay in Chromium\./)
    expect(page).toContain('✗ opens and greets')
    expect(page).toContain('Chromium was expected to show “closed 3000 invalid_credential”.')
  })

  it('of nothing says that nothing was measured', () => {
    expect(writeMatrix(matrix(missing))).toContain('Nothing was measured.')
  })
})

describe('results of several visits', () => {
  const result = (id: string, ms: number): CaseResult => {
    const expected: Outcome = { kind: 'accepted', greeting: true }
    return { id, door: 'D11', expected, measured: expected, agrees: true, ms, note: '' }
  }

  it('are merged: the later of one case replaces the earlier', () => {
    const merged = mergeResults([result('a', 1), result('b', 1)], [result('b', 2), result('c', 2)])
    expect(merged.map(({ id, ms }) => `${id}${ms}`)).toEqual(['a1', 'b2', 'c2'])
  })
})
