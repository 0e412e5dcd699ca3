import { createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { upgradeListener } from '../../../packages/countersign/src/adapters/ws.ts'
import {
  authorization,
  challengeFrames,
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  subprotocol,
  type Records,
} from '../../../packages/countersign/src/index.ts'
import {
  apiKey,
  password,
  session,
  ticket,
  wampcra,
} from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin, wrapped } from '../support/guard.ts'
import {
  call,
  expectAccepted,
  expectRefused,
  frame,
  openGuarded,
  rawRequest,
  rawUpgrade,
  until,
  upgradeLines,
  type RawSocket,
  type Door,
  type DoorOptions,
} from '../support/sockets.ts'

/** A door for most ways in. */
const openDoor = (options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({
    accept: [
      ticket({ from: [query('ticket'), subprotocol(), firstMessage()] }),
      session({ from: cookie('sid') }),
      apiKey({ from: authorization('Bearer') }),
      password({ from: authorization('Basic') }),
      wampcra({ from: challengeFrames() }),
    ],
    ...options,
  })

const ticketFor = async (door: Door, leaseMs = 900_000): Promise<string> =>
  (await door.guard.issue.ticket({ subject: 'alice', roles: ['member'], leaseMs })).ticket

const auth = (token: string): string => JSON.stringify({ type: 'auth', token })

/** Records that answer a little later. */
const slow = (ms: number, records: Records = memory()): Records =>
  wrapped(records, async (_name, call) => {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return call()
  })

describe('a guarded server', () => {
  test('hands over who is accepted, with a lease', async () => {
    const door = await openDoor()
    const caller = call(door, { path: `/chat?ticket=${await ticketFor(door)}` })
    const guest = await expectAccepted(door, caller, 'alice')
    expect(guest.lease).toMatchObject({ phase: 'live', principal: { roles: ['member'], method: 'ticket' } })
    caller.socket.send('hello')
    await until(() => guest.messages.length > 0)
    expect(guest.messages).toEqual(['hello'])
    expect(caller.frames).toEqual([])
    caller.socket.close()
    await until(() => guest.lease.ended)
    expect(door.guard.leases()).toEqual([])
  })

  test('does so on records that take their time, too', async () => {
    const door = await openDoor({ records: slow(5) })
    const caller = call(door, { path: `/?ticket=${await ticketFor(door)}` })
    await expectAccepted(door, caller, 'alice')
  })

  test.each<[string, (secret: string) => readonly string[]]>([
    [
      'cookie',
      (secret) => [`Cookie: a=1; sid=${secret}; b="2"`, `Cookie: sid=${secret}`, `Origin: ${pageOrigin}`],
    ],
    ['Bearer', (secret) => [`AUTHORIZATION: Bearer ${secret}`]],
    ['Basic', (secret) => [`Authorization: Basic ${btoa(`alice:${secret}`)}`]],
    ['subprotocol', (secret) => [`Sec-WebSocket-Protocol: countersign.v1, countersign.bearer.${secret}`]],
    [
      'pair of subprotocols',
      (secret) => ['Sec-WebSocket-Protocol: countersign.v1, bearer', `sec-websocket-protocol: ${secret}`],
    ],
  ])('hides a credential that came as %s from everyone behind it', async (how, lines) => {
    const door = await openDoor()
    const { session: sid } = await door.guard.issue.session({ subject: 'alice' })
    const { key } = await door.guard.issue.apiKey({ subject: 'alice', name: 'n' })
    const records = memory()
    void records
    const secret =
      how === 'cookie' ? sid : how === 'Bearer' ? key : how === 'Basic' ? 'pass-9f8e' : await ticketFor(door)
    if (how === 'Basic') {
      const other = await openDoor({ records })
      records.putAccount({
        username: 'alice',
        roles: [],
        passwordHash: secret,
        disabled: false,
        changedAtMs: 0,
      })
      await seenBehind(other, lines(secret), [secret, btoa(`alice:${secret}`)])
      return
    }
    await seenBehind(door, lines(secret), [secret])
  })

  test('hides a query parameter and leaves every other byte of the URL', async () => {
    const door = await openDoor()
    const text = await ticketFor(door)
    const raw = rawUpgrade(door, `/a%2Fb?x=%41+1&tick%65t=${text}&&y=é%20`.replace('é', '%c3%a9'))
    await raw.heard('101')
    await until(() => door.guests.length > 0)
    expect(door.guests[0]?.request.url).toBe('/a%2Fb?x=%41+1&&y=%c3%a9%20')
  })

  test('leaves what is no credential', async () => {
    const door = await openDoor()
    const raw = rawUpgrade(door, `/?ticket=${await ticketFor(door)}`, [
      'Cookie: theme=dark; sid=css_x; b=2',
      'X-Custom: kept',
      `Origin: ${pageOrigin}`,
    ])
    await raw.heard('101')
    await until(() => door.guests.length > 0)
    const request = door.guests[0]?.request
    expect(request?.headers.cookie).toBe('theme=dark; b=2')
    expect(request?.rawHeaders.join('\n')).toContain('theme=dark; b=2')
    expect(request?.headers['x-custom']).toBe('kept')
    expect(request?.headers.authorization).toBeUndefined()
  })

  test.each([
    [['countersign.v1'], 'countersign.v1'],
    [['countersign.v1', 'chat'], 'countersign.v1'],
  ])('never selects the secret among %j', async (others, selected) => {
    const door = await openDoor()
    const caller = call(door, { protocols: [`countersign.bearer.${await ticketFor(door)}`, ...others] })
    expect(await caller.outcome).toEqual({ kind: 'open', protocol: selected })
  })

  test('selects the marker of a pair that was offered alone, which browsers need, and never its token', async () => {
    const door = await openDoor()
    const caller = call(door, { protocols: ['bearer', await ticketFor(door)] })
    expect(await caller.outcome).toEqual({ kind: 'open', protocol: 'bearer' })
    const refused = call(door, { protocols: ['bearer', 'made-up'] })
    expect((await refused.outcome).kind).not.toBe('open')
  })

  test('selects nothing when only a secret was offered', async () => {
    const door = await openDoor()
    const raw = rawUpgrade(door, '/', [`Sec-WebSocket-Protocol: countersign.bearer.${await ticketFor(door)}`])
    await raw.heard('\r\n\r\n')
    expect(raw.text()).toMatch(/^HTTP\/1\.1 101 /)
    expect(raw.text().toLowerCase()).not.toContain('sec-websocket-protocol')
  })

  test('offers its own choice of subprotocols only what is not secret', async () => {
    const offered: string[] = []
    const handleProtocols = (protocols: Set<string>): string | false => {
      offered.push(...protocols)
      return [...protocols].at(-1) ?? false
    }
    const door = await openDoor({ wss: { noServer: true, handleProtocols } })
    const caller = call(door, { protocols: ['a', 'bearer', await ticketFor(door), 'b'] })
    expect(await caller.outcome).toEqual({ kind: 'open', protocol: 'b' })
    expect(offered).toEqual(['a', 'b'])
  })

  test('lets an application throw as it would without a guard, when ports take their time', async () => {
    const door = await openDoor({
      records: slow(1),
      application: () => {
        throw new RangeError('secret')
      },
    })
    const early = call(door, { path: `/?ticket=${await ticketFor(door)}` })
    const late = call(door)
    await late.outcome
    late.socket.send(await ticketFor(door))
    expect((await Promise.all([early.closed, late.closed])).map((end) => end.code)).toEqual([1006, 1006])
    expect(door.journal.filter((entry) => entry.kind === 'error').map((entry) => entry.detail)).toEqual([
      'RangeError',
      'RangeError',
    ])
    await until(() => door.guard.leases().length === 0 && door.guard.pool.size === 0)
  })

  test('may share a WebSocketServer with another guard', async () => {
    const door = await openDoor()
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query('other') })] })
    const listener = upgradeListener(door.wss, guard)
    door.server.on('upgrade', () => undefined)
    expect(typeof listener).toBe('function')
    const caller = call(door, { path: `/?ticket=${await ticketFor(door)}` })
    const guest = await expectAccepted(door, caller, 'alice')
    caller.socket.send('once')
    await until(() => guest.messages.length > 0)
    expect(guest.messages).toEqual(['once'])
    guard.close()
  })

  test.each([
    ['listens by itself', { port: 0 }],
    ['has a say of its own', { noServer: true, verifyClient: () => true }],
  ])('cannot be made of a WebSocketServer that %s', (_what, options) => {
    const wss = new WebSocketServer(options)
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query() })] })
    expect(() => upgradeListener(wss, guard)).toThrow('wss')
    wss.close()
  })

  test('cannot be made of a WebSocketServer that knows no class of sockets', () => {
    const wss = new WebSocketServer({ noServer: true })
    delete wss.options.WebSocket
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query() })] })
    expect(() => upgradeListener(wss, guard)).toThrow('ws 8.1')
  })

  test('works for a WebSocketServer that keeps no list of clients', async () => {
    const door = await openDoor({ wss: { noServer: true, clientTracking: false } })
    Object.assign(door.wss, { clients: door.wss.clients ?? new Set() })
    const caller = call(door)
    await caller.outcome
    caller.socket.send(await ticketFor(door))
    await expectAccepted(door, caller, 'alice')
  })
})

