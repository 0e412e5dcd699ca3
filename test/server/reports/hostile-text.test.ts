import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toTerminal } from '../../../packages/server/src/reports/terminal.ts'
import { writeReport } from '../../../packages/server/src/reports/write.ts'
import { reportSaying } from './support/made-up.ts'
import { junitErrors, sarifErrors } from './support/schemas.ts'

/** Pieces that do harm where they are not expected, between any text. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u001b[2J\u001b[H',
        '\u001b]0;title\u0007',
        '\u009b31m',
        '\r\n',
        '\n',
        '\u0000',
        '\u202e',
        '\u2066',
        '\u200b',
        '\u2028',
        '\ud800',
        '\udfff',
        '\ufffe',
        '\u{e0041}',
        '</pre><script>alert(1)</script>',
        '<!--',
        ']]>',
        '<?xml ?>',
        '&lt;&#0;',
        '"\'`',
        '\\u0000\\',
        '${x}{0}',
        '__proto__: a',
        '[a](javascript:1)',
      ),
      fc.string({ unit: 'binary' }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

// What moves a cursor, colours, or turns around the words that follow.
const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

describe('whatever a target says,', () => {
  it('a terminal is given lines without a control character', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 200 }), (text, columns) => {
        const options = { paint: (_tone: unknown, one: string) => one, known: new Set<string>(), columns }
        for (const line of toTerminal(reportSaying(text), { ...options, verbose: true }))
          expect(line).not.toMatch(harmful)
      }),
    )
  })

  it('the page keeps its elements and its text holds no control character', () => {
    const tagsOf = (text: string): readonly string[] =>
      [...writeReport(reportSaying(text), 'html').matchAll(/<\/?[a-z][a-z0-9]*|<[!?]/gi)].map(([tag]) => tag)
    const expected = tagsOf('x')
    fc.assert(
      fc.property(hostile, (text) => {
        expect(tagsOf(`x${text}`)).toEqual(expected)
        expect(writeReport(reportSaying(text), 'html').replaceAll(/[\n\t]/g, '')).not.toMatch(harmful)
      }),
    )
  })

  it('JSON and SARIF parse, keep the words, and could be shown at a terminal', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(sarifErrors(JSON.parse(writeReport(reportSaying(text), 'sarif')))).toEqual([])
        for (const format of ['json', 'sarif'] as const) {
          const written = writeReport(reportSaying(text), format)
          expect(written.replaceAll('\n', '')).not.toMatch(harmful)
          const parsed: unknown = JSON.parse(written)
          expect(JSON.stringify(parsed)).toContain(JSON.stringify(`target: ${text}`).slice(9, -1))
        }
      }),
    )
  })

  it('JUnit XML is well-formed and keeps its schema', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const xml = writeReport(reportSaying(text), 'junit')
        expect(xml.replaceAll(/[\n\t]/g, '')).not.toMatch(harmful)
        expect(await junitErrors(xml)).toEqual([])
      }),
      { numRuns: 25 },
    )
  })
})
