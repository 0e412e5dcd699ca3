import { describe, expect, test } from 'vitest'
import { blocksOf, brokenLinks, compilerErrors, pages, placeOf } from './support/docs.ts'
import type { Block } from './support/docs.ts'

const marks: Readonly<Record<string, readonly string[]>> = {
  // Compiled; `run` besides executed; `fragment` neither.
  ts: ['', 'run', 'fragment'],
  // `run` is executed to its end, `serve` started and stopped, `ci` done by the continuous integration itself.
  sh: ['run', 'serve', 'ci'],
}

/** What `.ci/run` does itself, so that a page may show it without a test of its own. */
const doneByCi: readonly string[] = [
  'npm ci && npm start',
  'npm ci && npm test',
  'npm ci',
  'npm start',
  'npm start -- --port 9000',
  'npm test',
  'npm run test:unit',
  'npm run lint',
  'npm run types',
  '.ci/run',
]

const blocks = pages().flatMap(blocksOf)
const inLanguage = (...languages: string[]): readonly Block[] =>
  blocks.filter(({ language }) => languages.includes(language))

describe('the pages', () => {
  test('have only blocks whose mark says how they are tested', () => {
    const unknown = blocks.filter(({ language, mark }) => marks[language]?.includes(mark) === false)
    expect(unknown.map((block) => `${placeOf(block)} ${block.language} ${block.mark}`)).toEqual([])
  })

  test('name their languages as the tests know them', () => {
    const aliases = inLanguage('typescript', 'js', 'javascript', 'mjs', 'bash', 'shell', 'console', 'zsh')
    expect(aliases.map(placeOf)).toEqual([])
  })

  test('leave few TypeScript blocks uncompiled', () => {
    const fragments = inLanguage('ts').filter(({ mark }) => mark === 'fragment')
    expect(fragments.length).toBeLessThanOrEqual(Math.max(2, inLanguage('ts').length / 10))
  })

  test('show only commands that are executed', () => {
    const lines = inLanguage('sh')
      .filter(({ mark }) => mark === 'ci')
      .flatMap(({ text }) => text.split('\n'))
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.filter((line) => !doneByCi.includes(line))).toEqual([])
  })

  test('have JSON that parses', () => {
    for (const block of inLanguage('json')) {
      expect(() => JSON.parse(block.text) as unknown, placeOf(block)).not.toThrow()
    }
  })

  test('have TypeScript that compiles', { timeout: 120_000 }, () => {
    expect(compilerErrors(inLanguage('ts').filter(({ mark }) => mark !== 'fragment'))).toBe('')
  })

  test('have links that lead somewhere', () => {
    expect(pages().flatMap((page) => brokenLinks(page).map((link) => `${page.path}: ${link}`))).toEqual([])
  })
})

describe('the reading of pages', () => {
  test('finds blocks with their language, mark and line', () => {
    const text = 'One\n\n```ts run\nconst a = 1\n```\n\n- two\n\n  ```sh\n  ls\n  ```\n'
    expect(blocksOf({ path: 'a.md', text })).toEqual([
      { page: 'a.md', line: 3, language: 'ts', mark: 'run', text: 'const a = 1\n' },
      { page: 'a.md', line: 9, language: 'sh', mark: '', text: 'ls\n' },
    ])
  })

  test('finds links to missing files and headings, and leaves code alone', () => {
    const text =
      '# A *b* c\n[x](#a-b-c) [y](#none) [z](missing.md) `[c](code.md)`\n```\n[d](block.md)\n```\n[e](LICENSE)\n'
    expect(brokenLinks({ path: 'a.md', text }).filter((link) => !link.startsWith('#'))).toEqual([
      'missing.md',
    ])
  })

  test('sees a block that does not compile', { timeout: 120_000 }, () => {
    const text = '```ts\nconst a: number = 1\n```\n\n```ts\nconst b: number = "two"\n```\n'
    const errors = compilerErrors(blocksOf({ path: 'docs/a.md', text }))
    expect(errors).toContain('docs-a-5.ts(1,7)')
    expect(errors).not.toContain('docs-a-1.ts')
  })
})