async function seenBehind(door: Door, lines: readonly string[], secrets: readonly string[]): Promise<void> {
  const raw = rawUpgrade(door, '/', lines)
  await raw.heard('\r\n\r\n')
  expect(raw.text()).toMatch(/^HTTP\/1\.1 101 /)
  await until(() => door.guests.length > 0)
  const request = door.guests[0]?.request
  const visible = JSON.stringify([
    request?.url,
    request?.headers,
    request?.rawHeaders,
    request?.headersDistinct,
    raw.text(),
    door.journal,
  ])
  for (const secret of secrets) expect(visible).not.toContain(secret)
}

describe('a refusal by HTTP', () => {
  test('says status and words of the table, and what could be shown instead', async () => {
    const door = await openDoor({ name: 'Chat' })
    const outcome = await expectRefused(call(door, { path: '/?ticket=cst_wrong' }), 'invalid_credential')
    expect(outcome).toMatchObject({
      headers: {
        'www-authenticate':
          'Countersign realm="Chat", Bearer realm="Chat", error="invalid_token", Basic realm="Chat", charset="UTF-8"',
        'cache-control': 'no-store',
        connection: 'close',
      },
    })
  })

  test('names no error when nothing was shown', async () => {
    const door = await openGuarded({ accept: [apiKey({ from: authorization('Bearer') })], name: 'Chat' })
    const outcome = await expectRefused(call(door), 'missing_credential')
    expect(outcome).toMatchObject({ headers: { 'www-authenticate': 'Bearer realm="Chat"' } })
  })

  test('asks for something even where HTTP has no word for it', async () => {
    const door = await openGuarded({
      accept: [ticket({ from: firstMessage() })],
      name: 'Chat',
      refusals: 'http',
    })
    const raw = rawUpgrade(door, '/')
    await raw.heard('101')
    const { httpRefusal } = await import('../../../packages/countersign/src/adapters/http.ts')
    const answer = httpRefusal(door.guard, {
      kind: 'refused',
      reason: 'missing_credential',
      retryAfterMs: undefined,
      tell: 'http',
      reply: 'bare',
    })
    expect(answer.headers).toEqual({ 'WWW-Authenticate': 'Countersign realm="Chat"' })
    expect(
      httpRefusal(door.guard, {
        kind: 'refused',
        reason: 'superseded',
        retryAfterMs: undefined,
        tell: 'http',
        reply: 'bare',
      }).status,
    ).toBe(403)
  })

  test('of a guess says when to come back', async () => {
    const door = await openDoor()
    const guess = { auth: 'alice:wrong' }
    for (let at = 0; at < 5; at++) await expectRefused(call(door, guess), 'invalid_credential')
    expect(await expectRefused(call(door, guess), 'too_many_attempts')).toMatchObject({
      headers: { 'retry-after': '1' },
    })
  })

  test('of an overload says when to come back', async () => {
    const door = await openDoor({ limits: { handshakesPerSecond: 0 } })
    expect(await expectRefused(call(door), 'overloaded')).toMatchObject({ headers: { 'retry-after': '5' } })
  })

  test.each(['https://evil.example', 'null'])('is what a page of %s gets', async (page) => {
    const door = await openDoor()
    const text = await ticketFor(door)
    expect(
      await expectRefused(call(door, { page, path: `/?ticket=${text}` }), 'forbidden_origin'),
    ).toMatchObject({ kind: 'http', status: 403 })
    await expectAccepted(door, call(door, { path: `/?ticket=${text}` }), 'alice')
  })

  test('leaves no socket behind within a second, though the peer keeps its half open', async () => {
    const door = await openDoor()
    const raw = rawRequest(door.port, upgradeLines('/?ticket=cst_wrong'))
    await raw.heard('Invalid token')
    expect(await raw.gone()).toBeLessThan(1_500)
    await until(() => connections(door) === 0)
  })

  test('lets a socket go at once when the peer closes too', async () => {
    const door = await openDoor({ limits: { lingerMs: 60_000 } })
    await expectRefused(call(door, { path: '/?ticket=cst_wrong' }), 'invalid_credential')
    await until(() => connections(door) === 0)
  })

  test.each<[string, readonly string[], readonly string[], number]>([
    ['a short key', ['Sec-WebSocket-Key: c2hvcnQ='], ['Sec-WebSocket-Key'], 400],
    ['another version', ['Sec-WebSocket-Version: 8'], ['Sec-WebSocket-Version'], 426],
    ['no Host', [], ['Host'], 400],
    ['two Hosts', ['Host: 127.0.0.1'], [], 400],
    ['two Origins', [`Origin: ${pageOrigin}`, `Origin: ${pageOrigin}`], [], 400],
    ['two Authorizations', ['Authorization: Bearer a', 'Authorization: Bearer b'], [], 400],
    ['a broken subprotocol', ['Sec-WebSocket-Protocol: a,,b'], [], 400],
    ['a body', ['Content-Length: 1'], [], 400],
  ])('of a handshake with %s spends no ticket', async (_what, extra, without, status) => {
    const door = await openDoor()
    const text = await ticketFor(door)
    const raw = rawRequest(door.port, upgradeLines(`/?ticket=${text}`, extra, without))
    await raw.heard(`HTTP/1.1 ${status}`)
    await expectAccepted(door, call(door, { path: `/?ticket=${text}` }), 'alice')
  })

  test.each(['http://127.0.0.1/', '//evil.example/', '/\\evil', '/#'])(
    'is what the target %s gets',
    async (prefix) => {
      const door = await openDoor()
      const text = await ticketFor(door)
      const raw = rawUpgrade(door, `${prefix}?ticket=${text}`)
      await raw.heard('HTTP/1.1 400')
      await expectAccepted(door, call(door, { path: `/?ticket=${text}` }), 'alice')
    },
  )

  test('is what a host that is not served here gets', async () => {
    const door = await openDoor({ hosts: ['chat.example'] })
    const raw = rawRequest(door.port, upgradeLines('/', ['Host: evil.example'], ['Host']))
    await raw.heard('HTTP/1.1 421')
  })

  test('is what ws itself adds leaves no lease', async () => {
    const door = await openDoor({ wss: { noServer: true, path: '/only' } })
    const raw = rawUpgrade(door, `/other?ticket=${await ticketFor(door)}`)
    await raw.heard('HTTP/1.1 400')
    expect(door.guard.leases()).toEqual([])
    const waiting = rawUpgrade(door, '/other')
    await waiting.heard('HTTP/1.1 400')
    expect(door.guard.pool.size).toBe(0)
    const refused = rawUpgrade(door, '/other?ticket=cst_wrong', [`Origin: ${pageOrigin}`])
    await refused.heard('HTTP/1.1 400')
  })
})

