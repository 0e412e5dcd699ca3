import { isIPv4 } from 'node:net'
import { array, assert, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { most, perSecond, timesEach } from '../bench/rig/arrivals.ts'
import { sourceAddress } from '../bench/rig/addresses.ts'
import type { Pulse } from '../bench/rig/crowd-protocol.ts'
import { delaysBetween, spreadOf } from '../bench/rig/delays.ts'
import { median, quantile } from '../bench/rig/numbers.ts'
import { jsonOf, tablesOf, verdict, type Row } from '../bench/rig/report.ts'
import { closeFrame, textFrame } from '../bench/rig/requests.ts'
import { besideFloor, inRounds, turnsOf, type RoundSlice } from '../bench/rig/rounds.ts'
import { ServerFrames } from '../bench/rig/server-frames.ts'
import { readSlowHttpTest } from '../bench/rig/slowhttptest.ts'
import { together, type Visits } from '../bench/rig/visits.ts'

const numbers = array(integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 50 })

describe('a median', () => {
  test('has as many values on either side, and depends on no order', () => {
    assert(
      property(numbers, (values) => {
        const middle = median(values)
        expect(median(values.toReversed())).toBe(middle)
        const [below, above] = [
          values.filter((value) => value < middle),
          values.filter((value) => value > middle),
        ]
        expect(Math.max(below.length, above.length)).toBeLessThanOrEqual(values.length / 2)
      }),
    )
  })

  test('of an even number of values is the mean of the two middle ones, of none no number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBeNaN()
  })
})

describe('a quantile', () => {
  test('has its share of the list below it', () => {
    const ascending = Array.from({ length: 200 }, (_none, at) => at)
    expect([0, 0.5, 0.99, 1].map((share) => quantile(ascending, share))).toEqual([0, 100, 198, 199])
    expect(quantile([], 0.5)).toBeNaN()
  })
})

describe('delays of a pulse', () => {
  const pulse: Pulse = { dueAtMs: [0, 10, 20, 30, 40], delayMs: [5, 9, null, 1, 7] }

  test('are those of messages that were due in the window, first instant included and last not', () => {
    expect(delaysBetween(pulse, 30, 50)).toEqual([1, 7])
    expect(delaysBetween(pulse, 0, 10)).toEqual([5])
  })

  test('are infinite for a message that was never answered, which no percentile may lose', () => {
    expect(delaysBetween(pulse, 10, 40)).toEqual([1, 9, Infinity])
    expect(spreadOf([delaysBetween(pulse, 10, 40)]).maxMs).toBe(Infinity)
  })

  test('of several windows are counted as one', () => {
    const many = Array.from({ length: 100 }, () => 1)
    expect(spreadOf([many, [50, 60]])).toEqual({ p50Ms: 1, p99Ms: 50, maxMs: 60 })
  })
})

describe('rounds', () => {
  test('give everybody one turn, and over two rounds the same place on average', () => {
    assert(
      property(integer({ min: 0, max: 50 }), integer({ min: 1, max: 8 }), (round, count) => {
        const [one, other] = [turnsOf(2 * round, count), turnsOf(2 * round + 1, count)]
        expect(one.toSorted((less, more) => less - more)).toEqual(
          Array.from({ length: count }, (_none, at) => at),
        )
        expect(one.map((turn, place) => place + other.indexOf(turn))).toEqual(one.map(() => count - 1))
      }),
    )
  })

  const slice = (us: number): RoundSlice => ({ us, perSecond: 1_000 / us, p50Ms: us })

  test('are counted after those for warming up, and contestants are asked one at a time', async () => {
    const asked: string[] = []
    let running = 0
    const contestant = (name: string) => async (): Promise<RoundSlice> => {
      expect(running++).toBe(0)
      await Promise.resolve()
      running--
      return slice(asked.push(name))
    }
    const plan = { warmUps: 2, rounds: 4, withinMs: 60_000 }
    const slices = await inRounds([contestant('floor'), contestant('other')], plan)
    expect(slices.map(({ length }) => length)).toEqual([4, 4])
    expect(asked.filter((name) => name === 'floor')).toHaveLength(6)
    expect(slices.flat().every(({ us }) => us > 4)).toBe(true)
  })

  test('end after three when time is up', async () => {
    const one = (): Promise<RoundSlice> => Promise.resolve(slice(1))
    const slices = await inRounds([one], { warmUps: 9, rounds: 9, withinMs: 0 })
    expect(slices.map(({ length }) => length)).toEqual([3])
  })

  test('are compared neighbour by neighbour: a slow minute of both changes no share', () => {
    const floor = [10, 100, 10].map(slice)
    const guarded = [20, 200, 20].map(slice)
    expect(besideFloor(guarded, floor, 'connects')).toMatchObject({
      share: 0.5,
      'share (quietest)': 0.5,
      'share of rate': 0.5,
      'floor µs': 10,
      µs: 20,
      'connects/s': 50,
      rounds: 3,
    })
  })
})

describe('arrivals', () => {
  test('are counted by the second from an instant on, and none before it', () => {
    expect(perSecond([999, 1_000, 1_999, 2_000, 4_500], 1_000)).toEqual([2, 1, 0, 1])
    expect(perSecond([], 0)).toEqual([])
  })

  test('of one client are counted together', () => {
    expect(timesEach([7, 8, 7, 9, 7])).toEqual([3, 1, 1])
    expect([most(timesEach([7, 8, 7])), most([])]).toEqual([2, 0])
  })
})

