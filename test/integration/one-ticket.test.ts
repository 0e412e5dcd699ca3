import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGuard, memory, query, type Guard, type Lease, type Records } from 'countersign'
import { ticket } from 'countersign/methods'
import { sqlite } from 'countersign/stores/sqlite'
import { guardUpgrades } from 'countersign/ws'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

const presentations = 50
const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-ticket-'))
  cleanups.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** What one presentation came to: the greeting, or the status that refused it. */
function present(port: number, shown: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/?ticket=${shown}`)
    socket.once('message', (data) => {
      resolve(String(data))
      socket.terminate()
    })
    socket.once('unexpected-response', (_request, response) => {
      resolve(String(response.statusCode))
      response.destroy()
    })
    socket.once('error', reject)
  })
}

function outcomes(answers: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...new Set(answers)].map((one) => [one, answers.filter((other) => other === one).length]),
  )
}

async function serve(records: Records): Promise<{ readonly port: number; readonly guard: Guard }> {
  const guard = createGuard({ records, audience: 'race', accept: [ticket({ from: query('ticket') })] })
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) =>
    socket.send(`Hello ${lease.principal.id}!`),
  )
  guardUpgrades(server, wss, guard)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    guard.close()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, guard }
}

const stores: Readonly<Record<string, () => Records>> = {
  memory: () => memory(),
  sqlite: () => sqlite(join(folder(), 'countersign.db')),
}

describe('one ticket shown fifty times at once', () => {
  for (const [name, open] of Object.entries(stores)) {
    it(`opens exactly one socket (${name})`, async () => {
      const { port, guard } = await serve(open())
      for (let round = 0; round < 5; round++) {
        const { ticket: shown } = await guard.issue.ticket({ subject: 'alice' })
        const answers = await Promise.all(Array.from({ length: presentations }, () => present(port, shown)))
        expect(outcomes(answers)).toEqual({ 'Hello alice!': 1, '401': presentations - 1 })
      }
    })
  }

  it('opens exactly one socket across four processes on one SQLite file', async () => {
    const file = join(folder(), 'countersign.db')
    const issuing = sqlite(file)
    const guard = createGuard({
      records: issuing,
      audience: 'race',
      accept: [ticket({ from: query('ticket') })],
    })
    cleanups.push(async () => issuing.close())
    const ports = await Promise.all(Array.from({ length: 4 }, () => spawnServer(file)))
    for (let round = 0; round < 5; round++) {
      const { ticket: shown } = await guard.issue.ticket({ subject: 'alice' })
      const answers = await Promise.all(
        Array.from({ length: presentations }, (_, index) => present(ports[index % ports.length] ?? 0, shown)),
      )
      expect(outcomes(answers)).toEqual({ 'Hello alice!': 1, '401': presentations - 1 })
    }
  })
})

async function spawnServer(file: string): Promise<number> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=countersign-source', join(import.meta.dirname, 'support/ticket-server.ts'), file],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  cleanups.push(() => void child.kill('SIGKILL'))
  if (child.stdout === null) throw new Error('the server has no output')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return Number(line)
}