/** Sockets that the server still holds. */
function connections(door: Door): number {
  let count = -1
  door.server.getConnections((_error, open) => (count = open))
  return count < 0 ? Number(Reflect.get(door.server, '_connections')) : count
}

describe('a refusal by closing', () => {
  test('is what browsers get: code and word of the table', async () => {
    const door = await openDoor()
    const caller = call(door, { page: pageOrigin, path: '/?ticket=cst_wrong' })
    expect(await expectRefused(caller, 'invalid_credential')).toMatchObject({ kind: 'open' })
    expect(door.guests).toEqual([])
    await until(() => door.guard.pool.size === 0)
  })

  test('leaves no socket behind within a second, though the peer never answers', async () => {
    const door = await openDoor()
    const raw = rawUpgrade(door, '/?ticket=cst_wrong', [`Origin: ${pageOrigin}`])
    await raw.heard('invalid_credential')
    expect(door.guard.pool.size).toBe(1)
    await until(() => connections(door) === 0)
    expect(await raw.gone()).toBeLessThan(1_500)
    expect(door.guard.pool.size).toBe(0)
  })

  test('becomes one by HTTP when the pool is half full', async () => {
    const door = await openDoor({ limits: { pool: { total: 2 } } })
    const silent = call(door)
    await silent.outcome
    const caller = call(door, { page: pageOrigin, path: '/?ticket=cst_wrong' })
    expect(await expectRefused(caller, 'invalid_credential')).toMatchObject({ kind: 'http', status: 401 })
  })

  test('is not lingered over when there is no room', async () => {
    const door = await openDoor({ limits: { pool: { total: 1 }, lingerMs: 60_000 } })
    const waiting = rawUpgrade(door, '/')
    await waiting.heard('101')
    door.guard.pool.occupy({})
    expect(door.guard.pool.size).toBe(1)
    waiting.socket.write(frame('cst_wrong'))
    await waiting.heard('invalid_credential')
    await until(() => door.guard.pool.size <= 1)
  })

  test('never reaches what the application sends to all its clients', async () => {
    const door = await openDoor()
    const refused = call(door, { page: pageOrigin, path: '/?ticket=cst_wrong' })
    await refused.outcome
    expect(door.wss.clients.size).toBe(0)
    await refused.closed
  })

  test('reads no flood while it lingers', async () => {
    const door = await openDoor()
    const raw = rawUpgrade(door, '/?ticket=cst_wrong', [`Origin: ${pageOrigin}`])
    await raw.heard('invalid_credential')
    const grown = peakOfBuffers()
    flood(raw)
    await raw.gone()
    expect(grown()).toBeLessThan(10 * 1024 * 1024)
  })
})

