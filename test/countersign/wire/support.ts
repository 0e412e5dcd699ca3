import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Found } from '../../../packages/countersign/src/wire/found.ts'

/** How often a property of a pure parser is tried. */
export const numRuns: number = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)

/** Text made of pieces of a grammar, mixed with anything: gets further into a parser than noise does. */
export function textOf(...pieces: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    { weight: 2, arbitrary: fc.string({ maxLength: 6 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\u0000', '\r\n', '\ud800', '%', '"', '\\', ' ', '\t', '\u00e9'),
    },
  )
  return fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''))
}

/** Any text: of the grammar's pieces or wholly arbitrary. */
export function anyText(...pieces: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(textOf(...pieces), fc.string({ unit: 'binary', maxLength: 64 }), fc.string())
}

/** Holds a parser to its promise: one of three kinds for any text, a constant reason, no throw. */
export function expectTotal<T>(parse: (text: string) => Found<T>, texts: fc.Arbitrary<string>): void {
  const whys = new Set<string>()
  fc.assert(
    fc.property(texts, (text) => {
      const answer = parse(text)
      if (answer.kind === 'malformed') whys.add(answer.why)
      return answer.kind === 'found'
        ? 'value' in answer
        : answer.kind === 'absent' || answer.kind === 'malformed'
    }),
    { numRuns },
  )
  // Reasons are constant words: there are few of them, whatever was thrown in.
  expect(whys.size).toBeLessThan(12)
  for (const why of whys) expect(why).toMatch(/^[A-Za-z0-9 .-]{3,40}$/)
}

/** The value of an answer that must be found. */
export function valueOf<T>(answer: Found<T>): T {
  if (answer.kind !== 'found') throw new Error(`expected a value: ${JSON.stringify(answer)}`)
  return answer.value
}
