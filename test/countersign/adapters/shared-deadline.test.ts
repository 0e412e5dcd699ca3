import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SharedDeadline } from '../../../packages/countersign/src/adapters/shared-deadline.ts'

interface Guest {
  readonly name: string
}

describe('a shared deadline', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function line(withinMs: number): { deadline: SharedDeadline<Guest>; late: string[] } {
    const late: string[] = []
    return { deadline: new SharedDeadline<Guest>(withinMs, ({ name }) => void late.push(name)), late }
  }

  it('tells each at its own time, by one timer', () => {
    const { deadline, late } = line(1_000)
    deadline.enter({ name: 'a' })
    vi.advanceTimersByTime(400)
    deadline.enter({ name: 'b' })
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(599)
    expect(late).toEqual([])
    vi.advanceTimersByTime(1)
    expect(late).toEqual(['a'])
    vi.advanceTimersByTime(399)
    expect(late).toEqual(['a'])
    vi.advanceTimersByTime(1)
    expect(late).toEqual(['a', 'b'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not tell those who have left, and counts from the start for those who come again', () => {
    const { deadline, late } = line(1_000)
    const [a, b] = [{ name: 'a' }, { name: 'b' }]
    deadline.enter(a)
    deadline.enter(b)
    vi.advanceTimersByTime(900)
    deadline.leave(a)
    deadline.leave(b)
    deadline.enter(a)
    vi.advanceTimersByTime(999)
    expect(late).toEqual([])
    vi.advanceTimersByTime(1)
    expect(late).toEqual(['a'])
  })

  it('rings for whoever comes after it has run empty', () => {
    const { deadline, late } = line(50)
    deadline.enter({ name: 'a' })
    vi.advanceTimersByTime(500)
    deadline.enter({ name: 'b' })
    vi.advanceTimersByTime(50)
    expect(late).toEqual(['a', 'b'])
  })

  it('tells all who are over at once after the event loop was busy, and takes in who comes meanwhile', () => {
    const late: string[] = []
    const deadline: SharedDeadline<Guest> = new SharedDeadline<Guest>(100, ({ name }) => {
      late.push(name)
      if (name === 'a') deadline.enter({ name: 'c' })
    })
    deadline.enter({ name: 'a' })
    deadline.enter({ name: 'b' })
    vi.advanceTimersByTime(100)
    expect(late).toEqual(['a', 'b'])
    vi.advanceTimersByTime(100)
    expect(late).toEqual(['a', 'b', 'c'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
