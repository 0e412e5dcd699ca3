import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build, type OutputOptions } from 'rolldown'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import * as client from '../../../packages/countersign/src/client/index.ts'
import * as wholeClient from '../../../packages/countersign/src/client/script-all.ts'
import { root } from '../../../tools/processes.ts'

const room = join(root, 'packages/countersign/src/client')
/** The modules that programs import. */
const entries = { client: 'index.ts', all: 'script-all.ts' } as const
type Entry = keyof typeof entries

interface Bundle {
  readonly code: string
  readonly gzipBytes: number
  readonly modules: readonly string[]
  readonly imports: readonly string[]
}

/** Bundles what a program imports of the client, minified as programs are. */
async function bundle(
  names: string,
  { of = 'client', ...output }: OutputOptions & { readonly of?: Entry } = { format: 'esm' },
): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bundle-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const input = join(folder, 'program.js')
  writeFileSync(input, `export ${names} from ${JSON.stringify(join(room, entries[of]))}\n`)
  const { output: chunks } = await build({ input, write: false, output: { ...output, minify: true } })
  const [chunk, ...more] = chunks
  expect(more).toEqual([])
  return {
    code: chunk.code,
    gzipBytes: gzipSync(chunk.code, { level: 9 }).length,
    modules: chunk.moduleIds.map((id) => id.replace(`${root}/packages/countersign/src/`, '')),
    imports: [...chunk.imports, ...chunk.dynamicImports],
  }
}

describe('a program that uses the client', () => {
  test.each<readonly [string, string, number, Entry]>([
    ['the whole client', '*', 8_000, 'client'],
    ['a socket with first message and ticket', '{ CountersignSocket, firstMessage, query }', 6_144, 'client'],
    ['a class for libraries', '{ socketClass, firstMessage }', 6_656, 'client'],
    [
      'a socket with every method of challenges',
      '{ CountersignSocket, challengeResponse, scramSha256, cryptosign, secretFromPage }',
      8_000,
      'all',
    ],
    ['credentials for Socket.IO', '{ socketIoAuth, ticketFrom }', 3_072, 'all'],
    ['a single carrier', '{ firstMessage }', 512, 'client'],
    ['the script with challenges and Socket.IO', '*', 10_752, 'all'],
  ])('carries %s in few bytes', async (what, names, mostBytes, of) => {
    const { gzipBytes } = await bundle(names, { of })
    console.log(`${what}: ${String(gzipBytes)} bytes, minified and gzipped`)
    expect(gzipBytes).toBeLessThanOrEqual(mostBytes)
  })

  test('carries no method of challenges that it does not name', async () => {
    const { modules } = await bundle('{ CountersignSocket, challengeResponse, secretFrom }', { of: 'all' })
    const others = ['client/challenge-scram.ts', 'client/challenge-cryptosign.ts', 'wire/scram-text.ts']
    expect(modules).toContain('client/challenge-wampcra.ts')
    expect(modules.filter((id) => others.includes(id))).toEqual([])
    const scram = await bundle('{ CountersignSocket, challengeResponse, scramSha256 }', { of: 'all' })
    expect(scram.modules).not.toContain('client/challenge-cryptosign.ts')
  })

  test('carries no carrier that it does not name', async () => {
    const { modules } = await bundle('{ CountersignSocket, firstMessage }')
    const others = [
      'challenge',
      'frame-cookie',
      'query',
      'subprotocol',
      'issue',
      'shared-credential',
      'socket-io',
      'userinfo',
    ]
    expect(modules.filter((id) => others.some((name) => id === `client/${name}.ts`))).toEqual([])
  })
})

describe('the whole client', () => {
  let all: Bundle

  beforeAll(async () => {
    all = await bundleAll()
  })

  test('is made of its own room, the texts of SCRAM, and nothing else', () => {
    const others = all.modules.filter((id) => !id.startsWith('client/') && !id.endsWith('program.js'))
    expect(others).toEqual(['wire/scram-text.ts'])
    expect(all.imports).toEqual([])
  })

  test('has no module of Node, evaluates no text and writes to no log', () => {
    expect(all.code).not.toMatch(
      /\b(node:|require\(|eval\(|new Function\b|console\.|process\.|Buffer\b|document\.write|innerHTML)/,
    )
  })

  test('keeps nothing in storage and names no host', () => {
    expect(all.code).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie|https?:\/\/\w/)
  })

  test('has challenges and Socket.IO in entries of their own', async () => {
    const { modules } = await bundle('*')
    expect(modules.filter((id) => /challenge|page-secret|socket-io|scram/.test(id))).toEqual([])
  })

  test.each<readonly [Entry, object]>([
    ['client', client],
    ['all', wholeClient],
  ])('runs as a script of a page that has only what browsers have: %s', async (of, exported) => {
    const { code } = await bundle('*', { of, format: 'iife', name: 'countersign' })
    const page = {
      EventTarget,
      Event,
      MessageEvent,
      URL,
      TextEncoder,
      DOMException,
      AbortController,
      queueMicrotask,
      WebSocket,
    }
    const names: unknown = runInNewContext(`${code};Object.keys(countersign)`, page)
    expect(names).toEqual(Object.keys(exported).sort())
  })
})

/** As `bundle`, outside a test. */
async function bundleAll(): Promise<Bundle> {
  const input = join(room, entries.all)
  const { output } = await build({ input, write: false, output: { format: 'esm', minify: true } })
  const [chunk] = output
  return {
    code: chunk.code,
    gzipBytes: 0,
    modules: chunk.moduleIds.map((id) => id.replace(`${root}/packages/countersign/src/`, '')),
    imports: [...chunk.imports, ...chunk.dynamicImports],
  }
}
