import { createServer, request } from 'node:http'
import { inspect } from 'node:util'
import { Server } from 'socket.io'
import { WebSocket } from 'ws'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import {
  authorization,
  cookie,
  firstMessage,
  query,
  MisuseError,
} from '../../../packages/countersign/src/index.ts'
import { password, session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { guardSocketIo, leaseOf } from '../../../packages/countersign/src/adapters/socket-io.ts'
import { openGuard, pageOrigin } from '../support/guard.ts'
import { until } from '../support/sockets.ts'
import { expectIn, expectOut, modes, openHall, rawPolling } from './socket-io-room.ts'

const everything = { '/': { dangerouslyAllowEveryEvent: true } }

describe.each(modes)('a guarded Socket.IO server, over %s', (mode) => {
  it('accepts a ticket in auth and binds a lease to the socket', async () => {
    const hall = await openHall()
    const caller = hall.call(mode, { auth: { ticket: await hall.ticketFor('alice') } })
    await expectIn(caller, mode)
    const [guest] = hall.guests
    expect(guest?.data.lease.principal.id).toBe('alice')
    expect(guest?.data.subject).toEqual({ id: 'alice', realm: undefined })
    expect(guest && leaseOf(guest)).toBe(guest?.data.lease)
    expect(hall.guard.leases('alice')).toEqual([guest?.data.lease])
  })

  it('accepts a ticket in the query', async () => {
    const hall = await openHall({ accept: [ticket({ from: query('ticket') })] })
    const caller = hall.call(mode, { query: { ticket: await hall.ticketFor('alice') } })
    await expectIn(caller, mode)
    expect(hall.guests[0]?.data.lease.principal.id).toBe('alice')
  })

  it('accepts a ticket in Authorization', async () => {
    const hall = await openHall({ accept: [ticket({ from: authorization('Bearer') })] })
    const secret = await hall.ticketFor('alice')
    const caller = hall.call(mode, { extraHeaders: { Authorization: `Bearer ${secret}` } })
    await expectIn(caller, mode)
    expect(hall.guests[0]?.data.lease.principal.id).toBe('alice')
  })

  it('accepts a session cookie from an allowed Origin', async () => {
    const hall = await openHall({ accept: [session({ from: cookie('sid') })] })
    const { session: secret } = await hall.guard.issue.session({ subject: 'alice', roles: [] })
    const headers = { Cookie: `sid=${secret}`, Origin: pageOrigin }
    const caller = hall.call(mode, { extraHeaders: headers })
    await expectIn(caller, mode)
    expect(hall.guests[0]?.data.lease.principal.id).toBe('alice')
  })

  it('shows no credential to whoever prints the request or its connection', async () => {
    const hall = await openHall({ accept: [session({ from: cookie('sid') })] })
    const { session: secret } = await hall.guard.issue.session({ subject: 'alice', roles: [] })
    const caller = hall.call(mode, { extraHeaders: { Cookie: `sid=${secret}`, Origin: pageOrigin } })
    await expectIn(caller, mode)
    const [guest] = hall.guests
    for (const printed of [guest?.request, guest?.conn.request, guest?.handshake]) {
      const text = inspect(printed, { depth: 2, showHidden: true, maxStringLength: null })
      expect(text).toContain(pageOrigin)
      expect(text).not.toContain(secret)
    }
  })

  it('refuses a session cookie without an Origin', async () => {
    const hall = await openHall({ accept: [session({ from: cookie('sid') })] })
    const { session: secret } = await hall.guard.issue.session({ subject: 'alice', roles: [] })
    const caller = hall.call(mode, { extraHeaders: { Cookie: `sid=${secret}` } })
    await expectOut(caller, 'forbidden_origin')
  })

  it('hides what was shown before any middleware of the application runs', async () => {
    const seen: string[] = []
    const hall = await openHall({
      accept: [
        ticket({ from: [firstMessage(), query('ticket'), authorization('Bearer')] }),
        session({ from: cookie('sid') }),
      ],
      before: (io) =>
        void io.use((socket, next) => {
          const { handshake, request: asked } = socket
          seen.push(JSON.stringify([handshake, asked.url, asked.headers, asked.rawHeaders]))
          next()
        }),
    })
    const secret = await hall.ticketFor('alice')
    const caller = hall.call(mode, {
      auth: { ticket: secret, room: 'lobby' },
      query: { ticket: secret },
      extraHeaders: {
        Authorization: `Bearer ${secret}`,
        Cookie: `sid=${secret}; theme=dark`,
        Origin: pageOrigin,
      },
    })
    await expectIn(caller, mode)
    expect(seen).toHaveLength(1)
    expect(seen[0]).not.toContain(secret)
    expect(seen[0]).toContain('theme=dark')
    expect(seen[0]).toContain('lobby')
  })

  it.each([
    ['missing_credential', {}],
    ['invalid_credential', { ticket: 'unheard-of' }],
    ['invalid_credential', { token: 17 }],
    ['invalid_credential', { token: ['a'] }],
    ['invalid_credential', { token: { toString: 'x' } }],
    ['invalid_credential', { token: 'one', ticket: 'another' }],
  ])('answers %s in connect_error for %j', async (reason, auth) => {
    const hall = await openHall()
    const caller = hall.call(mode, { auth })
    await expectOut(caller, reason)
    expect(caller.refusals).toEqual([{ reason, advice: 'new_credential' }])
    expect(hall.guests).toEqual([])
  })

  it('refuses a ticket that was spent', async () => {
    const hall = await openHall()
    const secret = await hall.ticketFor('alice')
    await expectIn(hall.call(mode, { auth: { ticket: secret } }), mode)
    await expectOut(hall.call(mode, { auth: { ticket: secret } }), 'invalid_credential')
  })

  it('refuses two credentials that disagree, and spends neither', async () => {
    const hall = await openHall({ accept: [ticket({ from: [firstMessage(), authorization('Bearer')] })] })
    const [one, other] = [await hall.ticketFor('alice'), await hall.ticketFor('bob')]
    const headers = { Authorization: `Bearer ${other}` }
    await expectOut(hall.call(mode, { auth: { ticket: one }, extraHeaders: headers }), 'protocol_violation')
    await expectIn(hall.call(mode, { auth: { ticket: one } }), mode)
    await expectIn(hall.call(mode, { extraHeaders: headers }), mode)
  })

  it('takes a token in auth before a cookie that came unasked', async () => {
    const hall = await openHall({
      accept: [ticket({ from: firstMessage() }), session({ from: cookie('sid') })],
    })
    const { session: secret } = await hall.guard.issue.session({ subject: 'bob', roles: [] })
    const headers = { Cookie: `sid=${secret}`, Origin: pageOrigin }
    const auth = { ticket: await hall.ticketFor('alice') }
    await expectIn(hall.call(mode, { auth, extraHeaders: headers }), mode)
    expect(hall.guests[0]?.data.lease.principal.id).toBe('alice')
  })

  it('tells how long to wait where there are too many attempts', async () => {
    const hall = await openHall({
      accept: [password({ from: authorization('Basic') })],
      limits: { lockout: { failures: 1 } },
    })
    const basic = Buffer.from('alice:wrong').toString('base64')
    const headers = { extraHeaders: { Authorization: `Basic ${basic}` } }
    await expectOut(hall.call(mode, headers), 'invalid_credential')
    const caller = hall.call(mode, headers)
    await expectOut(caller, 'too_many_attempts')
    expect(caller.refusals).toEqual([
      { reason: 'too_many_attempts', advice: 'wait', retry_in: expect.any(Number) },
    ])
  })

  it('refuses a forbidden Origin by HTTP, whatever CORS says', async () => {
    const hall = await openHall({ server: { cors: { origin: '*' } } })
    const auth = { ticket: await hall.ticketFor('alice') }
    const caller = hall.call(mode, { auth, extraHeaders: { Origin: 'https://evil.example' } })
    await until(() => caller.fate.length > 0)
    expect(caller.fate[0]).toMatch(/^refused: (xhr poll error|websocket error)$/)
    expect(hall.guests).toEqual([])
    expect(hall.journal).toContainEqual(expect.objectContaining({ reason: 'forbidden_origin' }))
  })

  it('refuses a namespace that has no row and tells whoever runs the server', async () => {
    const hall = await openHall()
    hall.io.of('/forgotten').on('connection', (socket) => void hall.guests.push(socket))
    const warnings: string[] = []
    const note = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', note)
    const auth = { ticket: await hall.ticketFor('alice') }
    const caller = hall.call(mode, { namespace: '/forgotten', auth })
    await expectOut(caller, 'forbidden')
    expect(caller.refusals).toEqual([{ reason: 'forbidden', advice: 'stop' }])
    await until(() => warnings.length > 0)
    process.off('warning', note)
    expect(warnings[0]).toContain('"/forgotten" has no row')
    expect(hall.guests).toEqual([])
  })

  it('answers a namespace that does not exist as one that has no row', async () => {
    const hall = await openHall()
    const auth = { ticket: await hall.ticketFor('alice') }
    const caller = hall.call(mode, { namespace: '/nowhere', auth })
    await expectOut(caller, 'forbidden')
    expect(caller.refusals).toEqual([{ reason: 'forbidden', advice: 'stop' }])
  })

  it('judges each namespace by its own guard and policy', async () => {
    const admins = openGuard({ accept: [ticket({ from: firstMessage() })], audience: 'admin' })
    const hall = await openHall({
      namespaces: { ...everything, '/admin': { dangerouslyAllowEveryEvent: true, guard: admins.guard } },
    })
    const auth = { ticket: await hall.ticketFor('alice') }
    await expectOut(hall.call(mode, { namespace: '/admin', auth }), 'invalid_credential')
    const issued = await admins.guard.issue.ticket({
      subject: 'root',
      roles: [],
      leaseMs: 60_000,
      audience: 'admin',
    })
    await expectIn(hall.call(mode, { namespace: '/admin', auth: { ticket: issued.ticket } }), mode)
    expect(hall.guests.map((guest) => guest.data.lease.principal.id)).toEqual(['root'])
  })

  it('lets a middleware behind it refuse, and gives the lease back', async () => {
    const hall = await openHall({
      before: (io) => void io.use((_socket, next) => next(new Error('no seats'))),
    })
    const caller = hall.call(mode, { auth: { ticket: await hall.ticketFor('alice') } })
    await expectOut(caller, 'no seats')
    expect(hall.guard.leases()).toEqual([])
  })

  it('makes namespaces on demand only for names that its function knows', async () => {
    const hall = await openHall({
      namespaces: (name) => (/^\/room-[a-z]$/.test(name) ? { dangerouslyAllowEveryEvent: true } : undefined),
      before: (io) =>
        void io.of(/^\/room-/).on('connection', (socket) => socket.emit('hello', socket.nsp.name)),
    })
    const caller = hall.call(mode, { namespace: '/room-a', auth: { ticket: await hall.ticketFor('alice') } })
    await until(() => caller.events.length > 0)
    expect(caller.events).toEqual([['hello', '/room-a']])
    const other = hall.call(mode, { namespace: '/room-17', auth: { ticket: await hall.ticketFor('alice') } })
    await expectOut(other, 'forbidden')
    expect(hall.io._nsps.has('/room-17')).toBe(false)
  })

  it('believes a listed proxy about the address of a client', async () => {
    const hall = await openHall({ proxies: { trusted: ['127.0.0.1'] } })
    const auth = { ticket: await hall.ticketFor('alice') }
    await expectIn(
      hall.call(mode, {
        auth,
        extraHeaders: { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' },
      }),
      mode,
    )
    expect(hall.guests[0]?.data.lease.remoteAddress).toBe('203.0.113.7')
    await hall.guard.revoke({ address: '203.0.113.0/24' })
    await until(() => hall.guard.leases().length === 0)
  })

  it('takes no bearer credential over cleartext off loopback', async () => {
    const hall = await openHall({ proxies: { trusted: ['127.0.0.1'] } })
    const auth = { ticket: await hall.ticketFor('alice') }
    const caller = hall.call(mode, { auth, extraHeaders: { 'X-Forwarded-For': '203.0.113.7' } })
    await expectOut(caller, 'insecure_transport')
  })

  it('puts each socket into the room of its subject', async () => {
    const hall = await openHall()
    const alice = hall.call(mode, { auth: { ticket: await hall.ticketFor('alice') } })
    const bob = hall.call(mode, { auth: { ticket: await hall.ticketFor('bob') } })
    await Promise.all([expectIn(alice, mode), expectIn(bob, mode)])
    hall.io.to('user:alice').emit('note', 1)
    hall.io.emit('all', 2)
    await until(() => bob.events.length > 0 && alice.events.length > 1)
    expect(alice.events).toEqual([
      ['note', 1],
      ['all', 2],
    ])
    expect(bob.events).toEqual([['all', 2]])
  })
})

describe('every request of Engine.IO', () => {
  const refusedBy = [
    ['Host', 421, { Host: 'rebound.example' }],
    ['Origin', 403, { Host: 'chat.example.com', Origin: 'https://evil.example' }],
  ] as const

  it.each(refusedBy)('is refused for its %s while it polls', async (_what, status, headers) => {
    const hall = await openHall({ hosts: ['chat.example.com'] })
    expect(await statusOf(hall.port, '', headers)).toBe(status)
  })

  it.each(refusedBy)('is refused for its %s before an upgrade', async (_what, status, headers) => {
    const hall = await openHall({ hosts: ['chat.example.com'] })
    const socket = new WebSocket(`ws://127.0.0.1:${hall.port}/socket.io/?EIO=4&transport=websocket`, {
      headers,
    })
    const answered = await new Promise<number | undefined>((resolve) => {
      socket.on('error', () => {})
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode))
    })
    expect(answered).toBe(status)
  })

  it('is refused for another Origin than the transport was opened with', async () => {
    const hall = await openHall({ origins: [pageOrigin, 'https://other.example.com'] })
    const polling = await rawPolling(hall.port, { Origin: pageOrigin })
    expect(await polling.post('40', { Origin: 'https://other.example.com' })).toMatchObject({ status: 403 })
  })

  it('is refused where it asks for JSONP, which any page may read', async () => {
    const hall = await openHall()
    expect(await statusOf(hall.port, '&j=0', {})).toBe(400)
  })

  it('is refused beyond the rate of its source', async () => {
    const hall = await openHall({ limits: { handshakesPerSecond: 3 } })
    const statuses = []
    for (let tried = 0; tried < 5; tried++) statuses.push(await statusOf(hall.port, '', {}))
    expect(statuses).toEqual([200, 200, 200, 503, 503])
  })

  it('that opened the transport is judged, and not an upgrade in which browsers show less', async () => {
    const hall = await openHall({ accept: [ticket({ from: authorization('Bearer') })] })
    const headers = { Authorization: `Bearer ${await hall.ticketFor('alice')}` }
    const polling = await rawPolling(hall.port, headers)
    const socket = new WebSocket(
      `ws://127.0.0.1:${hall.port}/socket.io/?EIO=4&transport=websocket&sid=${polling.sid}`,
    )
    await new Promise((resolve) => void socket.on('open', resolve))
    onTestFinished(() => socket.terminate())
    socket.send('2probe')
    await new Promise((resolve) => void socket.on('message', resolve))
    socket.send('5')
    await until(() => hall.guard.pool.size === 1)
    socket.send('40')
    await until(() => hall.guests.length > 0)
    expect(hall.guests[0]?.data.lease.principal.id).toBe('alice')
  })

  it('does not lend the cookie of one request to the Origin of another', async () => {
    const hall = await openHall({ accept: [session({ from: cookie('sid') })] })
    const { session: secret } = await hall.guard.issue.session({ subject: 'alice', roles: [] })
    const opening = await rawPolling(hall.port, { Cookie: `sid=${secret}` })
    const base = `http://127.0.0.1:${hall.port}/socket.io/?EIO=4&transport=polling&sid=${opening.sid}`
    await fetch(base, { method: 'POST', body: '40', headers: { Origin: pageOrigin } })
    const answer = await fetch(base)
    expect(await answer.text()).toContain('missing_credential')
    expect(hall.guests).toEqual([])
  })
})

