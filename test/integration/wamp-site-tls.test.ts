/** As a site runs where it is reached: login over https, a secret of that login, WAMP over wss with it, logout. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { freeBlock } from '../../tools/ports.ts'
import { craSignature, type Wamp } from '../countersign/adapters/wamp-client.ts'
import { until } from '../countersign/support/sockets.ts'
import { makeCertificates, type Certificates } from '../e2e/support/certificates.ts'
import { countersign, end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-wamp-site-tls-'))
const password = 'a long enough one'
let certificates: Certificates
let port = 0
let server: Running

beforeAll(async () => {
  certificates = makeCertificates(folder)
  port = await freeBlock(2, 26_000 + Math.floor(Math.random() * 100) * 2)
  writeFileSync(
    join(folder, 'countersign.yaml'),
    `keyFile: countersign.key
site:
  listen: localhost:${port}
  tls: { cert: server.pem, key: server.key }
guards:
  - name: router
    protocol: wamp
    path: /ws
    realms:
      - name: realm1
        roles:
          - name: member
            permissions:
              - { uri: com.example.*, allow: { call: true, publish: true, subscribe: true } }
    auth:
      wampcra: { type: x_accounts }
`,
  )
  const given = { cwd: folder, stdin: `${password}\n` }
  await countersign(['user', 'add', 'alice', '--role', 'member', '--password-stdin'], given)
  server = start(['serve', 'countersign.yaml'], { cwd: folder })
  await server.line(`ready wss://localhost:${port}/ws`)
})

afterAll(async () => {
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly cookies: readonly string[]
  readonly body: string
}

/** A request of a page of the site. */
function post(path: string, body: object, cookie = ''): Promise<Answer> {
  const headers = { origin: `https://localhost:${port}`, 'content-type': 'application/json', cookie }
  const url = `https://localhost:${port}${path}`
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', ca: certificates.authority, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          cookies: response.headers['set-cookie'] ?? [],
          body: text,
        }),
      )
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

interface Joined {
  readonly got: readonly Wamp[]
  heard(code: number): Promise<Wamp>
}

/** Joins with a secret, as a page of the site does. */
async function joining(authid: string, secret: string): Promise<Joined> {
  const socket = new WebSocket(`wss://localhost:${port}/ws`, 'wamp.2.json', {
    ca: certificates.authority,
    origin: `https://localhost:${port}`,
  })
  const got: Wamp[] = []
  const send = (...message: Wamp): void => socket.send(JSON.stringify(message))
  socket.on('open', () => send(1, 'realm1', { roles: { caller: {} }, authmethods: ['wampcra'], authid }))
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Wamp // it was written by the router
    got.push(message)
    if (message[0] === 4) send(5, craSignature(secret, message[2]), {})
  })
  socket.on('error', () => undefined)
  const find = (code: number): Wamp | undefined => got.find(([one]) => one === code)
  await until(() => find(2) !== undefined || find(3) !== undefined || socket.readyState === WebSocket.CLOSED)
  return {
    got,
    async heard(code) {
      await until(() => find(code) !== undefined)
      return find(code) ?? []
    },
  }
}

describe('a site over TLS that speaks WAMP', () => {
  it('lets in by a secret of a login, until its logout', async () => {
    const login = await post('/login', { username: 'alice', password })
    expect(login.status).toBeLessThan(400)
    for (const cookie of login.cookies) expect(cookie).toContain('Secure')
    const cookie = login.cookies.map((one) => one.split(';')[0]).join('; ')
    const given = await post('/countersign/challenge-secret', {}, cookie)
    const { authid, secret } = JSON.parse(given.body) as Readonly<Record<'authid' | 'secret', string>> // see below
    expect([authid, secret]).toEqual([expect.any(String), expect.any(String)])
    const session = await joining(authid, secret)
    expect((await session.heard(2))[2]).toMatchObject({ authid, authrole: 'member', authmethod: 'wampcra' })
    expect((await post('/logout', {}, cookie)).status).toBeLessThan(400)
    expect((await session.heard(6))[2]).toBe('wamp.close.logout')
    expect((await (await joining(authid, secret)).heard(3))[2]).toBe('wamp.error.authentication_denied')
  })

  it('gives no secret to who has not logged in', async () => {
    expect((await post('/countersign/challenge-secret', {})).status).toBe(401)
  })
})
