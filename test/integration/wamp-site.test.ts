/** A guard of the program's own configuration that speaks WAMP: login, a secret for this login, a session, logout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { freeBlock } from '../../tools/ports.ts'
import { countersign, end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-wamp-site-'))
const inFolder = { cwd: folder, env: { BACKEND_SECRET: 'a secret of the backend' } }
const password = 'a long enough one'
let port = 0
let server: Running
let autobahn: Autobahn

beforeAll(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => undefined)
  // It has no types, and is no module.
  autobahn = createRequire(import.meta.url)('autobahn') as Autobahn
  port = await freeBlock(2, 27_000 + Math.floor(Math.random() * 100) * 2)
  writeFileSync(join(folder, 'countersign.yaml'), configuration(port))
  const stdin = `${password}\n`
  await countersign(['user', 'add', 'alice', '--role', 'member', '--password-stdin'], { ...inFolder, stdin })
  server = start(['serve', 'countersign.yaml'], inFolder)
  await server.line(`ready ws://localhost:${port}/ws`)
})

afterAll(async () => {
  vi.restoreAllMocks()
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

function configuration(at: number): string {
  return `keyFile: countersign.key
site:
  listen: localhost:${at}
guards:
  - name: chat
    path: /socket
    accept: [{ method: ticket }]
  - name: router
    protocol: wamp
    path: /ws
    realms:
      - name: realm1
        roles:
          - name: member
            permissions:
              - { uri: com.example.*, allow: { call: true, publish: true, subscribe: true } }
          - name: backend
            permissions:
              - { uri: com.example.*, allow: { register: true, publish: true } }
    auth:
      wampcra:
        - type: static
          users: { backend: { secret: '\${BACKEND_SECRET}', role: backend } }
        - type: x_accounts
`
}

/** As much of the library as is used here. */
interface Autobahn {
  readonly Connection: new (options: Readonly<Record<string, unknown>>) => {
    onopen: (session: AutobahnSession, details: Readonly<Record<string, unknown>>) => void
    onclose: (reason: string, details: Readonly<Record<string, unknown>>) => boolean
    open(): void
    close(): void
  }
  readonly auth_cra: { sign(key: string, challenge: string): string }
}

interface AutobahnSession {
  register(procedure: string, endpoint: (args: readonly unknown[]) => unknown): Promise<object>
  call(procedure: string, args: readonly unknown[]): Promise<unknown>
}

interface Joined {
  readonly session: AutobahnSession
  readonly details: Readonly<Record<string, unknown>>
  /** The URI with which the router ends the session. */
  readonly goodbye: Promise<unknown>
  leave(): void
}

/** Joins as it comes. @throws the reason of a refusal */
function joined(authid: string, secret: string): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const goodbye = Promise.withResolvers<unknown>()
    const connection = new autobahn.Connection({
      url: `ws://localhost:${port}/ws`,
      realm: 'realm1',
      max_retries: 0,
      authmethods: ['wampcra'],
      authid,
      onchallenge: (
        _session: unknown,
        _method: string,
        { challenge = '' }: { readonly challenge?: string },
      ) => autobahn.auth_cra.sign(secret, challenge),
    })
    connection.onopen = (session, details) =>
      resolve({ session, details, goodbye: goodbye.promise, leave: () => connection.close() })
    connection.onclose = (_reason, { reason }) => {
      goodbye.resolve(reason)
      reject(new Error(String(reason)))
      // It does not try again.
      return true
    }
    connection.open()
  })
}

interface Login {
  readonly authid: string
  readonly secret: string
  post(path: string): Promise<Response>
}

/** Logs in as a page of the site does, and asks for a secret of its own. */
async function logIn(): Promise<Login> {
  const origin = `http://localhost:${port}`
  const headers = { origin, 'content-type': 'application/json' }
  const body = JSON.stringify({ username: 'alice', password })
  const answer = await fetch(`${origin}/login`, { method: 'POST', headers, body })
  const cookie = answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const post = (path: string): Promise<Response> =>
    fetch(origin + path, { method: 'POST', headers: { ...headers, cookie }, body: '{}' })
  const given: unknown = await (await post('/countersign/challenge-secret')).json()
  expect(given).toMatchObject({ authid: expect.any(String), secret: expect.any(String) })
  return { ...(given as Pick<Login, 'authid' | 'secret'>), post }
}