/** Watches how far buffers grow from now on. @returns asks for the largest growth so far, bytes */
function peakOfBuffers(): () => number {
  const before = process.memoryUsage().arrayBuffers
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 2)
  onTestFinished(() => clearInterval(watch))
  return () => peak - before
}

const huge = Buffer.alloc(60 * 1024 * 1024)

/** A binary frame that announces 60 MiB and sends them. Nothing is allocated here: the growth is the server's. */
function flood(raw: RawSocket): void {
  const head = Buffer.alloc(14)
  head[0] = 0x82
  head[1] = 0xff
  head.writeBigUInt64BE(BigInt(huge.length), 2)
  raw.socket.write(head)
  raw.socket.write(huge)
}

describe('the first message', () => {
  test('lets a bare token in without a word', async () => {
    const door = await openDoor()
    const caller = call(door)
    await caller.outcome
    expect(door.guard.pool.size).toBe(1)
    caller.socket.send(await ticketFor(door))
    await expectAccepted(door, caller, 'alice')
    expect(door.guard.pool.size).toBe(0)
    caller.socket.ping()
    await new Promise((resolve) => caller.socket.once('pong', resolve))
    expect(caller.frames).toEqual([])
  })

  test.each([
    [
      'auth',
      (token: string) => auth(token),
      (lease: string) => `{"type":"auth_ok","expires_in":900,"lease":"${lease}"}`,
    ],
    [
      'connection_init',
      (token: string) => JSON.stringify({ type: 'connection_init', payload: { token } }),
      () => '{"type":"connection_ack"}',
    ],
  ])('as %s is acknowledged', async (_form, say, reply) => {
    const door = await openDoor()
    const caller = call(door)
    await caller.outcome
    caller.socket.send(say(await ticketFor(door)))
    const guest = await expectAccepted(door, caller, 'alice')
    await until(() => caller.frames.length > 0)
    // A millisecond between issue and acceptance is a second less.
    expect(caller.frames.map((text) => text.replace(':899,', ':900,'))).toEqual([reply(guest.lease.id)])
  })

  test('refused says so in its own form, then closes', async () => {
    const door = await openDoor()
    const caller = call(door)
    await caller.outcome
    caller.socket.send(auth('cst_wrong'))
    await expectRefused(caller, 'invalid_credential')
    expect(caller.frames).toEqual(['{"type":"auth_invalid","reason":"invalid_credential"}'])
  })

  test('is answered by no frame where that is switched off', async () => {
    const door = await openGuarded({ accept: [ticket({ from: firstMessage({ replies: false }) })] })
    const [good, bad] = [call(door), call(door)]
    await Promise.all([good.outcome, bad.outcome])
    good.socket.send(auth(await ticketFor(door)))
    bad.socket.send(auth('cst_wrong'))
    await expectRefused(bad, 'invalid_credential')
    await expectAccepted(door, good, 'alice')
    expect([...good.frames, ...bad.frames]).toEqual([])
  })

  test.each([0, 10])(
    'has everything behind it delivered in order, nothing lost (records answer after %i ms)',
    async (ms) => {
      const door = await openDoor(ms === 0 ? {} : { records: slow(ms) })
      const text = await ticketFor(door)
      const raw = rawUpgrade(
        door,
        '/',
        [],
        Buffer.concat([frame(text), frame('one'), frame(new Uint8Array([0x74, 0x77, 0x6f])), frame('three')]),
      )
      await raw.heard('101')
      await until(() => door.guests[0]?.messages.length === 3)
      raw.socket.write(frame('four'))
      await until(() => door.guests[0]?.messages.length === 4)
      expect(door.guests[0]?.messages).toEqual(['one', 'two', 'three', 'four'])
    },
  )

  test.each([0, 10])('refused drops everything behind it (records answer after %i ms)', async (ms) => {
    const door = await openDoor(ms === 0 ? {} : { records: slow(ms) })
    const raw = rawUpgrade(door, '/', [], Buffer.concat([frame('cst_wrong'), frame('one')]))
    await raw.heard('invalid_credential')
    expect(door.guests).toEqual([])
  })

  test.each([
    ['longer than allowed', [frame('x'.repeat(5_000))], 'message_too_big' as const],
    ['binary', [frame(new Uint8Array([1, 2, 3]))], 'protocol_violation' as const],
  ])('that is %s is refused', async (_what, frames, reason) => {
    const door = await openDoor()
    const raw = rawUpgrade(door, '/')
    await raw.heard('101')
    raw.socket.write(Buffer.concat(frames))
    await raw.heard(reason)
    expect(door.refusals()).toEqual([reason])
  })

  test('may come in one chunk with the handshake and fill the whole allowance', async () => {
    const door = await openDoor({ limits: { maxBytes: 3_000 } })
    const padded = `{"type":"auth","token":"${await ticketFor(door)}","pad":"${'x'.repeat(2_500)}"}`
    const raw = rawUpgrade(door, '/', [], frame(padded))
    await raw.heard('auth_ok')
    expect(door.guests).toHaveLength(1)
  })

  test('followed by more messages than are queued is refused', async () => {
    const door = await openDoor({ records: slow(50) })
    const caller = call(door)
    await caller.outcome
    for (const text of ['cst_wrong', '1', '2', '3', '4']) caller.socket.send(text)
    await expectRefused(caller, 'protocol_violation')
  })

  test('that announces 60 MiB costs no more memory than it may', async () => {
    const door = await openDoor()
    const raw = rawUpgrade(door, '/')
    await raw.heard('101')
    const grown = peakOfBuffers()
    flood(raw)
    await raw.heard('message_too_big')
    await raw.gone()
    expect(grown()).toBeLessThan(10 * 1024 * 1024)
    expect(door.refusals()).toEqual(['message_too_big'])
  })

  test('that is small on the wire and huge when inflated is refused', async () => {
    const door = await openDoor({ wss: { noServer: true, perMessageDeflate: { threshold: 0 } } })
    const caller = call(door, { perMessageDeflate: { threshold: 0 } })
    await caller.outcome
    caller.socket.send('x'.repeat(500_000), { compress: true })
    await expectRefused(caller, 'message_too_big')
  })

  test('that never comes is not waited for', async () => {
    const door = await openDoor({ limits: { deadlineMs: 80 } })
    const began = Date.now()
    const caller = call(door)
    await expectRefused(caller, 'authentication_timeout')
    expect(Date.now() - began).toBeGreaterThanOrEqual(75)
    expect(Date.now() - began).toBeLessThan(1_500)
    await until(() => door.guard.pool.size === 0)
  })

  test('is not waited for any longer because the peer pings', async () => {
    const door = await openDoor({ limits: { deadlineMs: 120 } })
    const caller = call(door)
    await caller.outcome
    const pings = setInterval(() => caller.socket.readyState === WebSocket.OPEN && caller.socket.ping(), 20)
    await expectRefused(caller, 'authentication_timeout')
    clearInterval(pings)
  })

  test('whose verdict takes too long is not waited for', async () => {
    const door = await openDoor({ records: slow(400), limits: { deadlineMs: 100 } })
    const text = await ticketFor(door)
    const caller = call(door)
    await caller.outcome
    caller.socket.send(text)
    await expectRefused(caller, 'authentication_timeout')
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect(door.guests).toEqual([])
    expect(door.guard.leases()).toEqual([])
  })

  test('of a peer that leaves meanwhile leaves no lease', async () => {
    const door = await openDoor({ records: slow(60) })
    const text = await ticketFor(door)
    const caller = call(door)
    await caller.outcome
    caller.socket.send(text)
    setTimeout(() => caller.socket.terminate(), 10)
    await caller.closed
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(door.guests).toEqual([])
    expect(door.guard.leases()).toEqual([])
    expect(door.guard.pool.size).toBe(0)
  })

  test('is not heard from those whom the application does not know yet: they get no broadcast', async () => {
    const door = await openDoor()
    const [waiting, member] = [call(door), call(door, { path: `/?ticket=${await ticketFor(door)}` })]
    await waiting.outcome
    await expectAccepted(door, member, 'alice')
    for (const client of door.wss.clients) client.send('for members')
    await until(() => member.frames.length > 0)
    expect(door.wss.clients.size).toBe(1)
    waiting.socket.send(auth(await ticketFor(door)))
    await until(() => waiting.frames.length > 0)
    expect(waiting.frames[0]).toContain('auth_ok')
    await until(() => door.wss.clients.size === 2)
    waiting.socket.close()
    await until(() => door.wss.clients.size === 1)
  })
})

