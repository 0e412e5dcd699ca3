import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAssets } from '../../../packages/server/src/server/assets.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assets-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function write(room: string, files: Readonly<Record<string, string>>): URL {
  mkdirSync(join(folder, room))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, room, name), text)
  return pathToFileURL(`${join(folder, room)}/`)
}

describe('assets', () => {
  it('of a built room are its compiled modules, without declarations and maps', () => {
    const assets = readAssets(write('browser', { 'a.js': 'let a', 'a.d.ts': 'declare', 'a.js.map': '{}' }))
    expect([...assets].map(([name, { type, body }]) => [name, type, body])).toEqual([
      ['a.js', 'text/javascript; charset=utf-8', 'let a'],
    ])
  })

  it('of a room in its sources are modules without types, importing each other by their served names', () => {
    const source = "import { b } from './b.ts'\nimport { c } from '../browser/c.ts'\nconst a: number = b + c"
    const body = readAssets(write('browser', { 'a.ts': source })).get('a.js')?.body
    expect(body).toContain("from './b.js'")
    expect(body).toContain("from '../browser/c.js'")
    expect(body).not.toContain('number')
  })

  it("never include the server's own code", () => {
    const assets = readAssets(
      write('pages', { 'page.js': 'x', 'page.ts': 'x', 'a.css': 'a{}', 'i.svg': '<svg/>', x: '' }),
    )
    expect([...assets.keys()]).toEqual(['a.css', 'i.svg'])
  })

  it('of a folder that is not there are none', () => {
    expect(readAssets(pathToFileURL(`${join(folder, 'none')}/`)).size).toBe(0)
  })
})
