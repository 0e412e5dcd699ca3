import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { authorization, createGuard, type Guard } from '../../packages/countersign/src/index.ts'
import { apiKey } from '../../packages/countersign/src/methods/index.ts'
import { sqlite, type SqliteRecords } from '../../packages/countersign/src/stores/sqlite.ts'
import { setDisabled, setRoles } from '../../packages/server/src/server/accounts.ts'
import { freeBlock } from '../../tools/ports.ts'
import { end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-live-'))
const inFolder = { cwd: folder }
const names = Array.from({ length: 50 }, (_, at) => `user-${at}`)
let port = 0
let server: Running
let records: SqliteRecords
let issuer: Guard

beforeAll(async () => {
  port = await freeBlock(8, 30_000 + Math.floor(Math.random() * 100) * 8)
  writeFileSync(
    join(folder, 'countersign.yaml'),
    `store: countersign.db
keyFile: countersign.key
site: { listen: 'localhost:${port}' }
guards:
  - name: machines
    listen: 127.0.0.1:${port + 1}
    accept:
      - { method: api_key }
`,
  )
  server = start(['serve', 'countersign.yaml'], inFolder)
  await server.line(`ready ws://127.0.0.1:${port + 1}/`)
  records = sqlite(join(folder, 'countersign.db'))
  issuer = createGuard({ records, accept: [apiKey({ from: authorization('Bearer') })] })
})

afterAll(async () => {
  issuer.close()
  records.close()
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

/** A socket of this user, once it was greeted; tells when it closes. */
async function enter(
  name: string,
): Promise<{ readonly closed: Promise<{ atMs: number; code: number; reason: string }> }> {
  const { key } = await issuer.issue.apiKey({ name, subject: name, roles: [] })
  const socket = new WebSocket(`ws://127.0.0.1:${port + 1}/`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const closed = new Promise<{ atMs: number; code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) =>
      resolve({ atMs: performance.now(), code, reason: String(reason) }),
    ),
  )
  await new Promise((resolve, reject) => {
    socket.once('message', resolve)
    socket.once('error', reject)
  })
  return { closed }
}

/** Processor time that the server has used, ms: user and system, of `/proc` (proc_pid_stat(5)). */
function usedMs(): number {
  const stat = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

describe('a revocation that another process writes', () => {
  test('closes open sockets of the program within 100 ms, as a rule', async () => {
    const tools = { records, passwords: { hash: String, verify: () => 'wrong' as const }, clock: Date }
    const account = { roles: [], passwordHash: undefined, disabled: false, changedAtMs: 0 }
    for (const username of names) await records.putAccount({ username, ...account })
    const entered = await Promise.all(names.map((name) => enter(name)))
    const tookMs: number[] = []
    for (const [at, { closed }] of entered.entries()) {
      const wroteMs = performance.now()
      if (at % 2 === 0) await setDisabled(tools, names[at] ?? '', true)
      else await setRoles(tools, names[at] ?? '', ['guest'])
      const { atMs, code, reason } = await closed
      expect({ code, reason }).toEqual({ code: 3003, reason: 'revoked' })
      tookMs.push(atMs - wroteMs)
    }
    const sorted = tookMs.toSorted((one, other) => one - other)
    const [median = Infinity, worst = Infinity] = [sorted[24], sorted[49]]
    console.log(`revoked by another process: p50 ${median.toFixed(1)} ms, p99 ${worst.toFixed(1)} ms of 50`)
    expect(median).toBeLessThan(100)
    expect(worst).toBeLessThan(1_000)
  })

  test.runIf(process.platform === 'linux')('is listened for at next to no cost', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const before = usedMs()
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    const share = (usedMs() - before) / 10_000
    console.log(`an idle server uses ${(share * 100).toFixed(2)} % of a core`)
    expect(share).toBeLessThan(0.02)
  })
})