describe('the waiting room', () => {
  test('drops the oldest silent socket when its source holds too many', async () => {
    const door = await openDoor({ limits: { pool: { perSource: 2 } } })
    const callers = [call(door)]
    await callers[0]?.outcome
    for (let at = 0; at < 2; at++) {
      const caller = call(door)
      await caller.outcome
      callers.push(caller)
    }
    expect((await callers[0]?.closed)?.code).toBe(4503)
    expect(door.guard.pool.size).toBe(2)
    callers[2]?.socket.send(await ticketFor(door))
    await until(() => door.guests.length === 1)
  })

  test('refuses by HTTP when all its places are in conversation', async () => {
    let asked = false
    const records = wrapped(memory(), async (_name, ask) => {
      asked = true
      await new Promise((resolve) => setTimeout(resolve, 150))
      return ask()
    })
    const door = await openDoor({ limits: { pool: { total: 1 } }, records })
    const talking = call(door)
    await talking.outcome
    talking.socket.send('cst_wrong')
    await until(() => asked)
    expect(await expectRefused(call(door), 'overloaded')).toMatchObject({ kind: 'http', status: 503 })
    await expectRefused(talking, 'invalid_credential')
  })

  test('refuses those who speak when too many do', async () => {
    const door = await openDoor({ limits: { pool: { talking: 0 } } })
    const caller = call(door)
    await caller.outcome
    caller.socket.send('cst_x')
    await expectRefused(caller, 'overloaded')
  })
})