describe('guardSocketIo', () => {
  const opened = openGuard({ accept: [ticket({ from: firstMessage() })] })
  const attached = (options = {}): Server => new Server(createServer(), options)

  test.each([
    ['a server that is attached to nothing', () => new Server(), everything],
    ['clients of protocol 3', () => attached({ allowEIO3: true }), everything],
    ['a namespace with neither policy nor permission', attached, { '/': {} }],
    ['a name that begins with no slash', attached, { chat: { dangerouslyAllowEveryEvent: true } }],
  ])('refuses %s', (_what, io, namespaces) => {
    expect(() => guardSocketIo(io(), opened.guard, { namespaces })).toThrow(MisuseError)
  })

  it('refuses a carrier that looks into a parameter of Engine.IO', () => {
    const { guard } = openGuard({ accept: [ticket({ from: query('sid') })] })
    expect(() => guardSocketIo(attached(), guard, { namespaces: everything })).toThrow(MisuseError)
  })

  it('finds no lease at a socket that nobody guards', () => {
    expect(() => leaseOf({ data: {} })).toThrow(MisuseError)
  })
})

/** The status of an opening poll, with headers that `fetch` would not let through. */
function statusOf(port: number, more: string, headers: Record<string, string>): Promise<number | undefined> {
  const path = `/socket.io/?EIO=4&transport=polling${more}`
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
