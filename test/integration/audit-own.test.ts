/** What is ours is clean, from outside and from inside: a default scan of every endpoint, in a minute, with twenty sockets at a time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findingsOf } from '../../bench/audit/examples.ts'
import { openLab } from '../../bench/audit/own-lab.ts'
import { openServed } from '../../bench/audit/own-served.ts'
import { endsOf, type Ends, type OwnTargets } from '../../bench/audit/own.ts'
import { audit } from '../../packages/server/src/audit/audit.ts'
import { alignColumns } from '../../packages/server/src/cli/table.ts'

describe.concurrent.each([
  { name: 'the lab', open: openLab, targets: 45 },
  { name: 'a configuration that is served', open: openServed, targets: 6 },
])('$name', ({ open, targets }) => {
  let own: OwnTargets
  beforeAll(async () => {
    own = await open()
  })
  afterAll(() => own.stop())

  it('is clean at every endpoint, seen by nobody and by somebody who has logged in', async () => {
    const scans = await Promise.all(
      own.targets.map(async ({ name, url, options, least }) => {
        const report = await audit(url, options)
        return { name, least, report, ends: endsOf(report) }
      }),
    )
    console.log(tableOf(scans))
    expect(scans.length).toBe(targets)
    const findings = scans.flatMap(({ name, report }) => findingsOf(report).map((says) => `${name}: ${says}`))
    expect(findings).toEqual([])
    for (const { name, least, report, ends } of scans) {
      const { stopped, unreachable, loginTroubles, spent } = report
      expect({ name, stopped, unreachable, loginTroubles }).toEqual({
        name,
        stopped: undefined,
        unreachable: undefined,
        loginTroubles: [],
      })
      expect({ name, unclear: ends.inconclusive }).toEqual({ name, unclear: [] })
      expect(ends.pass.length + ends.info.length, `${name} runs fewer checks`).toBeGreaterThanOrEqual(least)
      expect(spent.ms).toBeLessThanOrEqual(60_000)
      expect(spent.mostOpen).toBeLessThanOrEqual(20)
    }
  })
})

interface Scan {
  readonly name: string
  readonly ends: Ends
}

function tableOf(scans: readonly Scan[]): string {
  const rows = scans.map(({ name, ends }) => [
    name,
    `${ends.pass.length} pass`,
    `${ends.info.length} worth knowing (${ends.info.join(' ')})`,
    `${ends['not tested'].length} not tested (${ends['not tested'].join(' ')})`,
  ])
  return alignColumns(rows).join('\n')
}