describe('challenge and response', () => {
  const sign = (key: string, challenge: string): string =>
    createHmac('sha256', key).update(challenge).digest('base64')
  const hello = (authid: string): string => JSON.stringify({ type: 'hello', authid, methods: ['wampcra'] })

  interface Extra {
    readonly challenge: string
    readonly salt?: string
    readonly iterations?: number
    readonly keylen?: number
  }

  async function challenged(
    door: Door,
    authid: string,
  ): Promise<{ readonly caller: ReturnType<typeof call>; readonly extra: Extra }> {
    const caller = call(door)
    await caller.outcome
    caller.socket.send(hello(authid))
    await until(() => caller.frames.length > 0)
    const said = JSON.parse(caller.frames[0] ?? '') as { type: string; method: string; extra: Extra }
    expect(said).toMatchObject({ type: 'challenge', method: 'wampcra' })
    return { caller, extra: said.extra }
  }

  test.each([undefined, { salt: 'salt123', iterations: 1_000, keylen: 32 }])(
    'lets in who knows the secret (salting %j)',
    async (salting) => {
      const door = await openDoor()
      const row = { subject: 'alice', authid: 'peter', secret: 'secret1' }
      await door.guard.issue.challengeSecret(salting === undefined ? row : { ...row, salting })
      const { caller, extra } = await challenged(door, 'peter')
      const { salt, iterations = 0, keylen = 0 } = extra
      const key =
        salt === undefined
          ? 'secret1'
          : pbkdf2Sync('secret1', salt, iterations, keylen, 'sha256').toString('base64')
      caller.socket.send(JSON.stringify({ type: 'authenticate', signature: sign(key, extra.challenge) }))
      await expectAccepted(door, caller, 'alice')
      await until(() => caller.frames.length === 2)
      expect(caller.frames[1]).toContain('"type":"auth_ok"')
    },
  )

  test.each([
    ['a wrong signature', JSON.stringify({ type: 'authenticate', signature: 'd3Jvbmc=' })],
    ['no signature', JSON.stringify({ type: 'authenticate' })],
    ['no JSON', 'cst_x'],
  ])('refuses %s', async (_what, text) => {
    const door = await openDoor()
    await door.guard.issue.challengeSecret({ subject: 'alice', authid: 'peter' })
    const { caller } = await challenged(door, 'peter')
    caller.socket.send(text)
    await expectRefused(caller, 'invalid_credential')
    expect(door.guests).toEqual([])
    await until(() => door.guard.pool.size === 0)
  })

  test('ends with the deadline, however far it went', async () => {
    const door = await openDoor({ limits: { deadlineMs: 150 } })
    const { caller } = await challenged(door, 'nobody')
    await expectRefused(caller, 'authentication_timeout')
  })
})

