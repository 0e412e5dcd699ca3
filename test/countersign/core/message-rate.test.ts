import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MisuseError } from '../../../packages/countersign/src/core/errors.ts'
import { checkRate, Meter, type MessageRate } from '../../../packages/countersign/src/core/message-rate.ts'
import { numRuns } from '../support/guard.ts'

const start = Date.parse('2030-01-01T00:00:00Z')

/** The same with fractions: a bucket that holds `max` and is filled all the time, in hundred-thousandths of a message. */
class Bucket {
  readonly #rate: MessageRate
  #missing = 0n
  #atMs: number

  constructor(rate: MessageRate, atMs: number) {
    this.#rate = rate
    this.#atMs = atMs
  }

  /** One message misses `intervalMs`, and `max` of that comes back each ms: both are whole. */
  takes(now: number): boolean {
    const back = BigInt(now - this.#atMs) * BigInt(this.#rate.max)
    this.#atMs = now
    this.#missing = this.#missing > back ? this.#missing - back : 0n
    const missing = this.#missing + BigInt(this.#rate.intervalMs)
    if (missing > BigInt(this.#rate.max) * BigInt(this.#rate.intervalMs)) return false
    this.#missing = missing
    return true
  }
}

const rates = fc.record({
  max: fc.integer({ min: 1, max: 20 }),
  intervalMs: fc.integer({ min: 1, max: 3_000 }),
})
const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 })), { maxLength: 60 })

describe('a meter', () => {
  it('lets all of a rate through at once, and tells when there is one more', () => {
    const meter = new Meter([{ max: 3, intervalMs: 1_000 }], start)
    expect([0, 1, 2].map(() => meter.spend(0, start))).toEqual([0, 0, 0])
    expect(meter.spend(0, start)).toBe(334)
    expect(meter.spend(0, start + 333)).toBe(1)
    expect(meter.spend(0, start + 334)).toBe(0)
    expect(meter.spend(0, start + 334)).toBe(333)
  })

  it('counts each limit apart, and one that is none not at all', () => {
    const meter = new Meter(
      [
        { max: 1, intervalMs: 10 },
        { max: 1, intervalMs: 20 },
      ],
      start,
    )
    expect([meter.spend(0, start), meter.spend(1, start), meter.spend(2, start)]).toEqual([0, 0, 0])
    expect([meter.spend(0, start), meter.spend(1, start), meter.spend(2, start)]).toEqual([10, 20, 0])
  })

  it('agrees with a bucket of exact fractions at every message', () => {
    fc.assert(
      fc.property(rates, pauses, (rate, steps) => {
        const meter = new Meter([rate], start)
        const bucket = new Bucket(rate, start)
        let now = start
        for (const step of steps) {
          now += step
          expect(meter.spend(0, now) === 0).toBe(bucket.takes(now))
        }
      }),
      { numRuns },
    )
  })

  it('refuses until the wait is over and not a millisecond longer', () => {
    fc.assert(
      fc.property(rates, pauses, (rate, steps) => {
        const meter = new Meter([rate], start)
        let now = start
        for (const step of steps) {
          now += step
          const waitMs = meter.spend(0, now)
          if (waitMs === 0) continue
          expect(waitMs).toBeLessThanOrEqual(rate.intervalMs)
          expect(waitMs === 1 || meter.spend(0, now + waitMs - 1) > 0).toBe(true)
          now += waitMs
          expect(meter.spend(0, now)).toBe(0)
        }
      }),
      { numRuns },
    )
  })

  it('lets less than twice its rate through in any interval', () => {
    fc.assert(
      fc.property(rates, pauses, (rate, steps) => {
        const meter = new Meter([rate], start)
        const passed: number[] = []
        let now = start
        for (const step of steps) {
          now += step
          if (meter.spend(0, now) === 0) passed.push(now)
        }
        for (const first of passed) {
          const within = passed.filter((at) => at >= first && at < first + rate.intervalMs)
          expect(within.length).toBeLessThan(2 * rate.max)
        }
      }),
      { numRuns },
    )
  })

  it('never gives more, and never waits longer than an interval, when the clock is set back', () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(fc.integer({ min: -86_400_000, max: 0 }), { minLength: 1, maxLength: 30 }),
        (rate, steps) => {
          const meter = new Meter([rate], start)
          let now = start
          let passed = 0
          for (const step of steps) {
            now += step
            const waitMs = meter.spend(0, now)
            expect(waitMs).toBeLessThanOrEqual(rate.intervalMs)
            if (waitMs === 0) passed++
          }
          expect(passed).toBeLessThanOrEqual(rate.max)
        },
      ),
      { numRuns },
    )
  })

  it('stays exact after a year', () => {
    const rate = { max: 99_991, intervalMs: 86_399_999 }
    const meter = new Meter([rate], start)
    const later = start + 366 * 86_400_000
    for (let message = 0; message < rate.max; message++) expect(meter.spend(0, later)).toBe(0)
    expect(meter.spend(0, later)).toBe(Math.ceil(rate.intervalMs / rate.max))
  })
})

describe('a rate', () => {
  it.each([
    [undefined],
    [null],
    [{}],
    [{ max: 0, intervalMs: 1 }],
    [{ max: 1.5, intervalMs: 1 }],
    [{ max: 1, intervalMs: 0 }],
    [{ max: Infinity, intervalMs: 1 }],
    [{ max: 1, intervalMs: 86_400_001 }],
    [{ max: '1', intervalMs: 1 }],
  ])('of %j is misuse', (rate) => {
    expect(() => checkRate('it', rate as MessageRate)).toThrow(MisuseError)
  })
})
