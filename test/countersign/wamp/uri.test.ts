import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPattern, matcherOf, matches, type Match } from '../../../packages/countersign/src/wamp/uri.ts'

const part = fc.constantFrom('', 'a', 'ab', 'b')
const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))

/** As the specification says it, with everything taken apart. */
function model(pattern: string, match: Match, uri: string): boolean {
  if (match === 'exact') return pattern === uri
  if (match === 'prefix') return uri.slice(0, pattern.length) === pattern
  const [wanted, given] = [pattern.split('.'), uri.split('.')]
  return wanted.length === given.length && wanted.every((one, at) => one === '' || one === given[at])
}

describe('a pattern', () => {
  test('covers what the specification says that it covers', () => {
    const policy = fc.constantFrom<Match>('exact', 'prefix', 'wildcard')
    const same = fc.property(text, policy, text, (pattern, match, uri) => {
      expect(matches(pattern, match, uri)).toBe(model(pattern, match, uri))
      expect(matcherOf(pattern, match)(uri)).toBe(model(pattern, match, uri))
    })
    fc.assert(same, { numRuns: Number(process.env.COUNTERSIGN_FUZZ_RUNS ?? 10_000) })
  })

  test('is looked at in time that grows with its length, whatever it holds', () => {
    const startMs = performance.now()
    for (const hostile of [`${'a.'.repeat(511)}#`, `${'a'.repeat(1_023)} `, '.'.repeat(1_024)]) {
      for (const match of ['exact', 'prefix', 'wildcard'] as const) {
        for (const check of ['loose', 'strict'] as const) {
          for (let time = 0; time < 100; time++) expect(isPattern(hostile, match, check)).toBe(false)
        }
      }
    }
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })
})
