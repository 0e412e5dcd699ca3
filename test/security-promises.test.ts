import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../tools/processes.ts'

/** A test that a promise names: its file, and the titles that lead to it. */
interface Named {
  readonly file: string
  readonly titles: readonly string[]
}

function namedTests(text: string): readonly Named[] {
  return [...text.matchAll(/`(test\/[\w./-]+\.test\.ts)` › ([^|<\n]+)/g)].map(
    ([, file = '', titles = '']) => ({ file, titles: titles.trim().split(' › ') }),
  )
}

/** Rows of the tables whose second column says who holds a promise. */
function promises(text: string): readonly string[] {
  const tables = text.matchAll(/^\| promise \| held by \|\n\|---\|---\|\n((?:\|.*\n)+)/gm)
  return [...tables].flatMap((match) => (match[1] ?? '').trim().split('\n'))
}

/** Titles of a test file that no `describe`, `test` or `it` has. A title of many (`%s`) may be longer than named. */
function missing({ file, titles }: Named): readonly string[] {
  const path = join(root, file)
  if (!existsSync(path)) return [file]
  const source = readFileSync(path, 'utf8')
  return titles.filter((title) => !["'", '"', '`'].some((quote) => source.includes(`${quote}${title}`)))
}

const page = readFileSync(join(root, 'SECURITY.md'), 'utf8')

describe('the promises of SECURITY.md', () => {
  test('each name a test', () => {
    expect(promises(page).length).toBeGreaterThan(20)
    expect(promises(page).filter((row) => namedTests(row).length === 0)).toEqual([])
  })

  test('name tests that exist', () => {
    const lost = namedTests(page).flatMap((named) => missing(named).map((title) => `${named.file}: ${title}`))
    expect(lost).toEqual([])
  })
})

describe('the reading of promises', () => {
  test('finds several tests in one row', () => {
    const row = '| A | `test/a.test.ts` › one › two<br>`test/b.test.ts` › three |\n'
    expect(namedTests(row)).toEqual([
      { file: 'test/a.test.ts', titles: ['one', 'two'] },
      { file: 'test/b.test.ts', titles: ['three'] },
    ])
  })

  test('misses a file that is gone and a title that is not there', () => {
    expect(missing({ file: 'test/none.test.ts', titles: ['any'] })).toEqual(['test/none.test.ts'])
    const gone = ['a title', 'of no test'].join(' ')
    const titles = ['name tests that exist', gone]
    expect(missing({ file: 'test/security-promises.test.ts', titles })).toEqual([gone])
  })
})
