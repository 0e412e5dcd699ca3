import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, it } from 'vitest'
import { noTicks, type Ticks } from '../../../packages/server/src/lab/browser/knock.ts'
import { comesLate, tellTicks } from '../../../packages/server/src/lab/browser/lateness.ts'
import { endWords, timeLeft } from '../../../packages/server/src/lab/browser/lease-words.ts'
import {
  adviceFor,
  closed,
  describeOutcome,
  dismissed,
  goodbye,
  isOpen,
  sameOutcome,
  stays,
} from '../../../packages/server/src/lab/browser/outcome.ts'
import { root } from '../../../tools/processes.ts'

const guest = { firstEndMs: 10_000, graceMs: 500 }

function heard(more: Partial<Ticks>): Ticks {
  return { ...noTicks(), count: 100, last: 100, ...more }
}

describe('numbered messages at the end of a lease', () => {
  it.each([0, 300, -499, -500])('may come with %d ms left', (leftMs) => {
    expect(comesLate(heard({ leftMs }), guest)).toBe('')
  })

  it('may not come beyond the grace', () => {
    const late = comesLate(heard({ leftMs: -501 }), guest)
    expect(late).toBe(`a message came 501 ms after the end`)
  })

  it('are measured by the page’s clock where the server tells no time', () => {
    expect(comesLate(heard({ atMs: 10_400 }), guest)).toBe('')
    expect(comesLate(heard({ atMs: 20_000 }), guest)).toContain('10000 ms after the end')
  })

  it('prove nothing when there are too few', () => {
    for (const count of [0, 9]) expect(comesLate(heard({ count, leftMs: 100 }), guest)).not.toBe('')
    expect(comesLate(heard({ leftMs: 100 }), undefined)).not.toBe('')
  })

  it('are told with the instant of the last one', () => {
    expect(tellTicks(heard({ leftMs: -480 }), guest)).toMatch(/^The last of 100 messages came 480 ms after/)
    expect(tellTicks(heard({ leftMs: 20 }), guest)).toContain('came 20 ms before the lease ended')
  })
})

describe('a lease on the page', () => {
  it('counts tenths when they matter, and whole seconds for those who want it calm', () => {
    expect([2_440, 9_949, 9_951, 61_000, -5].map((ms) => timeLeft(ms, false))).toEqual([
      '2.4 s',
      '9.9 s',
      '10 s',
      '61 s',
      '0.0 s',
    ])
    expect([2_440, -5].map((ms) => timeLeft(ms, true))).toEqual(['3 s', '0 s'])
  })

  it.each([
    [closed('logged_out'), 'closed 3003 logged_out: its login was logged out elsewhere'],
    [closed('lease_expired'), 'closed 3000 lease_expired: its lease ran out'],
    [closed('revoked'), 'closed 3003 revoked: whoever runs the server took it back'],
    [goodbye('wamp.close.killed'), 'closed by GOODBYE killed: whoever runs the server took it back'],
    [goodbye('wamp.close.expired'), 'closed by GOODBYE expired: its lease ran out'],
    [dismissed('logged_out'), 'closed by auth_end logged_out: its login was logged out elsewhere'],
    [dismissed('revoked'), 'closed by auth_end revoked: whoever runs the server took it back'],
    [closed('shutting_down'), 'closed 3000 shutting_down'],
  ])('says how it ended: %j', (measured, words) => {
    expect(endWords(measured)).toBe(words)
  })

  it('stays open as an outcome of its own', () => {
    expect([describeOutcome(stays), isOpen(stays)]).toEqual(['stays open', true])
    expect(sameOutcome(stays, closed('revoked'))).toBe(false)
    expect(adviceFor(stays)).toMatch(/^Go on/)
  })

  it('tells the client something else after each end', () => {
    const advice = ['logged_out', 'lease_expired', 'revoked'].map((reason) => adviceFor(closed(reason)))
    expect(new Set(advice).size).toBe(3)
    const ofExpiry = adviceFor(closed('lease_expired'))
    expect(adviceFor(goodbye('wamp.close.expired'))).toBe(ofExpiry)
    expect(adviceFor(dismissed('lease_expired'))).toBe(ofExpiry)
    expect(adviceFor(dismissed('revoked'))).toBe(adviceFor(closed('revoked')))
    expect(adviceFor(goodbye('wamp.close.killed'))).not.toBe(ofExpiry)
  })
})

describe('the script of the lab', () => {
  it('is at most 60 kB, compressed, all modules together', () => {
    const folder = join(root, 'packages/server/src/lab/browser')
    const sizes = readdirSync(folder).map((name) => {
      const text = stripTypeScriptTypes(readFileSync(join(folder, name), 'utf8'))
      return gzipSync(text).length
    })
    const total = sizes.reduce((sum, size) => sum + size, 0)
    expect(total).toBeGreaterThan(10_000)
    expect(total).toBeLessThanOrEqual(60_000)
  })
})
