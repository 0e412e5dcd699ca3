import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { PatternIndex, type PatternMatch } from '../../../packages/countersign/src/wamp/pattern-index.ts'
import { matches } from '../../../packages/countersign/src/wamp/uri.ts'

const runs = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)

function found(index: PatternIndex<string>, uri: string): readonly string[] {
  const into: string[] = []
  index.collect(uri, into)
  return into
}

it('finds prefixes from the shortest on, then wildcards', () => {
  const index = new PatternIndex<string>()
  for (const text of ['com.a', 'com.a.b.c', '', 'com.']) index.set(text, 'prefix', `prefix ${text}`)
  for (const text of ['com..b', '..b', 'com..']) index.set(text, 'wildcard', `wildcard ${text}`)
  expect(found(index, 'com.a.b')).toEqual([
    'prefix ',
    'prefix com.',
    'prefix com.a',
    'wildcard ..b',
    'wildcard com..',
    'wildcard com..b',
  ])
  expect(index.size).toBe(7)
})

it('keeps one value for each pattern', () => {
  const index = new PatternIndex<string>()
  for (const match of ['prefix', 'wildcard'] as const) {
    index.set('com.', match, 'first')
    index.set('com.', match, 'second')
    expect(index.get('com.', match)).toBe('second')
    expect(index.get('com', match)).toBeUndefined()
    expect(index.get('com..x', match)).toBeUndefined()
  }
  expect(index.size).toBe(2)
})

it('removes one pattern and no other', () => {
  const index = new PatternIndex<string>()
  index.set('a.', 'wildcard', 'short')
  index.set('a..', 'wildcard', 'long')
  for (const gone of ['b', 'a', 'a...']) index.delete(gone, 'wildcard')
  index.delete('a', 'prefix')
  expect(index.size).toBe(2)
  index.delete('a.', 'wildcard')
  expect(found(index, 'a.b')).toEqual([])
  expect(found(index, 'a.b.c')).toEqual(['long'])
  index.delete('a..', 'wildcard')
  expect(index.size).toBe(0)
})

it('agrees with one comparison after another', () => {
  const part = fc.constantFrom('a', 'b', 'ab', '')
  const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
  const step = fc.record({
    text,
    match: fc.constantFrom<PatternMatch>('prefix', 'wildcard'),
    add: fc.boolean(),
  })
  const uri = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), uri, (steps, parts) => {
      const index = new PatternIndex<string>()
      const kept = new Map<string, (typeof steps)[number]>()
      for (const one of steps) {
        const name = `${one.match} ${one.text}`
        if (one.add) index.set(one.text, one.match, name)
        else index.delete(one.text, one.match)
        if (one.add) kept.set(name, one)
        else kept.delete(name)
      }
      const topic = parts.join('.')
      const due = [...kept].filter(([, one]) => matches(one.text, one.match, topic)).map(([name]) => name)
      expect(index.size).toBe(kept.size)
      expect(found(index, topic).toSorted()).toEqual(due.toSorted())
    }),
    { numRuns: Math.min(runs, 5_000) },
  )
})