describe('the end of a lease', () => {
  test('by expiry closes the socket, after a warning where the client knows the frame', async () => {
    const door = await openDoor({ limits: { warnMs: 600, graceMs: 0 } })
    const caller = call(door)
    await caller.outcome
    caller.socket.send(auth(await ticketFor(door, 1_000)))
    await expectRefused(caller, 'lease_expired')
    expect(caller.frames.map((text) => (JSON.parse(text) as { type: string }).type)).toEqual([
      'auth_ok',
      'auth_expiring',
    ])
  })

  test('that is near from the beginning is warned of after the acknowledgement, and not to those who would not understand', async () => {
    const door = await openDoor({ limits: { warnMs: 60_000, graceMs: 0 } })
    const [framed, bare] = [call(door), call(door)]
    await Promise.all([framed.outcome, bare.outcome])
    framed.socket.send(auth(await ticketFor(door, 700)))
    bare.socket.send(await ticketFor(door, 700))
    await Promise.all([expectRefused(framed, 'lease_expired'), expectRefused(bare, 'lease_expired')])
    expect(framed.frames.map((text) => (JSON.parse(text) as { type: string }).type)).toEqual([
      'auth_ok',
      'auth_expiring',
    ])
    expect(bare.frames).toEqual([])
  })

  test.each(['revoked', 'logged_out'] as const)('by revocation closes at once: %s', async (reason) => {
    const door = await openDoor()
    const caller = call(door, { path: `/?ticket=${await ticketFor(door)}` })
    const guest = await expectAccepted(door, caller, 'alice')
    await door.guard.revoke({ subject: 'alice' }, reason)
    await expectRefused(caller, reason)
    expect(guest.lease.reason).toBe(reason)
    expect(door.journal.filter((entry) => entry.kind === 'ended')).toHaveLength(1)
  })

  test('closes the gate: of 100 frames in one chunk the application gets the first alone', async () => {
    const door = await openDoor({
      application: ({ socket, lease }) => {
        socket.on('message', () => lease.apply({ kind: 'ended', reason: 'revoked' }, Date.now()))
      },
    })
    const raw = rawUpgrade(door, `/?ticket=${await ticketFor(door)}`)
    await raw.heard('101')
    raw.socket.write(Buffer.concat(Array.from({ length: 100 }, (_, at) => frame(String(at)))))
    await raw.heard('revoked')
    await raw.gone()
    expect(door.guests[0]?.messages).toEqual(['0'])
  })

  test('closes the gate for what was queued behind the credential, too', async () => {
    const door = await openDoor({
      records: slow(10),
      application: ({ socket, lease }) => {
        socket.on('message', () => lease.apply({ kind: 'ended', reason: 'revoked' }, Date.now()))
      },
    })
    const text = await ticketFor(door)
    const raw = rawUpgrade(door, '/', [], Buffer.concat([frame(text), frame('one'), frame('two')]))
    await raw.heard('revoked')
    expect(door.guests[0]?.messages).toEqual(['one'])
  })

  test('cuts off what is still to be sent', async () => {
    const door = await openDoor()
    const raw = rawUpgrade(door, `/?ticket=${await ticketFor(door)}`)
    await raw.heard('101')
    await until(() => door.guests.length > 0)
    raw.socket.pause()
    const { socket } = door.guests[0] ?? {}
    socket?.send(Buffer.alloc(40 * 1024 * 1024))
    expect(socket?.bufferedAmount).toBeGreaterThan(0)
    await door.guard.revoke({ subject: 'alice' })
    await until(() => socket?.readyState === WebSocket.CLOSED)
  })

  test('between the verdict and the socket is told all the same', async () => {
    const store = memory()
    const door = await openDoor({
      records: wrapped(store, (name, ask) => {
        // The revocation falls exactly between the last look at the marks and the opening of the socket.
        if (name === 'findMark')
          queueMicrotask(() =>
            queueMicrotask(() =>
              queueMicrotask(() =>
                door.guard.leases()[0]?.apply({ kind: 'ended', reason: 'revoked' }, Date.now()),
              ),
            ),
          )
        return name === 'findMark' ? Promise.resolve(ask()) : ask()
      }),
    })
    const caller = call(door, { path: `/?ticket=${await ticketFor(door)}` })
    const outcome = await caller.outcome
    const end = outcome.kind === 'open' ? await caller.closed : { code: 3003, reason: 'revoked' }
    expect(end).toEqual({ code: 3003, reason: 'revoked' })
    expect(door.guard.leases()).toEqual([])
    await until(() => door.wss.clients.size === 0)
  })

  test('by shutting down asks to come back, those who wait as well', async () => {
    const door = await openDoor()
    const waiting = call(door)
    await waiting.outcome
    const caller = call(door, { path: `/?ticket=${await ticketFor(door)}` })
    await expectAccepted(door, caller, 'alice')
    door.guard.close()
    await expectRefused(caller, 'shutting_down')
    await expectRefused(waiting, 'shutting_down')
    await expectRefused(call(door), 'shutting_down')
  })
})

