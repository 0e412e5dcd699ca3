import { connect } from 'node:net'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'
import { gotIn, opening, raw, request, visit } from './support/attacker.ts'

let lab: RunningLab
const portOf = (id: string): number => Number(new URL(lab.door(id).url).port)
const siteHost = (): string => `localhost:${lab.port}`
const siteOrigin = (): string => `http://localhost:${lab.port}`
const keyOf = (name: string): string =>
  lab.doors.accounts.find(({ username }) => username === name)?.api_key ?? ''

beforeAll(async () => {
  lab = await runLab()
})

afterAll(async () => {
  await lab.stop()
})

describe('an opening handshake that can be read in two ways', () => {
  const page = (): string => `Origin: ${siteOrigin()}`
  it.each<[string, number, (port: number) => string]>([
    ['an absolute-form target', 400, (port) => opening(port, [], 'GET http://evil.example/ HTTP/1.1')],
    ['a target that names an authority', 400, (port) => opening(port, [], 'GET //evil.example/ HTTP/1.1')],
    ['a target with a fragment', 400, (port) => opening(port, [], 'GET /#?ticket=a HTTP/1.1')],
    ['two Hosts', 400, (port) => opening(port, ['Host: evil.example'])],
    ['no Host', 400, (port) => opening(port, [], 'GET / HTTP/1.1', '')],
    ['the Host of another site', 421, (port) => opening(port, [], 'GET / HTTP/1.1', `evil.example:${port}`)],
    [
      'a Host with user information',
      421,
      (port) => opening(port, [], 'GET / HTTP/1.1', `localhost:${port}@evil`),
    ],
    ['two equal Origins', 400, (port) => opening(port, [page(), page()])],
    ['an allowed Origin and another', 400, (port) => opening(port, [page(), 'Origin: http://evil.example'])],
    ['an Origin that lists two', 403, (port) => opening(port, [`${page()}, http://evil.example`])],
    [
      'two Authorizations',
      400,
      (port) => opening(port, ['Authorization: Bearer a', 'authorization: Bearer a']),
    ],
    ['two keys', 400, (port) => opening(port, ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='])],
    ['a body', 400, (port) => `${opening(port, ['Content-Length: 5'])}hello`],
    ['a chunked body', 400, (port) => `${opening(port, ['Transfer-Encoding: chunked'])}0\r\n\r\n`],
    ['HTTP/1.0', 400, (port) => opening(port, [], 'GET / HTTP/1.0')],
    ['a POST', 405, (port) => opening(port, [], 'POST / HTTP/1.1')],
    ['more header than is read', 431, (port) => opening(port, ['X: y'.padEnd(20_000, 'y')])],
    [
      'more fields than are read',
      431,
      (port) =>
        opening(
          port,
          Array.from({ length: 5_000 }, () => 'X: y'),
        ),
    ],
  ])('with %s is refused by %i and the connection ended', async (_what, status, bytes) => {
    const reply = await raw(portOf('D5'), bytes(portOf('D5')))
    expect(reply).toMatchObject({ status, answers: 1, ended: true })
  })

  it('takes no second request behind a refusal', async () => {
    const port = portOf('D2')
    const behind = request('GET / HTTP/1.1', `localhost:${port}`)
    const reply = await raw(port, opening(port, ['Origin: http://evil.example']) + behind + behind)
    expect(reply).toMatchObject({ status: 403, answers: 1, ended: true })
  })

  it('refuses a token that disagrees with its percent-encoded twin, and spends neither', async () => {
    const [one, two] = await Promise.all([ticketOf('D2'), ticketOf('D2')])
    const url = lab.door('D2').url
    expect(await visit({ url: `${url}?ticket=${one}&t%69cket=${two}` })).toMatchObject({ status: 401 })
    for (const ticket of [one, two])
      expect(gotIn(await visit({ url: `${url}?t%69cket=${ticket}` }))).toBe(true)
  })

  it('refuses two session cookies that differ: one of them was planted', async () => {
    const cookie = await logIn(lab, 'bob')
    const url = lab.door('D7').url
    const open = (text: string): ReturnType<typeof visit> =>
      visit({ url, origin: siteOrigin(), headers: { cookie: text } })
    expect(gotIn(await open(`countersign-session=css_planted; ${cookie}`))).toBe(false)
    expect(gotIn(await open(`${cookie}; countersign-session=css_planted`))).toBe(false)
    expect(gotIn(await open(`${cookie}; ${cookie}`))).toBe(true)
  })

  it('reads subprotocols that are spread over lines as one list, and echoes no secret', async () => {
    const port = portOf('D6')
    const ticket = await ticketOf('D6')
    const lines = [
      `Sec-WebSocket-Protocol: countersign.bearer.${ticket}`,
      'Sec-WebSocket-Protocol: countersign.v1',
    ]
    const reply = await raw(port, opening(port, lines), 800)
    expect(reply.status).toBe(101)
    expect(reply.text).not.toContain(ticket)
  })

  it('believes no header that speaks for a proxy', async () => {
    const claims = [
      'X-Forwarded-For: 203.0.113.9',
      'Forwarded: for=203.0.113.9;proto=https',
      'X-Real-IP: 203.0.113.9',
    ]
    const port = portOf('D2')
    await raw(port, opening(port, claims))
    expect(lab.output()).not.toContain('203.0.113.9')
    for (const field of [
      'Client-Cert: :AAAA:',
      'X-SSL-Client-Verify: SUCCESS',
      'X-Forwarded-Client-Cert: Hash=a',
    ])
      expect(await visit(tlsWith(field))).toMatchObject({ status: 400 })
    expect(await visit(tlsWith('X-Nothing: 1'))).toMatchObject({ status: 401 })
  })

  function tlsWith(field: string): Parameters<typeof visit>[0] {
    const [name = '', value = ''] = field.split(': ')
    return { url: lab.door('D11').url, headers: { [name]: value }, options: { rejectUnauthorized: false } }
  }
})

describe('a request to the site that can be read in two ways', () => {
  it.each<[string, (host: string) => string]>([
    ['an absolute-form target', (host) => request('GET http://evil.example/healthz HTTP/1.1', host)],
    ['two Hosts', (host) => request('GET /healthz HTTP/1.1', host, ['Host: evil.example'])],
    [
      'two Origins',
      (host) => request('GET /healthz HTTP/1.1', host, [`Origin: http://${host}`, 'Origin: null']),
    ],
    [
      'two Authorizations',
      (host) => request('GET /healthz HTTP/1.1', host, ['Authorization: a b', 'Authorization: c d']),
    ],
    [
      'two content types',
      (host) => request('GET /healthz HTTP/1.1', host, ['Content-Type: a/b', 'Content-Type: c/d']),
    ],
    ['two lengths', (host) => request('POST /login HTTP/1.1', host, ['Content-Length: 4'], '{"a":1}')],
    [
      'a length and chunks',
      (host) => request('POST /login HTTP/1.1', host, ['Transfer-Encoding: chunked'], '0\r\n\r\n'),
    ],
  ])('with %s is refused', async (_what, bytes) => {
    expect(await raw(lab.port, bytes(siteHost()), 600)).toMatchObject({ status: 400, answers: 1 })
  })

  it.each([
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/../../package.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '//evil.example/',
    '/%5cevil.example',
    '/lab/../../../etc/passwd',
  ])('for %s finds nothing and leads nowhere', async (path) => {
    const reply = await raw(lab.port, request(`GET ${path} HTTP/1.1`, siteHost()), 600)
    expect([400, 404]).toContain(reply.status)
    expect(reply.text.toLowerCase()).not.toContain('location:')
  })
})

describe('a peer that takes its time', () => {
  it.concurrent.each<[string, () => number, () => string, number]>([
    [
      'sends half a header to a door',
      () => portOf('D2'),
      () => 'GET / HTTP/1.1\r\nHost: localhost\r\n',
      9_000,
    ],
    ['sends nothing to a door', () => portOf('D2'), () => '', 14_000],
    ['sends half a header to the site', () => lab.port, () => 'GET / HTTP/1.1\r\nHost: localhost\r\n', 9_000],
    ['never ends a body', () => lab.port, () => neverEnding(), 14_000],
    ['never ends a TLS handshake', () => portOf('D11'), () => '\x16\x03\x01', 14_000],
  ])('and %s is cut off', async (_what, port, bytes, withinMs) => {
    expect(await raw(port(), bytes(), withinMs)).toMatchObject({ ended: true })
  })

  function neverEnding(): string {
    const fields = ['Content-Type: application/json', 'Content-Length: 900']
    return `${request('POST /login HTTP/1.1', siteHost(), fields)}{"username":`
  }
})

describe('an accepted peer', () => {
  const open = async (): Promise<WebSocket> => {
    const { socket } = await visit({
      url: lab.door('D5').url,
      headers: { authorization: `Bearer ${keyOf('alice')}` },
    })
    return socket
  }
  const closing = (socket: WebSocket): Promise<number> =>
    new Promise((resolve) => socket.once('close', (code) => resolve(code)))
  const write = (socket: WebSocket, bytes: Buffer): void => {
    const inner: unknown = Reflect.get(socket, '_socket')
    if (inner instanceof Object && 'write' in inner && typeof inner.write === 'function') inner.write(bytes)
  }

  it('that announces 60 MiB is closed before it has sent any', async () => {
    const socket = await open()
    const closed = closing(socket)
    const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 3, 0xc0, 0, 0, 1, 2, 3, 4])
    write(socket, header)
    expect(await closed).toBe(1009)
  })

  it('that sends a message in twenty thousand fragments is closed', async () => {
    const socket = await open()
    const closed = closing(socket)
    const fragment = Buffer.from([0x00, 0x80, 1, 2, 3, 4])
    write(
      socket,
      Buffer.concat([Buffer.from([0x01, 0x80, 1, 2, 3, 4]), ...Array<Buffer>(20_000).fill(fragment)]),
    )
    expect(await closed).toBe(1008)
  })

  it.each([
    ['compressed though nothing was agreed', [0xc1, 0x80, 1, 2, 3, 4]],
    ['unmasked', [0x81, 0x00]],
  ])('whose frame is %s is closed', async (_what, bytes) => {
    const socket = await open()
    const closed = closing(socket)
    write(socket, Buffer.from(bytes))
    expect(await closed).toBe(1002)
  })

  it('that sends and never reads is cut off, and the others are not harmed', async () => {
    const socket = connect(portOf('D5'), '127.0.0.1')
    socket.on('error', () => undefined)
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.write(opening(portOf('D5'), [`Authorization: Bearer ${keyOf('alice')}`]))
    socket.pause()
    const mask = randomBytes(4)
    const frame = Buffer.concat([Buffer.from([0x82, 0xfe, 0xff, 0x00]), mask, Buffer.alloc(0xff00)])
    const pour = (): void => {
      while (!socket.destroyed && socket.write(frame));
    }
    socket.on('drain', pour)
    setTimeout(pour, 100)
    await gone
    const other = await open()
    expect(other.readyState).toBe(WebSocket.OPEN)
    other.terminate()
  })
})

async function ticketOf(audience: string): Promise<string> {
  const { ticket } = await postAs(lab, await aliceCookie(), {
    path: 'countersign/ticket',
    body: { audience },
  })
  return String(ticket)
}

let cookieOfAlice: Promise<string> | undefined
function aliceCookie(): Promise<string> {
  return (cookieOfAlice ??= logIn(lab, 'alice'))
}