describe('a guard that speaks WAMP', () => {
  it('lets in whoever has logged in, by a secret of that login, until its logout', async () => {
    const backend = await joined('backend', inFolder.env.BACKEND_SECRET)
    await backend.session.register('com.example.add', ([a, b]) => Number(a) + Number(b))
    const { authid, secret, post } = await logIn()
    const { session, details, goodbye } = await joined(authid, secret)
    expect(details).toMatchObject({ authid, authrole: 'member', authmethod: 'wampcra' })
    expect(await session.call('com.example.add', [2, 3])).toBe(5)
    expect((await post('/logout')).status).toBeLessThan(400)
    expect(await goodbye).toBe('wamp.close.logout')
    await expect(joined(authid, secret)).rejects.toThrow('wamp.error.authentication_denied')
    backend.leave()
  })

  it('ends what was revoked, and nobody else', async () => {
    const [one, other] = [await logIn(), await logIn()]
    const first = await joined(one.authid, one.secret)
    await joined('backend', inFolder.env.BACKEND_SECRET).then(({ leave }) => leave())
    const key = await countersign(
      ['key', 'create', '--name', 'k', '--subject', 'operator', '--scope', 'revoke'],
      inFolder,
    )
    const answer = await fetch(`http://localhost:${port}/countersign/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key.stdout.trim()}`, 'content-type': 'application/json' },
      body: '{"subject":"alice"}',
    })
    expect(answer.status).toBe(200)
    expect(await first.goodbye).toBe('wamp.close.killed')
    await expect(joined(other.authid, other.secret)).rejects.toThrow('wamp.error.authentication_denied')
  })

  it('is closed to pages that are none of the site’s', async () => {
    const opened = (origin: string): Promise<unknown> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://localhost:${port}/ws`, 'wamp.2.json', { headers: { origin } })
        socket.on('open', () => {
          socket.terminate()
          resolve('open')
        })
        socket.on('error', ({ message }) => resolve(message))
      })
    expect(await opened(`http://localhost:${port}`)).toBe('open')
    expect(await opened('http://evil.example')).toContain('403')
  })

  it('is explained by check, without a secret', async () => {
    const { code, stdout } = await countersign(['check', 'countersign.yaml'], inFolder)
    expect(code).toBe(0)
    for (const said of [
      `Guard "router" is ws://localhost:${port}/ws`,
      `  Pages: http://localhost:${port};`,
      '  Speaks WAMP: json, msgpack, cbor.',
      '  Lets in: challenge-response (WAMP-CRA) (1 name listed; then accounts of the database).',
      '      Role "member" may call, publish, subscribe on com.example.*.',
    ])
      expect(stdout).toContain(said)
    expect(stdout).not.toContain(inFolder.env.BACKEND_SECRET)
    const { stdout: values } = await countersign(['check', 'countersign.yaml', '--json'], inFolder)
    expect(JSON.parse(values)).toMatchObject({
      guards: [{ name: 'chat' }, { protocol: 'wamp', methods: ['wampcra'], realms: [{ name: 'realm1' }] }],
    })
  })

  it('is one of the guards that the status names, and writes what happens to the journal', async () => {
    const status = await (await fetch(`http://localhost:${port}/healthz`)).json()
    expect(status).toMatchObject({
      guards: [{ name: 'chat' }, { name: 'router', leases: expect.any(Number) }],
    })
    const entries = server
      .stderr()
      .split('\n')
      .filter((line) => line.includes('"guard":"router"'))
    expect(entries.join('\n')).toContain('accepted')
    expect(server.stderr()).not.toContain(inFolder.env.BACKEND_SECRET)
  })

  it('says goodbye when the program ends', async () => {
    const { goodbye } = await joined('backend', inFolder.env.BACKEND_SECRET)
    const { code, tookMs } = await end(server)
    expect(await goodbye).toBe('wamp.close.system_shutdown')
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(2_500)
  })
})
