import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median, medianInterval, signedRank } from '../../../packages/server/src/audit/statistics.ts'

/** Differences in height of crossed and self-fertilised maize, eighths of an inch (Darwin 1876). */
const maize = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
/** With ties and zeros. */
const tied = [1, 1, 2, -2, 3, 3, -1, 4, 5, 5, 0, 0, 2, -3, 6, 7, 7, -8, 9, 10]

/** A generator with a seed (mulberry32): what is drawn is drawn again. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('the median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
    [[], 0],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })
})

describe('the signed-rank test', () => {
  it('agrees with published values: maize', () => {
    const { w, p } = signedRank(maize)
    expect(w).toBe(24)
    expect(p).toBeCloseTo(0.043_772, 5)
  })

  it('agrees with SciPy on ties and zeros', () => {
    const { w, p } = signedRank(tied)
    expect(w).toBe(31)
    expect(p).toBeCloseTo(0.018_491, 5)
  })

  it('agrees with SciPy on sixty values', () => {
    const values = Array.from({ length: 60 }, (_, at) => (((at * 7_919) % 101) - 40) / 10)
    const { w, p } = signedRank(values)
    expect(w).toBe(580)
    expect(p).toBeCloseTo(0.021_532, 5)
  })

  it('finds nothing where nothing differs', () => {
    expect(signedRank([0, 0, 0]).p).toBe(1)
    expect(signedRank([]).p).toBe(1)
  })

  it('does not ask in which direction', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { maxLength: 80 }), (values) => {
        expect(signedRank(values.map((value) => -value)).p).toBeCloseTo(signedRank(values).p, 10)
      }),
    )
  })

  it('gives a chance between 0 and 1, and a sum of at most half of all ranks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 80 }),
        (values) => {
          const { p, w } = signedRank(values)
          const n = values.filter((value) => value !== 0).length
          expect(p).toBeGreaterThanOrEqual(0)
          expect(p).toBeLessThanOrEqual(1)
          expect(w).toBeLessThanOrEqual((n * (n + 1)) / 4)
        },
      ),
    )
  })

  it('is surer of greater shifts', () => {
    const random = seeded(1)
    const noise = Array.from({ length: 200 }, () => random() - 0.5)
    const shifted = (by: number): number => signedRank(noise.map((value) => value + by)).p
    expect(shifted(0.2)).toBeLessThan(shifted(0.1))
    expect(shifted(0.2)).toBeLessThan(0.001)
  })

  it('cries wolf as seldom as it says, on long-tailed noise', () => {
    const random = seeded(7)
    const tail = (): number => (random() < 0.5 ? -1 : 1) * random() ** -1.2
    const alarms = Array.from({ length: 1_000 }, () => signedRank(Array.from({ length: 60 }, tail)).p).filter(
      (p) => p < 0.05,
    )
    expect(alarms.length).toBeGreaterThan(20)
    expect(alarms.length).toBeLessThan(80)
  })
})

describe('the interval of the median', () => {
  it('covers the true median about as often as it says', () => {
    const random = seeded(3)
    const options = { confidence: 0.9, samples: 200, random }
    const covered = Array.from({ length: 300 }, () =>
      medianInterval(
        Array.from({ length: 50 }, () => random() - 0.5),
        options,
      ),
    ).filter(({ from, to }) => from <= 0 && to >= 0)
    expect(covered.length / 300).toBeGreaterThan(0.83)
    expect(covered.length / 300).toBeLessThan(0.98)
  })

  it('lies within what was measured, and around the median', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 1, maxLength: 40 }),
        fc.nat(),
        (values, seed) => {
          const { from, to } = medianInterval(values, { confidence: 0.99, samples: 99, random: seeded(seed) })
          expect(from).toBeGreaterThanOrEqual(Math.min(...values))
          expect(to).toBeLessThanOrEqual(Math.max(...values))
          expect(from).toBeLessThanOrEqual(to)
        },
      ),
    )
  })

  it('moves with the values', () => {
    const values = [5, 1, 4, 2, 3, 9, 8]
    const at = (shift: number): { from: number; to: number } =>
      medianInterval(
        values.map((value) => value + shift),
        { confidence: 0.95, samples: 500, random: seeded(11) },
      )
    expect(at(100).from - at(0).from).toBe(100)
    expect(at(100).to - at(0).to).toBe(100)
  })
})
