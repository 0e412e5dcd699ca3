import { describe, expect, test } from 'vitest'
import type { Records } from '../../../packages/countersign/src/core/records.ts'
import { memory } from '../../../packages/countersign/src/stores/memory.ts'
import {
  expectEqual,
  expectFailure,
  expectThat,
  fakeClock,
  recordingJournal,
  recordsSuite,
} from '../../../packages/countersign/src/testing/index.ts'

describe('the fake clock', () => {
  test('stands still until it is advanced', () => {
    const clock = fakeClock(1000)
    expect(clock.now()).toBe(1000)
    clock.advance(500)
    expect(clock.now()).toBe(1500)
    expect(fakeClock().now()).toBe(Date.UTC(2026, 0, 1))
  })

  test('calls timers in order, each at its own instant, until they are stopped', () => {
    const clock = fakeClock(0)
    const ticks: string[] = []
    const stop = clock.every(100, () => ticks.push(`a${clock.now()}`))
    clock.every(150, () => ticks.push(`b${clock.now()}`))
    clock.advance(300)
    stop()
    clock.advance(200)
    expect(ticks).toEqual(['a100', 'b150', 'a200', 'a300', 'b300', 'b450'])
    expect(clock.now()).toBe(500)
  })
})

test('the recording journal keeps every entry', () => {
  const journal = recordingJournal()
  const entry = {
    kind: 'issued',
    atMs: 1,
    guard: 'g',
    method: undefined,
    subject: 'a',
    lease: undefined,
    reason: undefined,
    remoteAddress: undefined,
    origin: undefined,
    detail: 'ticket',
  } as const
  journal.record(entry)
  expect(journal.entries).toEqual([entry])
})

describe('the assertions of the suites', () => {
  test.each([
    [{ a: [1, undefined] }, { a: [1, undefined] }],
    [Number.NaN, Number.NaN],
    [[], []],
  ])('find %j equal to %j', (one, other) => {
    expect(() => expectEqual(one, other, 'it')).not.toThrow()
  })

  test.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: undefined }, {}],
    [{ a: undefined }, { b: undefined }],
    [[], {}],
    [{}, null],
    [undefined, 1],
    ['a', ['a']],
    [new Uint8Array([1]), new Uint8Array([2])],
  ])('tell %j from %j', (one, other) => {
    expect(() => expectEqual(one, other, 'it')).toThrow(/^it: expected /)
  })

  test('hold a condition and a failure', async () => {
    expect(() => expectThat(true, 'it holds')).not.toThrow()
    expect(() => expectThat(false, 'it holds')).toThrow('expected that it holds')
    await expectFailure(() => Promise.reject(new Error('no')), 'it')
    await expect(expectFailure(() => 1, 'it')).rejects.toThrow('expected a failure')
  })
})

describe('the suite of records', () => {
  /** Names of the behaviours that a store with this flaw breaks. */
  async function broken(flaw: Partial<Records>): Promise<readonly string[]> {
    let closed = 0
    const cases = recordsSuite(async () => {
      const records = Object.assign(memory(), flaw)
      return { records, close: async () => void closed++ }
    })
    const names: string[] = []
    for (const { name, run } of cases) await run().catch(() => names.push(name))
    expect(closed).toBe(cases.length)
    return names
  }

  test('passes a store without flaws', async () => {
    expect(await broken({})).toEqual([])
  })

  test.each<[string, Partial<Records>, string]>([
    ['gives tickets twice', ticketsForEver(), 'gives a ticket to exactly one of fifty takers at once'],
    ['never ends sessions', { endSessions: () => {} }, 'ends a login session with its children and no other'],
    [
      'finds no marks',
      { findMark: () => undefined },
      'finds the mark of kind role that names the grant, and none that names another',
    ],
    [
      'always takes secrets',
      { takeChallengeSecret: () => true },
      'tells exactly one of fifty takers that the secret was there',
    ],
    [
      'gives a public key to everyone',
      { addPublicKey: () => 'added' },
      'gives a public key to exactly one of fifty accounts at once',
    ],
    [
      'never ends SCRAM keys',
      { endScramKey: () => true },
      'ends the SCRAM keys of one account, and tells whether there were any',
    ],
    ['sweeps nothing', { sweep: () => 0 }, 'keeps marks for 400 days'],
  ])('catches a store that %s', async (_name, flaw, behaviour) => {
    expect(await broken(flaw)).toContain(behaviour)
  })
})

function ticketsForEver(): Partial<Records> {
  const rows = new Map<string, Parameters<Records['putTicket']>[0]>()
  return { putTicket: (row) => void rows.set(row.key, row), takeTicket: (key) => rows.get(key) }
}
