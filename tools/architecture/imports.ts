import type { Lexed } from './lex.ts'

/** One import, re-export or dynamic import of a file. */
export interface Import {
  readonly specifier: string
  /** Whether it vanishes when the types are stripped. */
  readonly typesOnly: boolean
  /** Line number, from 1. */
  readonly line: number
}

const names = String.raw`(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?|[\w$]+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+[\w$]+))?)`

/** Each form of import, up to and including the quote that opens its specifier; group 1 catches a leading `type`. */
const forms: readonly RegExp[] = [
  new RegExp(String.raw`(?<![\w$.])(?:import|export)\s+(type\s+)?${names}\s*from\s*['"]`, 'g'),
  /(?<![\w$.])import\s*()['"]/g,
  /(?<![\w$.])import\s*\(\s*()['"]/g,
]

/** Finds every import of a file. A dynamic import of anything but a plain string is not seen. */
export function findImports({ code, bare }: Lexed): readonly Import[] {
  return forms.flatMap((form) =>
    [...bare.matchAll(form)].map((match) => {
      const start = match.index + match[0].length
      const quote = bare.charAt(start - 1)
      return {
        specifier: code.slice(start, bare.indexOf(quote, start)),
        typesOnly: (match[1] ?? '') !== '',
        line: lineAt(bare, match.index),
      }
    }),
  )
}

/** The line, counted from 1, on which an offset lies. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
