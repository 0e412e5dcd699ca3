import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { freeBlock } from '../../tools/ports.ts'
import { countersign, end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-serve-'))
const inFolder = { cwd: folder }
const password = 'a long enough one'
let port = 0
let server: Running

/** A configuration with a guard on the site's address, one on an address of its own, and one behind TLS. */
function configuration(first: number): string {
  return `store: countersign.db
keyFile: countersign.key
site:
  listen: localhost:${first}
guards:
  - name: chat
    path: /socket
    origins: [http://localhost:${first}]
    accept:
      - { method: ticket }
      - { method: session }
      - { method: preauth }
      - { method: jwt }
  - name: machines
    listen: 127.0.0.1:${first + 1}
    perSubject: { most: 2, whenFull: replace }
    accept:
      - { method: api_key }
      - { method: password }
      - { method: wampcra }
  - name: certified
    listen: localhost:${first + 2}
    origins: []
    tls: { cert: pki/localhost.pem, key: pki/localhost.key }
    accept:
      - { method: certificate, authority: pki/ca.pem, roles: [machine] }
challengeSecrets:
  - { authid: sensor, secretFile: sensor.secret, subject: sensor-1, salting: { salt: abc, iterations: 100000, keylen: 32 } }
`
}

interface Heard {
  readonly messages: readonly string[]
  readonly code: number
  readonly reason: string
}

/** Connects, says hello once greeted, and tells what was heard until the socket closed. */
function talk(
  url: string,
  options: WebSocket.ClientOptions = {},
  onGreeting?: (socket: WebSocket) => void,
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options)
    const messages: string[] = []
    socket.on('message', (data) => {
      messages.push(String(data))
      if (messages.length === 1) {
        if (onGreeting === undefined) socket.send('anyone there?')
        else onGreeting(socket)
      } else socket.close(1000)
    })
    socket.on('unexpected-response', (_request, response) =>
      reject(new Error(`HTTP ${String(response.statusCode)}`)),
    )
    socket.on('error', reject)
    socket.on('close', (code, reason) => resolve({ messages, code, reason: String(reason) }))
  })
}

/** User information of HTTP Basic, as a program sends it. */
function basic(username: string): WebSocket.ClientOptions {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return { headers: { authorization } }
}

async function mint(audience: string): Promise<string> {
  const { stdout } = await countersign(
    ['ticket', 'mint', '--subject', 'alice', '--audience', audience],
    inFolder,
  )
  return stdout.trim()
}

beforeAll(async () => {
  port = await freeBlock(8, 29_000 + Math.floor(Math.random() * 100) * 8)
  writeFileSync(join(folder, 'sensor.secret'), 'a secret of some length\n', { mode: 0o600 })
  await countersign(['cert', 'ca', '--out', 'pki'], inFolder)
  // The server's own certificate: its clients here check nothing but that there is one.
  await countersign(['cert', 'client', '--ca', 'pki', '--name', 'localhost'], inFolder)
  await countersign(['cert', 'client', '--ca', 'pki', '--name', 'robot'], inFolder)
  await countersign(['user', 'add', 'alice', '--role', 'member', '--password-stdin'], {
    ...inFolder,
    stdin: `${password}\n`,
  })
  writeFileSync(join(folder, 'countersign.yaml'), configuration(port))
  server = start(['serve', 'countersign.yaml'], inFolder)
  await server.line(`ready wss://localhost:${port + 2}/`)
})

