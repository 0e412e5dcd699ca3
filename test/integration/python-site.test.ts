import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createGuard, memory, query, type Guard, type Lease } from 'countersign'
import { ticket } from 'countersign/methods'
import { argon2Passwords, nodePlatform } from 'countersign/platform/node'
import { guardUpgrades } from 'countersign/ws'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createJournal } from '../../packages/server/src/server/journal.ts'
import { createLog } from '../../packages/server/src/server/log.ts'
import { createSite } from '../../packages/server/src/server/site.ts'

const program = fileURLToPath(new URL('../../examples/python-site/app.py', import.meta.url))

let python: ChildProcess
let door: Server
let site: FastifyInstance
let guard: Guard
let origin: string

/** The application tells its origin only once it listens, and the guard must list it: so the guard is made last. */
beforeAll(async () => {
  const doorPort = await freePort()
  const sitePort = await freePort()
  const records = memory()
  const platform = nodePlatform()
  const log = createLog({ level: 'silent' })
  const journal = createJournal(log)
  const pythonPort = await freePort()
  origin = `http://localhost:${pythonPort}`
  guard = createGuard({
    records,
    journal,
    audience: 'chat',
    origins: [origin],
    accept: [ticket({ from: query('ticket') })],
  })
  const doors = new Map([['chat', { url: `ws://localhost:${doorPort}/`, guard }]])
  site = await createSite({
    records,
    issuer: guard,
    guards: () => [guard],
    doors,
    passwords: argon2Passwords(),
    platform,
    origins: [`http://localhost:${sitePort}`],
    hosts: [`localhost:${sitePort}`],
    secure: false,
    journal,
    log,
  })
  await site.listen({ port: sitePort, host: '127.0.0.1' })
  door = await openDoor(guard, doorPort)
  const scopes = ['issue', 'revoke']
  const { key } = await guard.issue.apiKey({ subject: 'python-site', name: 'python-site', scopes })
  python = await startPython({
    PORT: String(pythonPort),
    COUNTERSIGN_URL: `http://localhost:${sitePort}`,
    COUNTERSIGN_API_KEY: key,
    SOCKET_URL: `ws://localhost:${doorPort}/`,
  })
})

afterAll(async () => {
  python.kill()
  guard.close()
  door.closeAllConnections()
  door.close()
  await site.close()
})

describe('a site in Python', () => {
  it('gets its user onto the socket, under the name and the roles that it says', async () => {
    const cookie = await logIn('dora', 'explorer-dora')
    const { url, ticket } = await getTicket(cookie)
    const socket = new WebSocket(`${url}?ticket=${ticket}`, { origin })
    expect(String((await once(socket, 'message'))[0])).toBe('Hello dora (member)!')
    socket.close()
  })

  it('gets tickets that are good once, and from its own pages only', async () => {
    const cookie = await logIn('erik', 'viking-erik')
    const first = await getTicket(cookie)
    expect(await outcome(`${first.url}?ticket=${first.ticket}`, origin)).toBe('Hello erik ()!')
    expect(await outcome(`${first.url}?ticket=${first.ticket}`, origin)).toBe('3000 invalid_credential')
    const second = await getTicket(cookie)
    expect(await outcome(`${second.url}?ticket=${second.ticket}`, 'http://localhost:1')).toBe('HTTP 403')
    const third = await getTicket(cookie)
    expect(await outcome(`${third.url}?ticket=${third.ticket}`, undefined)).toBe('HTTP 401')
  })

  it('ends its user’s sockets at logout', async () => {
    const cookie = await logIn('dora', 'explorer-dora')
    const { url, ticket } = await getTicket(cookie)
    const socket = new WebSocket(`${url}?ticket=${ticket}`, { origin })
    await once(socket, 'message')
    const closed = once(socket, 'close')
    await post('/logout', { cookie })
    const [code, reason] = await closed
    expect([code, String(reason)]).toEqual([3003, 'revoked'])
    expect((await post('/ticket', { cookie })).status).toBe(401)
  })

  it('gives no ticket to strangers and none to pages of another origin', async () => {
    expect((await post('/ticket', {})).status).toBe(401)
    const cookie = await logIn('dora', 'explorer-dora')
    expect((await post('/ticket', { cookie, origin: 'http://evil.example' })).status).toBe(403)
    expect((await post('/login', {}, 'username=dora&password=wrong')).status).toBe(401)
  })
})

async function startPython(settings: Record<string, string>): Promise<ChildProcess> {
  const child = spawn('/usr/bin/python3', [program], {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('ready ')) return child
  throw new Error('the Python site did not start')
}

async function openDoor(guarding: Guard, port: number): Promise<Server> {
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  guardUpgrades(server, wss, guarding)
  wss.on('connection', (socket: WebSocket, _request: IncomingMessage, lease: Lease) => {
    socket.send(`Hello ${lease.principal.id} (${lease.principal.roles.join(', ')})!`)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function post(path: string, headers: Record<string, string>, body = ''): Promise<Response> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return fetch(origin + path, {
    method: 'POST',
    redirect: 'manual',
    body,
    headers: { origin, ...type, ...headers },
  })
}

async function logIn(username: string, password: string): Promise<string> {
  const answer = await post('/login', {}, new URLSearchParams({ username, password }).toString())
  return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
}

async function getTicket(cookie: string): Promise<{ readonly url: string; readonly ticket: string }> {
  const body: unknown = await (await post('/ticket', { cookie })).json()
  if (typeof body === 'object' && body !== null && 'url' in body && 'ticket' in body) {
    return { url: String(body.url), ticket: String(body.ticket) }
  }
  throw new Error('no ticket')
}

/** First message, close or HTTP status, whichever comes. */
function outcome(url: string, from: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, from === undefined ? {} : { origin: from })
    socket.on('message', (data) => {
      resolve(String(data))
      socket.close()
    })
    socket.on('close', (code, reason) => resolve(`${code} ${String(reason)}`))
    socket.on('unexpected-response', (_request, response) => resolve(`HTTP ${response.statusCode}`))
    socket.on('error', () => undefined)
  })
}
