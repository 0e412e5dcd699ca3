import { describe, expect, it } from 'vitest'
import { Budget, defaultAllowance, intrusiveAllowance } from '../../../packages/server/src/audit/budget.ts'

const never = new AbortController().signal

/** How many of so many connections are given a place at once. */
async function seatedOf(budget: Budget, wanted: number): Promise<number> {
  let seated = 0
  const places = Array.from({ length: wanted }, () => budget.seat())
  const leavings = places.map((place) =>
    place.then((giveBack) => {
      seated += 1
      return giveBack
    }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  const atOnce = seated
  for (const leaving of leavings) void leaving.then((giveBack) => giveBack())
  await Promise.all(leavings)
  return atOnce
}

describe('places for open connections', () => {
  it('are twenty, whatever a check asks for', async () => {
    const budget = new Budget(defaultAllowance, never)
    expect(await budget.crowded(() => seatedOf(budget, 60))).toBe(20)
  })

  it('are a hundred more with consent, while a crowd is counted', async () => {
    const budget = new Budget({ ...defaultAllowance, ...intrusiveAllowance }, never)
    expect(await budget.crowded(() => seatedOf(budget, 200))).toBe(120)
  })

  it('are twenty again behind the crowd, even one that went wrong', async () => {
    const budget = new Budget({ ...defaultAllowance, ...intrusiveAllowance }, never)
    await expect(budget.crowded(() => Promise.reject(new Error('wrong')))).rejects.toThrow('wrong')
    expect(await seatedOf(budget, 60)).toBe(20)
  })
})
