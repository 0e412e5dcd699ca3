/** The text of a configuration: YAML, or JSON, which is YAML; with the place of every value. */
import { isMap, LineCounter, parseDocument, type Document } from 'yaml'
import { place, placesIn, type PlacedFinding, type Places } from './config-issues.ts'

/** Values and where they stand, or why the text cannot be read. */
export type TextReading =
  | { readonly kind: 'values'; readonly values: unknown; readonly places: Places }
  | { readonly kind: 'wrong'; readonly findings: readonly PlacedFinding[] }

/** Reads a text whose top is a mapping. */
export function readConfigText(text: string): TextReading {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    stringKeys: true,
  })
  const places = placesIn(document, lines)
  const wrong = (message: string): TextReading => ({
    kind: 'wrong',
    findings: place([{ level: 'error', path: [], message }], places),
  })
  if (document.errors.length > 0) return { kind: 'wrong', findings: syntaxFindings(document.errors, lines) }
  if (!isMap(document.contents)) return wrong('must be a mapping of keys to values')
  const values = valuesOf(document)
  return values === undefined
    ? wrong('repeats too much by aliases (&, *)')
    : { kind: 'values', values, places }
}

/** Plain values; `undefined` for aliases that would blow up. */
function valuesOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    return undefined
  }
}

function syntaxFindings(
  errors: readonly { readonly message: string; readonly pos: [number, number] }[],
  lines: LineCounter,
): readonly PlacedFinding[] {
  return errors.map(({ message, pos }) => ({
    level: 'error',
    path: [],
    at: '',
    line: Math.max(1, lines.linePos(pos[0]).line),
    message: `cannot be read as YAML: ${message.split('\n')[0] ?? ''}`,
  }))
}
