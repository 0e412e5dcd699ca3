import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build, type OutputOptions } from 'rolldown'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import * as client from '../../../packages/countersign/src/client/index.ts'
import { root } from '../../../tools/processes.ts'

const entry = join(root, 'packages/countersign/src/client/index.ts')

interface Bundle {
  readonly code: string
  readonly gzipBytes: number
  readonly modules: readonly string[]
  readonly imports: readonly string[]
}

/** Bundles what a program imports of the client, minified as programs are. */
async function bundle(names: string, output: OutputOptions = { format: 'esm' }): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bundle-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const input = join(folder, 'program.js')
  writeFileSync(input, `export ${names} from ${JSON.stringify(entry)}\n`)
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
  test.each([
    ['a socket with first message and ticket', '{ CountersignSocket, firstMessage, query }', 8_192],
    ['a class for libraries', '{ socketClass, firstMessage }', 8_192],
    [
      'a socket with every method of challenges',
      '{ CountersignSocket, challengeResponse, scramSha256, cryptosign, secretFromPage }',
      8_192,
    ],
    ['credentials for Socket.IO', '{ socketIoAuth, ticketFrom }', 3_072],
    ['a single carrier', '{ firstMessage }', 512],
    ['everything', '*', 12_288],
  ])('carries %s in few bytes', async (what, names, mostBytes) => {
    const { gzipBytes } = await bundle(names)
    console.log(`${what}: ${String(gzipBytes)} bytes, minified and gzipped`)
    expect(gzipBytes).toBeLessThanOrEqual(mostBytes)
  })

  test('carries no method of challenges that it does not name', async () => {
    const { modules } = await bundle('{ CountersignSocket, challengeResponse, secretFrom }')
    const others = ['client/challenge-scram.ts', 'client/challenge-cryptosign.ts', 'wire/scram-text.ts']
    expect(modules).toContain('client/challenge-wampcra.ts')
    expect(modules.filter((id) => others.includes(id))).toEqual([])
    const scram = await bundle('{ CountersignSocket, challengeResponse, scramSha256 }')
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

  test('runs as a script of a page that has only what browsers have', async () => {
    const { code } = await bundle('*', { format: 'iife', name: 'countersign' })
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
    expect(names).toEqual(Object.keys(client).sort())
  })
})

/** As `bundle`, outside a test. */
async function bundleAll(): Promise<Bundle> {
  const { output } = await build({ input: entry, write: false, output: { format: 'esm', minify: true } })
  const [chunk] = output
  return {
    code: chunk.code,
    gzipBytes: 0,
    modules: chunk.moduleIds.map((id) => id.replace(`${root}/packages/countersign/src/`, '')),
    imports: [...chunk.imports, ...chunk.dynamicImports],
  }
}
