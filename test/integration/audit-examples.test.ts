/** The audit finds every hole that was planted in an insecure twin, and none in the example itself. */
import { describe, expect, it } from 'vitest'
import {
  exampleScans,
  findingsOf,
  missedHoles,
  plantedHoles,
  scanExample,
} from '../../bench/audit/examples.ts'

describe.concurrent.each(['console', 'chat'] as const)('the example %s', (example) => {
  const scans = exampleScans.filter((scan) => scan.example === example)

  it('shows every planted hole in its insecure twin', async () => {
    const reports = await Promise.all(scans.map((scan) => scanExample(scan, true)))
    expect(reports.map(({ stopped, loginTroubles }) => [stopped, loginTroubles])).toEqual(
      scans.map(() => [undefined, []]),
    )
    expect(missedHoles(plantedHoles(example), reports)).toEqual([])
  })

  it('is clean as it should be', async () => {
    const reports = await Promise.all(scans.map((scan) => scanExample(scan, false)))
    expect(reports.map(({ stopped, loginTroubles }) => [stopped, loginTroubles])).toEqual(
      scans.map(() => [undefined, []]),
    )
    expect(reports.map(findingsOf)).toEqual(scans.map(() => []))
    // A check whose preconditions are missing finds nothing anywhere.
    const tested = reports.flatMap(({ results }) =>
      results.flatMap(({ check, outcome }) => (outcome.kind === 'not tested' ? [] : [check.id])),
    )
    const named = plantedHoles(example).map(({ check }) => check)
    expect(named.filter((id) => !tested.includes(id))).toEqual([])
  })
})
