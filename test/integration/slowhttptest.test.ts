import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freeBlock } from '../../tools/ports.ts'
import { end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-slow-'))
let port = 0
let server: Running

beforeAll(async () => {
  port = await freeBlock(2, 26_000 + Math.floor(Math.random() * 100) * 2)
  writeFileSync(
    join(folder, 'countersign.yaml'),
    `store: countersign.db
keyFile: countersign.key
site:
  listen: 127.0.0.1:${port}
guards:
  - name: chat
    path: /socket
    accept:
      - { method: ticket, from: [first-message] }
`,
  )
  server = start(['serve', 'countersign.yaml'], { cwd: folder })
  await server.line(`ready ws://127.0.0.1:${port}/socket`)
})

afterAll(async () => {
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

/** What slowhttptest reported in the end, without its colours. */
function slowHttpTest(
  mode: string,
  path: string,
): Promise<{ readonly text: string; readonly seconds: number }> {
  // 200 connections, 100 a second; more of the request every 3 s; given up after 25 s.
  const load = ['-c', '200', '-r', '100', '-i', '3', '-l', '25', '-p', '2']
  const child = spawn('slowhttptest', [mode, ...load, '-u', `http://127.0.0.1:${port}${path}`])
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(late)
      const plain = stripVTControlCharacters(text)
      const seconds = Number(/Test ended on (\d+)(?:st|nd|rd|th) second/.exec(plain)?.[1] ?? NaN)
      resolve({ text: plain, seconds })
    })
  })
}

describe('slowhttptest against the running program', () => {
  it.each([
    ['headers', '-H', '/socket'],
    ['headers to the site', '-H', '/login'],
    ['bodies', '-B', '/login'],
  ])('with slow %s has no connection left within twenty seconds', async (_what, mode, path) => {
    const { text, seconds } = await slowHttpTest(mode, path)
    expect(text).toMatch(/Exit status:\s+No open connections left/)
    expect(seconds).toBeLessThanOrEqual(20)
    // The probe of the tool itself: was the site answering all the while?
    expect(text).toMatch(/service available:\s+YES/)
    console.log(`slow ${_what}: no connection left after ${seconds} s`)
  })
})