describe('frames of a server', () => {
  test('are found however they are cut into chunks', () => {
    const texts = ['0{"sid":"x"}', '', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(5_000)]
    const frames = texts.map((text) => {
      const { length } = text
      const head = length < 126 ? [0x81, length] : [0x81, 126, length >> 8, length & 0xff]
      return Buffer.concat([Buffer.from(head), Buffer.from(text)])
    })
    const pong = Buffer.from([0x8a, 1, 0x78])
    const bytes = Buffer.concat([pong, ...frames])
    assert(
      property(array(integer({ min: 0, max: bytes.length }), { maxLength: 6 }), (cuts) => {
        const heard: string[] = []
        const reader = new ServerFrames((text) => void heard.push(text))
        const ends = [...cuts.toSorted((one, other) => one - other), bytes.length]
        let from = 0
        for (const end of ends) {
          // Handed over in a buffer that is used again, as by the generator.
          const chunk = Buffer.from(bytes.subarray(from, end))
          reader.take(chunk)
          chunk.fill(0)
          from = end
        }
        expect(heard).toEqual(texts)
      }),
    )
  })
})

describe('visits', () => {
  test('that failed are counted and count as infinitely late', () => {
    const some = (latenciesMs: readonly number[]): Visits => ({
      count: latenciesMs.length,
      succeeded: latenciesMs.filter(Number.isFinite).length,
      latenciesMs,
      failures: latenciesMs.includes(Infinity) ? ['closed'] : [],
    })
    expect(together([some([1, 5]), some([2, Infinity])])).toEqual({
      count: 4,
      succeeded: 3,
      latenciesMs: [1, 2, 5, Infinity],
      failures: ['closed'],
    })
  })
})

describe('source addresses', () => {
  test('are of this machine, and 64,516 numbers in a row have one each', () => {
    const all = Array.from({ length: 64_516 }, (_none, at) => sourceAddress(at))
    expect(new Set(all).size).toBe(all.length)
    expect(all.every((address) => isIPv4(address) && address.startsWith('127.'))).toBe(true)
    expect(sourceAddress(64_516)).toBe(sourceAddress(0))
  })
})

describe('frames of the generator', () => {
  test('are masked, as a server demands of every client', () => {
    const frame = textFrame('Hello')
    expect([frame[0], frame[1]]).toEqual([0x81, 0x85])
    const [mask, masked] = [frame.subarray(2, 6), frame.subarray(6)]
    expect(Buffer.from(masked.map((byte, at) => byte ^ (mask[at % 4] ?? 0))).toString()).toBe('Hello')
    expect([closeFrame[0], closeFrame[1], closeFrame.length]).toEqual([0x88, 0x80, 6])
  })
})

describe('what slowhttptest says', () => {
  const ended = (status: string, seconds: string): string =>
    `\u001b[1;32mservice available:\u001b[1;32m   \u001b[1;32mYES\u001b[0m\n` +
    `\u001b[0;36mTest ended on ${seconds} second\nExit status:\u001b[1;36m ${status}\n\u001b[0m`

  test('is read through its colours', () => {
    expect(readSlowHttpTest(ended('No open connections left', '11th'))).toEqual({
      seconds: 11,
      emptied: true,
      available: true,
    })
  })

  test('tells an emptied server from one that outlasted the test', () => {
    expect(readSlowHttpTest(ended('Hit test time limit', '41st'))).toMatchObject({
      seconds: 41,
      emptied: false,
    })
  })

  test('remembers a probe that was not answered', () => {
    const output = `service available:   NO\n${ended('No open connections left', '12th')}`
    expect(readSlowHttpTest(output)).toMatchObject({ available: false })
  })

  test('is nothing when it was cut off', () => {
    expect(readSlowHttpTest('slow HTTP test status on 5th second:')).toBeUndefined()
  })
})

describe('rows', () => {
  const row: Row = {
    bench: 'leases',
    name: 'closes',
    figures: { ms: 12 },
    targets: [{ figure: 'ms', bound: 250, sense: 'at most' }],
  }

  test('meet a target or miss it, and a figure that is not there misses it', () => {
    const [target] = row.targets
    if (target === undefined) throw new Error('a target')
    expect(verdict(row, target)).toBe('met')
    expect(verdict({ ...row, figures: { ms: 251 } }, target)).toBe('missed')
    expect(verdict({ ...row, figures: {} }, target)).toBe('missed')
  })

  test('of different tables do not share columns', () => {
    const other: Row = { ...row, name: 'floods', table: 'floods', figures: { 'p99 ms': 3 }, targets: [] }
    const [first = '', second = ''] = tablesOf([row, other]).split('\n\n')
    expect(first).not.toContain('p99')
    expect(second.split('\n')[0]).toBe('floods')
    expect(second).not.toContain('closes')
  })

  test('say why nothing was measured, on paper and in JSON', () => {
    const unmeasured: Row = { ...row, figures: {}, targets: [], note: 'not measured: no tool' }
    expect(tablesOf([unmeasured])).toContain('not measured: no tool')
    expect(jsonOf([unmeasured])).toContain('not measured: no tool')
  })
})
