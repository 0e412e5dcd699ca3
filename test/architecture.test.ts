import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readArrows } from '../tools/architecture/arrows.ts'
import { checkArchitecture } from '../tools/architecture/check.ts'
import { lex } from '../tools/architecture/lex.ts'
import { root } from '../tools/processes.ts'

const arrows = readArrows(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))

function sourcesOf(folder: string): Map<string, string> {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')]),
  )
}

/** The violations of a few files, each given by its path under `packages/` and its text. */
function violations(files: Readonly<Record<string, string>>): readonly string[] {
  const sources = Object.entries(files).map(([file, text]): [string, string] => [`packages/${file}`, text])
  return checkArchitecture(new Map(sources), arrows)
}

describe('the sources', () => {
  test('keep to the arrow table of ARCHITECTURE.md', () => {
    const sources = new Map([...sourcesOf('packages/countersign/src'), ...sourcesOf('packages/server/src')])
    expect(sources.size).toBeGreaterThan(0)
    expect(checkArchitecture(sources, arrows)).toEqual([])
  })
})

describe('the arrow check', () => {
  test.each([
    ['core imports a room', 'countersign/src/core/a.ts', "import { x } from '../wire/x.ts'"],
    ['wire imports values of core', 'countersign/src/wire/a.ts', "import { x } from '../core/x.ts'"],
    [
      'a method imports an adapter',
      'countersign/src/methods/a.ts',
      "import type { X } from '../adapters/x.ts'",
    ],
    ['an arrow is hidden in a re-export', 'countersign/src/core/a.ts', "export * from '../wire/x.ts'"],
    [
      'an arrow is hidden in a dynamic import',
      'countersign/src/core/a.ts',
      "const x = await import('../wire/x.ts')",
    ],
    ['an arrow is hidden in an import for its effect', 'countersign/src/core/a.ts', "import '../wire/x.ts'"],
    ['core imports Node', 'countersign/src/core/a.ts', "import { hash } from 'node:crypto'"],
    ['jose is imported beside jwt', 'countersign/src/methods/ticket.ts', "import { jwtVerify } from 'jose'"],
    [
      'a room imports the front door',
      'countersign/src/adapters/a.ts',
      "import { createGuard } from '../index.ts'",
    ],
    [
      'the server reaches into the library',
      'server/src/server/a.ts',
      "import { x } from '../../../countersign/src/core/x.ts'",
    ],
    ['the server imports the lab', 'server/src/server/a.ts', "import { x } from '../lab/x.ts'"],
    [
      'the audit uses more than a client has',
      'server/src/audit/a.ts',
      "import { createGuard } from 'countersign'",
    ],
    ['a file stands in no room', 'countersign/src/utils/a.ts', 'export const one = 1'],
    ['core reads the clock', 'countersign/src/core/a.ts', 'export const at = (): number => Date.now()'],
    ['core makes a date of now', 'countersign/src/core/a.ts', 'export const at = new Date()'],
    [
      'core makes a date of now without parentheses',
      'countersign/src/core/a.ts',
      'export const at = [new Date, 1]',
    ],
    ['wire sets a timer', 'countersign/src/wire/a.ts', 'setTimeout(() => {}, 5)'],
    [
      'wire uses randomness in a template',
      'countersign/src/wire/a.ts',
      'export const x = `a${Math.random()}b`',
    ],
    ['carriers use crypto', 'countersign/src/carriers/a.ts', 'export const id = crypto.randomUUID()'],
    [
      'carriers use crypto by its owner',
      'countersign/src/carriers/a.ts',
      'export const id = globalThis.crypto',
    ],
    ['methods use Buffer', 'countersign/src/methods/a.ts', "export const x = Buffer.from('a')"],
    ['the client uses process', 'countersign/src/client/a.ts', 'export const x = process.env'],
  ])('fails when %s', (_name, file, text) => {
    expect(violations({ [file]: text })).toHaveLength(1)
  })

  test.each([
    ['types of core in wire', 'countersign/src/wire/a.ts', "import type { X } from '../core/x.ts'"],
    [
      'another file of the room',
      'countersign/src/core/a.ts',
      "import { x } from './x.ts'\nimport y from '../core/y.ts'",
    ],
    ['jose in jwt', 'countersign/src/methods/jwt-verify.ts', "import { jwtVerify } from 'jose'"],
    [
      'the library by a public name',
      'server/src/server/a.ts',
      "import { ticket } from 'countersign/methods'",
    ],
    ['the lab in the command line', 'server/src/cli/a.ts', "import { x } from '../lab/x.ts'"],
    [
      'banned names in comments',
      'countersign/src/core/a.ts',
      '/** Never Date.now(). */\n// import x from "../wire/x.ts"\n',
    ],
    ['banned names in strings', 'countersign/src/core/a.ts', "export const x = 'Date.now() `Math.random()'"],
    [
      'banned names in regular expressions',
      'countersign/src/core/a.ts',
      'export const x = /[\'"`] process /.test(y)',
    ],
    [
      'a port called crypto',
      'countersign/src/core/a.ts',
      'export const x = (p: { crypto: C }): C => p.crypto',
    ],
    [
      'a date of a given time',
      'countersign/src/core/a.ts',
      'export const x = (now: number): Date => new Date(now)',
    ],
  ])('allows %s', (_name, file, text) => {
    expect(violations({ [file]: text })).toEqual([])
  })

  test('names file and line', () => {
    const text = "/* one\n two */\nimport { x } from '../wire/x.ts'\n"
    expect(violations({ 'countersign/src/core/a.ts': text })).toEqual([
      'packages/countersign/src/core/a.ts:3: the room core may not import ../wire/x.ts',
    ])
  })

  test('finds a cycle of values and lets a cycle of types pass', () => {
    const b = 'countersign/src/core/b.ts'
    const a = { 'countersign/src/core/a.ts': "import { b } from './b.ts'" }
    expect(violations({ ...a, [b]: "import { a } from './a.ts'" })).toHaveLength(1)
    expect(violations({ ...a, [b]: "import type { A } from './a.ts'" })).toEqual([])
  })

  test('allows 400 lines and refuses 401', () => {
    const file = 'countersign/src/core/a.ts'
    expect(violations({ [file]: '// a line\n'.repeat(400) })).toEqual([])
    expect(violations({ [file]: '// a line\n'.repeat(401) })).toHaveLength(1)
  })
})

describe('the arrow table', () => {
  const head = '<!-- arrows: p -->\n| room | may import | from outside | manner |\n|---|---|---|---|\n'

  test('refuses a row that names an unknown room', () => {
    expect(() => readArrows(`${head}| a | b | – | – |`)).toThrow('no row')
  })

  test('refuses a row with an unknown manner or a missing cell', () => {
    expect(() => readArrows(`${head}| a | – | – | clean |`)).toThrow('malformed')
    expect(() => readArrows(`${head}| a | – | – |`)).toThrow('malformed')
  })

  test('refuses a page without a table', () => {
    expect(() => readArrows('# Nothing')).toThrow('no arrow table')
  })
})

describe('the lexer', () => {
  test('keeps every offset and every line', () => {
    const text = 'const a = `x${`y${1}`}z` // c\nconst r = a / 2 / 3, s = /[/"]/g, t = "\\""\n'
    const { code, bare } = lex(text)
    expect(code).toBe(text.replace('// c', '    '))
    expect(bare).toHaveLength(text.length)
    expect(bare).toContain('a / 2 / 3')
    expect(bare).not.toContain('"]/')
  })
})