afterAll(async () => {
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

describe('countersign serve', () => {
  it('prints one ready line for each address, and makes the key for its owner alone', () => {
    const lines = server
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('ready '))
    expect(lines).toEqual([
      `ready http://localhost:${port}/`,
      `ready ws://localhost:${port}/socket`,
      `ready ws://127.0.0.1:${port + 1}/`,
      `ready wss://localhost:${port + 2}/`,
    ])
    expect(statSync(join(folder, 'countersign.key')).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['h2c', 200],
    ['websocket', 404],
  ])('answers a wish to speak %s where no guard is with %i', async (upgrade, expected) => {
    const headers = { connection: 'Upgrade', upgrade }
    const status = await new Promise((resolve, reject) => {
      const asked = request({ port, host: 'localhost', path: '/healthz', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject)
      asked.end()
    })
    expect(status).toBe(expected)
  })

  it('opens to a ticket that the command line minted, once', async () => {
    const url = `ws://localhost:${port}/socket?ticket=${await mint('chat')}`
    expect(await talk(url)).toEqual({ messages: ['Hello alice!', 'anyone there?'], code: 1000, reason: '' })
    await expect(talk(url)).rejects.toThrow('HTTP 401')
  })

  it('opens no guard to a ticket of another', async () => {
    await expect(talk(`ws://localhost:${port}/socket?ticket=${await mint('machines')}`)).rejects.toThrow(
      'HTTP 401',
    )
  })

  it('logs people in, and opens to their session from an allowed page only', async () => {
    const answer = await fetch(`http://localhost:${port}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'alice', password }),
    })
    const cookie = answer.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ')
    const url = `ws://localhost:${port}/socket`
    expect((await talk(url, { headers: { cookie, origin: `http://localhost:${port}` } })).messages[0]).toBe(
      'Hello alice!',
    )
    await expect(talk(url, { headers: { cookie, origin: 'http://evil.example' } })).rejects.toThrow(
      'HTTP 403',
    )
  })

  it('knows a browser again after a restart, by the key that is kept', async () => {
    const login = async (at: number, word: string, cookie?: string): Promise<Response> =>
      fetch(`http://localhost:${at}/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) },
        body: JSON.stringify({ username: 'alice', password: word }),
      })
    const [device = ''] = (await login(port, password)).headers
      .getSetCookie()
      .filter((one) => one.startsWith('countersign-device='))
      .map((one) => one.split(';', 1)[0] ?? '')
    const other = await freeBlock(8, 31_000)
    writeFileSync(join(folder, 'again.yaml'), configuration(other))
    const running = start(['serve', 'again.yaml'], inFolder)
    await running.line(`ready wss://localhost:${other + 2}/`)
    for (let at = 0; at < 5; at++) expect((await login(other, 'a wrong one of them')).status).toBe(401)
    expect((await login(other, password)).status).toBe(429)
    expect((await login(other, password, device)).status).toBe(200)
    expect(running.stderr()).not.toContain(device.split('=')[1])
    await end(running)
  })

  it('takes a password and an API key on an address of its own', async () => {
    const url = `ws://127.0.0.1:${port + 1}/`
    const { stdout: key } = await countersign(
      ['key', 'create', '--name', 'k', '--subject', 'robot'],
      inFolder,
    )
    expect((await talk(url, basic('alice'))).messages[0]).toBe('Hello alice!')
    expect((await talk(url, { headers: { authorization: `Bearer ${key.trim()}` } })).messages[0]).toBe(
      'Hello robot!',
    )
  })

  it('takes a client certificate, and nobody without one', async () => {
    const url = `wss://localhost:${port + 2}/`
    const client = {
      cert: readFileSync(join(folder, 'pki/robot.pem')),
      key: readFileSync(join(folder, 'pki/robot.key')),
    }
    expect((await talk(url, { ...client, rejectUnauthorized: false })).messages[0]).toBe('Hello robot!')
    await expect(talk(url, { rejectUnauthorized: false })).rejects.toThrow('HTTP 401')
  })

  it('answers 404 where no guard stands', async () => {
    await expect(talk(`ws://localhost:${port}/elsewhere?ticket=${await mint('chat')}`)).rejects.toThrow(
      'HTTP 404',
    )
  })

  it('ends open sockets soon after the command line disabled their user', async () => {
    await countersign(['user', 'add', 'bob', '--password-stdin'], { ...inFolder, stdin: `${password}\n` })
    const heard = await talk(`ws://127.0.0.1:${port + 1}/`, basic('bob'), () => {
      void countersign(['user', 'disable', 'bob'], inFolder)
    })
    expect(heard).toMatchObject({ code: 3003, reason: 'revoked' })
  })

  it('ends what the command line revokes, with the word that it was told to say', async () => {
    const heard = await talk(`ws://localhost:${port}/socket?ticket=${await mint('chat')}`, {}, () => {
      void countersign(['revoke', 'address', '127.0.0.0/8', '--reason', 'logged_out'], inFolder)
    })
    expect(heard).toMatchObject({ code: 3003, reason: 'logged_out' })
  })

  it('replaces the oldest connection of a subject that has as many as it may', async () => {
    const url = `ws://127.0.0.1:${port + 1}/`
    const stay = (): void => {}
    const oldest = talk(url, basic('alice'), stay)
    const others = [talk(url, basic('alice'), (one) => void setTimeout(() => one.close(1000), 1_500))]
    await new Promise((resolve) => setTimeout(resolve, 500))
    others.push(talk(url, basic('alice'), (one) => one.close(1000)))
    // Which of the first two came first is the network's to say.
    const heard = await Promise.all([Promise.race([oldest, others[0]]), others[1]])
    expect(heard).toMatchObject([{ code: 4409, reason: 'superseded' }, { code: 1000 }])
  })

  it('refuses to start beside itself, naming the address', async () => {
    const { code, stderr } = await countersign(['serve', 'countersign.yaml'], inFolder)
    expect(code).toBe(4)
    expect(stderr).toContain(
      `localhost:${port} is taken: stop what listens there, or choose another "listen"`,
    )
  })

  it('never logs a credential', async () => {
    const ticket = await mint('chat')
    await talk(`ws://localhost:${port}/socket?ticket=${ticket}`)
    expect(server.stderr()).toContain('accepted')
    expect(server.stderr()).not.toContain(ticket)
    expect(server.stderr()).not.toContain(password)
  })

  it('tells open sockets that it is shutting down, and ends with code 0 within two seconds', async () => {
    const other = await freeBlock(8, 30_000)
    writeFileSync(join(folder, 'other.yaml'), configuration(other))
    const running = start(['serve', 'other.yaml'], inFolder)
    await running.line(`ready wss://localhost:${other + 2}/`)
    const ended = Promise.withResolvers<Awaited<ReturnType<typeof end>>>()
    const heard = await talk(
      `ws://127.0.0.1:${other + 1}/`,
      basic('alice'),
      () => void end(running).then(ended.resolve),
    )
    expect(heard).toMatchObject({ code: 1001, reason: 'shutting_down' })
    expect(await ended.promise).toMatchObject({ code: 0 })
    expect((await ended.promise).tookMs).toBeLessThan(2_500)
  })
})

describe('a configuration that cannot be served', () => {
  it.each([
    [
      'has a mistake',
      'site:\n  listen: 0.0.0.0:1\nguards:\n  - { name: a, path: /a, accept: [{ method: ticket }] }\n',
      /wrong\.yaml:2: site\.listen: 0\.0\.0\.0:1 would be cleartext/,
    ],
    [
      'has no key',
      `site:\n  listen: localhost:1\nguards:\n  - { name: a, path: /a, accept: [{ method: ticket }] }\n`,
      /wrong\.yaml: sealing key: set COUNTERSIGN_KEY or name a key file; for instance keyFile: countersign\.key/,
    ],
  ])('%s: exit code 3 and where it is', async (_name, text, words) => {
    writeFileSync(join(folder, 'wrong.yaml'), text)
    const { code, stdout, stderr } = await countersign(['serve', 'wrong.yaml'], {
      ...inFolder,
      env: { COUNTERSIGN_KEY: '' },
    })
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(words)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it('is explained by check, which counts its warnings', async () => {
    const good = await countersign(['check', 'countersign.yaml'], inFolder)
    expect(good).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('countersign.yaml can be served: 0 errors, 0 warnings'),
    })
    expect(good.stdout).toContain('Lets in: challenge-response (WAMP-CRA): the secret never travels.')
    const wrong = await countersign(['check', 'wrong.yaml', '--json'], inFolder)
    expect(wrong.code).toBe(0)
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      ok: true,
      errors: 0,
      guards: [{ name: 'a', methods: ['ticket'] }],
    })
  })
})

describe('the keys of access tokens', () => {
  it('outlive a restart where the configuration names a file for them', async () => {
    const first = port + 5
    const config = `keyFile: countersign.key\ntokenKeyFile: tokens.key\nstore: other.db\nsite: { listen: '127.0.0.1:${first}' }\nguards: [{ name: chat, path: /socket, accept: [{ method: ticket }] }]\n`
    writeFileSync(join(folder, 'tokens.yaml'), config)
    const published: unknown[] = []
    for (let round = 0; round < 2; round++) {
      const running = start(['serve', 'tokens.yaml'], inFolder)
      await running.line(`ready http://127.0.0.1:${first}/`)
      published.push(await (await fetch(`http://127.0.0.1:${first}/.well-known/jwks.json`)).json())
      await end(running)
    }
    expect(published[0]).toEqual(published[1])
    expect(statSync(join(folder, 'tokens.key')).mode & 0o777).toBe(0o600)
  })
})
