import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import { readBaseline } from '../../../packages/server/src/reports/baseline.ts'
import { auditExits, exitOf } from '../../../packages/server/src/reports/exit.ts'
import { findingsOf } from '../../../packages/server/src/reports/findings.ts'
import { toTerminal } from '../../../packages/server/src/reports/terminal.ts'
import { writeReport } from '../../../packages/server/src/reports/write.ts'
import { openLeakySite, quick } from './support/audited.ts'
import { reportWith } from './support/made-up.ts'

const plain = { paint: (_tone: unknown, text: string) => text, verbose: false, columns: 100 }

describe('fingerprints', () => {
  it('are the same in two runs against one endpoint, whatever the times and the order of waiting', async () => {
    const site = await openLeakySite()
    try {
      const first = await audit(site.url, { ...site.options, ...quick })
      const second = await audit(site.url, { ...site.options, ...quick, silenceMs: 700 })
      const prints = (report: typeof first): readonly string[] =>
        findingsOf(report)
          .map(({ fingerprint }) => fingerprint)
          .toSorted()
      expect(prints(first).length).toBeGreaterThan(3)
      expect(prints(second)).toEqual(prints(first))
      expect(new Set(prints(first)).size).toBe(prints(first).length)

      for (const format of ['json', 'sarif'] as const) {
        const known = readBaseline(writeReport(first, format))
        expect([...(known ?? [])].toSorted(), format).toEqual(prints(first))
        expect(exitOf(second, { failOn: 'low', known: known ?? new Set() })).toBe(auditExits.clean)
        const lines = toTerminal(second, { ...plain, known: known ?? new Set() }).join('\n')
        expect(lines).toContain('known findings are not shown')
        expect(lines).toContain('no findings')
        expect(lines).not.toContain('Cure:')
      }
    } finally {
      await site.close()
    }
  })

  it('differ between endpoints, checks and subjects, and not between queries', () => {
    const finding = { says: 'a', severity: 'high', confidence: 'high', exchanges: [] } as const
    const print = (id: string, url: string, subject?: string): string => {
      const outcome = {
        kind: 'fail',
        findings: [{ ...finding, ...(subject === undefined ? {} : { subject }) }],
      } as const
      const report = reportWith({ [id]: outcome })
      const placed = { ...report, endpoint: { ...report.endpoint, url: new URL(url) } }
      return findingsOf(placed)[0]?.fingerprint ?? ''
    }
    const base = print('O1', 'ws://a.test/s')
    expect(print('O1', 'ws://a.test/s?token=1')).toBe(base)
    expect(
      new Set([
        base,
        print('O2', 'ws://a.test/s'),
        print('O1', 'ws://a.test/t'),
        print('O1', 'ws://a.test:81/s'),
        print('O1', 'ws://a.test/s', 'cookie sid'),
      ]).size,
    ).toBe(5)
  })
})

describe('a baseline', () => {
  it.each(['', 'null', '[]', '{}', '{"findings":3}', '{"runs":[{}]}', '{"runs":{}}', 'no JSON'])(
    'is not read from %s',
    (text) => {
      expect(readBaseline(text)).toBeUndefined()
    },
  )

  it('leaves what is new, and that still fails', () => {
    const outcome = (says: string, subject: string) =>
      ({ says, subject, severity: 'medium', confidence: 'high', exchanges: [] }) as const
    const before = reportWith({ T4: { kind: 'fail', findings: [outcome('one', 'sid')] } })
    const after = reportWith({
      T4: { kind: 'fail', findings: [outcome('one', 'sid'), outcome('two', 'token')] },
    })
    const known = readBaseline(writeReport(before, 'json')) ?? new Set()
    const lines = toTerminal(after, { ...plain, known }).join('\n')
    expect(lines).toContain('two (confidence high)')
    expect(lines).not.toContain('one (confidence high)')
    expect(exitOf(after, { failOn: 'low', known })).toBe(auditExits.findings)
    expect(exitOf(after, { failOn: 'high', known })).toBe(auditExits.clean)
  })
})

describe('an exit code', () => {
  const missing = { kind: 'not tested', missing: 'a login' } as const
  const options = { failOn: 'low', known: new Set<string>() } as const

  it('is not that of a clean target where no check could test anything', () => {
    expect(exitOf(reportWith({ A8: missing, A9: missing }), options)).toBe(auditExits.incomplete)
    expect(exitOf(reportWith({}), options)).toBe(auditExits.incomplete)
  })

  it('comes with a hint at what says why', () => {
    const said = (verbose: boolean): string =>
      toTerminal(reportWith({ A8: missing }), { ...plain, verbose, known: new Set() }).join('\n')
    expect(said(false)).toContain('1 not tested, 0 unclear (--verbose says why);')
    expect(said(true)).toContain('missing: a login')
    expect(said(true)).not.toContain('--verbose')
  })

  it('is that of a clean target where some check could', () => {
    const passed = { kind: 'pass', says: 'well' } as const
    expect(exitOf(reportWith({ A8: missing, A1: passed }), options)).toBe(auditExits.clean)
  })
})
