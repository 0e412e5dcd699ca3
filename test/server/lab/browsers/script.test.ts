import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { unwrapResult, wrapScript } from '../../../../packages/server/src/lab/browsers/script.ts'

/** Does what a page does with the expression. */
const evaluate = async (body: string): Promise<unknown> =>
  unwrapResult(await runInThisContext(wrapScript(body)))

describe('a wrapped script', () => {
  it('brings back what its body returns, as JSON', async () => {
    expect(await evaluate('return { a: [1, null, "é"], gone: undefined }')).toEqual({ a: [1, null, 'é'] })
    expect(await evaluate('return await Promise.resolve(false)')).toBe(false)
  })

  it('brings back nothing when its body returns nothing', async () => {
    expect(await evaluate('')).toBeUndefined()
  })

  it('may end in a line comment', async () => {
    expect(await evaluate('return 1 // one')).toBe(1)
  })

  it.each([
    ['throw new RangeError("too far")', 'RangeError: too far'],
    ['throw "a word"', 'a word'],
    ['return 1n', 'BigInt'],
  ])('reports the failure of: %s', async (body, message) => {
    await expect(evaluate(body)).rejects.toMatchObject({
      failure: 'script',
      message: expect.stringContaining(message),
    })
  })

  it('is told from a page that went away', () => {
    expect(() => unwrapResult(undefined)).toThrow('the page gave no result')
  })
})