describe('a peer that resets', () => {
  test('while its credential is judged leaves no lease and harms nobody', async () => {
    const door = await openDoor({ records: slow(50) })
    const texts = await Promise.all(Array.from({ length: 10 }, () => ticketFor(door)))
    for (const text of texts) {
      const raw = rawUpgrade(door, `/?ticket=${text}`)
      setTimeout(() => raw.socket.resetAndDestroy(), 20)
    }
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(door.guests).toEqual([])
    expect(door.guard.leases()).toEqual([])
    await expectAccepted(door, call(door, { path: `/?ticket=${await ticketFor(door)}` }), 'alice')
  })

  test('before it is given the word leaves nothing in the pool', async () => {
    const store = memory()
    const door = await openDoor({
      records: store,
      accept: [
        ticket({ from: firstMessage() }),
        {
          ...ticket({ from: query('slow') }),
          recognises: () => true,
          *judge() {
            yield { kind: 'findAccount', username: 'a' }
            yield { kind: 'hear', say: { method: 'm', extra: { a: 1 } } }
            throw new Error('unreachable')
          },
        },
      ],
    })
    Object.assign(store, { findAccount: () => new Promise((resolve) => setTimeout(resolve, 60, undefined)) })
    const raw = rawUpgrade(door, '/?slow=1')
    setTimeout(() => raw.socket.resetAndDestroy(), 10)
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(door.guard.pool.size).toBe(0)
    const patient = rawUpgrade(door, '/?slow=1')
    await patient.heard('{"type":"challenge","method":"m","extra":{"a":1}}')
  })

  test('whose handshake is still judged takes a place in the pool, and is sent away when there is none', async () => {
    const door = await openDoor({ records: slow(2_500), limits: { pool: { total: 2 } } })
    const texts = [await ticketFor(door), await ticketFor(door), await ticketFor(door)]
    const callers = texts.map((text) => call(door, { path: `/?ticket=${text}` }))
    await until(() => door.guard.pool.size === 2)
    const outcomes = await Promise.all(callers.map((caller) => caller.outcome))
    expect(outcomes.map((one) => one.kind).sort()).toEqual(['http', 'open', 'open'])
    expect(door.guard.pool.size).toBe(0)
    expect(door.guard.leases()).toHaveLength(2)
  })

  test('whose handshake is judged too slowly is told so', async () => {
    const door = await openDoor({ records: slow(300), limits: { deadlineMs: 60 } })
    const text = await ticketFor(door)
    await expectRefused(call(door, { path: `/?ticket=${text}` }), 'authentication_timeout')
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(door.guests).toEqual([])
    expect(door.guard.leases()).toEqual([])
  })
})
