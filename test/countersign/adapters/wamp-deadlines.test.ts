import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadlines } from '../../../packages/countersign/src/adapters/wamp-deadlines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** When each of these deadlines fired, ms from now; a deadline that has not is absent. */
function fired(deadlines: Deadlines, ms: number): number[] {
  const at: number[] = []
  const startMs = performance.now()
  deadlines.after(ms, () => at.push(performance.now() - startMs))
  return at
}

describe('deadlines', () => {
  it('fire once, no earlier than they were set for and two ticks later at most', () => {
    const deadlines = new Deadlines()
    const at = fired(deadlines, 10_000)
    vi.advanceTimersByTime(9_999)
    expect(at).toEqual([])
    vi.advanceTimersByTime(60_000)
    expect(at).toHaveLength(1)
    expect(at[0]).toBeGreaterThanOrEqual(10_000)
    expect(at[0]).toBeLessThanOrEqual(10_200)
  })

  it('are not early where they are set between two ticks', () => {
    const deadlines = new Deadlines()
    deadlines.after(60_000, () => undefined)
    vi.advanceTimersByTime(99)
    const at = fired(deadlines, 10_000)
    vi.advanceTimersByTime(20_000)
    expect(at[0]).toBeGreaterThanOrEqual(10_000)
    expect(at[0]).toBeLessThanOrEqual(10_200)
  })

  it('fire after more than one turn of the wheel', () => {
    const deadlines = new Deadlines()
    const at = fired(deadlines, 120_000)
    vi.advanceTimersByTime(119_999)
    expect(at).toEqual([])
    vi.advanceTimersByTime(300)
    expect(at).toHaveLength(1)
  })

  it('do not fire once they are cancelled, and cancelling again does nothing', () => {
    const deadlines = new Deadlines()
    const fire = vi.fn()
    const timer = deadlines.after(10_000, fire)
    timer.cancel()
    timer.cancel()
    vi.advanceTimersByTime(60_000)
    expect(fire).not.toHaveBeenCalled()
  })

  it('need one timer, which ends with the last of them and begins with the next', () => {
    const deadlines = new Deadlines()
    const timers = [deadlines.after(10_000, vi.fn()), deadlines.after(10_000, vi.fn())]
    expect(vi.getTimerCount()).toBe(1)
    for (const timer of timers) timer.cancel()
    vi.advanceTimersByTime(100)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000_000)
    const at = fired(deadlines, 10_000)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10_200)
    expect(at).toHaveLength(1)
  })

  it('may set others as they fire', () => {
    const deadlines = new Deadlines()
    const second = vi.fn()
    deadlines.after(10_000, () => void deadlines.after(10_000, second))
    vi.advanceTimersByTime(19_999)
    expect(second).not.toHaveBeenCalled()
    vi.advanceTimersByTime(500)
    expect(second).toHaveBeenCalledOnce()
  })
})
