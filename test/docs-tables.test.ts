import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { doorSheets, labCases } from '../packages/server/src/lab/cases.ts'
import { tableNames, tablesIn, withTables } from '../tools/docs-tables.ts'
import { root } from '../tools/processes.ts'
import { pages } from './support/docs.ts'

describe('tables in pages', () => {
  test('equal their sources: run `npm run docs:tables` after a change', () => {
    const stale = pages().filter(({ text }) => withTables(text) !== text)
    expect(stale.map(({ path }) => path)).toEqual([])
  })

  test('are all shown somewhere', () => {
    const shown = pages().flatMap(({ text }) => tablesIn(text))
    expect(tableNames().filter((name) => !shown.includes(name))).toEqual([])
  })

  test('have names that are known', () => {
    expect(() => withTables('<!-- table: nobody -->\n<!-- /table -->')).toThrow('nobody')
  })
})

describe('the lab', () => {
  test('leads from every door to a page', () => {
    const missing = doorSheets.filter(({ docs }) => !existsSync(join(root, 'docs', 'doors', `${docs}.md`)))
    expect(missing.map(({ id }) => id)).toEqual([])
  })

  test('leads from every case to its place on that page', () => {
    const lost = labCases.filter(({ docs }) => {
      const [path = '', anchor = ''] = docs.split('#')
      return !readFileSync(join(root, path), 'utf8').includes(`<a id="${anchor}"></a>`)
    })
    expect(lost.map(({ id }) => id)).toEqual([])
  })
})
