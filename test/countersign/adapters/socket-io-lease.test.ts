import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { cookie, memory, type Reason } from '../../../packages/countersign/src/index.ts'
import { session } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin, wrapped } from '../support/guard.ts'
import { until } from '../support/sockets.ts'
import { expectIn, modes, openHall, type Caller, type Hall, type Mode } from './socket-io-room.ts'

const limits = { jitter: 0, warnMs: 30_000, graceMs: 0 }

/** Opens a server with one member in it. */
async function withAlice(
  mode: Mode,
  options: Parameters<typeof openHall>[0] = {},
  auth: object = {},
): Promise<{ readonly hall: Hall; readonly alice: Caller }> {
  const hall = await openHall({ limits, ...options })
  const alice = hall.call(mode, { auth: { ticket: await hall.ticketFor('alice'), ...auth } })
  await expectIn(alice, mode)
  return { hall, alice }
}

const told = (caller: Caller, event: string): readonly unknown[] =>
  caller.events.filter(([name]) => name === event).map(([, argument]) => argument)

describe.each(modes)('the lease of a Socket.IO socket, over %s', (mode) => {
  it.each<readonly [string, Reason, string, (hall: Hall) => unknown]>([
    ['expires', 'lease_expired', 'new_credential', (hall) => hall.clock.advance(900_001)],
    ['is revoked', 'revoked', 'stop', (hall) => hall.guard.revoke({ subject: 'alice' })],
    ['is logged out', 'logged_out', 'stop', (hall) => hall.guard.revoke({ subject: 'alice' }, 'logged_out')],
  ])('tells the client when it %s, and disconnects', async (_what, reason, advice, end) => {
    const { hall, alice } = await withAlice(mode)
    await end(hall)
    await until(() => alice.fate.length > 1)
    expect(told(alice, 'auth_end')).toEqual([{ reason, advice }])
    expect(alice.fate).toEqual(['connected', 'io server disconnect'])
    expect(hall.guard.leases()).toEqual([])
    await until(() => hall.io.engine.clientsCount === 0)
  })

  it('ends with the server in a way that lets clients come back by themselves', async () => {
    const { hall, alice } = await withAlice(mode)
    hall.guard.close()
    await until(() => alice.fate.length > 1)
    expect(told(alice, 'auth_end')).toEqual([{ reason: 'shutting_down', advice: 'reconnect' }])
    expect(alice.fate).toEqual(['connected', 'transport close'])
  })

  it('delivers nothing to the client after the end, broadcasts to rooms included', async () => {
    const { hall, alice } = await withAlice(mode)
    const [guest] = hall.guests
    guest?.on('disconnect', () => guest.emit('secret', 'from the listener of the end'))
    await hall.guard.revoke({ subject: 'alice' })
    guest?.emit('secret', 'straight')
    hall.io.emit('secret', 'to everyone')
    hall.io.to('user:alice').emit('secret', 'to the room')
    guest?.emit('secret', 'with an acknowledgement', () => {})
    await until(() => alice.fate.length > 1)
    await wait(50)
    expect(told(alice, 'secret')).toEqual([])
  })

  it('takes back what was written in the turn in which it ends', async () => {
    const hall = await openHall({ limits })
    const alice = hall.call('polling', { auth: { ticket: await hall.ticketFor('alice') } })
    await expectIn(alice, 'polling')
    // One poll takes the first; what follows waits for the next.
    for (let sent = 0; sent < 3; sent++) hall.io.emit('note', sent)
    hall.guests[0]?.data.lease.apply({ kind: 'ended', reason: 'revoked' }, hall.clock.now())
    await until(() => alice.fate.length > 1)
    expect(told(alice, 'note').length).toBeLessThan(3)
    expect(told(alice, 'auth_end')).toEqual([{ reason: 'revoked', advice: 'stop' }])
  })

  it('delivers nothing to the application after the end, acknowledgements included', async () => {
    const { hall, alice } = await withAlice(mode)
    const acknowledged: unknown[] = []
    hall.guests[0]?.emit('question', (...answer: unknown[]) => void acknowledged.push(answer))
    // The client answers and speaks once it has heard the question; by then the end has come here.
    alice.client.on('question', (answer: (text: string) => void) => {
      answer('late')
      alice.client.emit('late')
    })
    await hall.guard.revoke({ subject: 'alice' })
    await until(() => alice.fate.length > 1)
    await wait(50)
    expect(acknowledged).toEqual([])
    expect(hall.heard).toEqual([])
  })

  it('shuts at the instant of its end, before the wheel has come round', async () => {
    const { hall, alice } = await withAlice(mode)
    // From here no tick of any timer happens: the clock is read only.
    hall.clock.advance(899_500)
    const moment = hall.clock.now()
    Object.assign(hall.clock, { now: () => moment + 501 })
    const [guest] = hall.guests
    expect(guest?.connected).toBe(true)
    hall.io.emit('secret', 1)
    await until(() => alice.fate.length > 1)
    expect(told(alice, 'secret')).toEqual([])
  })

  it('warns those who asked to be warned', async () => {
    const { hall, alice } = await withAlice(mode, {}, { expiring: true })
    const bob = hall.call(mode, { auth: { ticket: await hall.ticketFor('bob') } })
    await expectIn(bob, mode)
    hall.clock.advance(870_001)
    await until(() => alice.events.length > 0)
    hall.io.emit('after')
    await until(() => bob.events.length > 0)
    expect(told(alice, 'auth_expiring')).toEqual([{ in: 30 }])
    expect(bob.events).toEqual([['after']])
  })

  it('warns at once where the lease is short', async () => {
    const hall = await openHall({ limits })
    const auth = { ticket: await hall.ticketFor('alice', { leaseMs: 20_000 }), expiring: true }
    const alice = hall.call(mode, { auth })
    await until(() => alice.events.length > 0)
    expect(alice.events).toEqual([['auth_expiring', { in: 20 }]])
  })

  it('is renewed by the event auth, which is acknowledged', async () => {
    const { hall, alice } = await withAlice(mode)
    const [guest] = hall.guests
    hall.clock.advance(600_000)
    const fresh = await hall.ticketFor('alice', { roles: ['admin'] })
    const answer: unknown = await alice.client.emitWithAck('auth', { ticket: fresh })
    expect(answer).toEqual({ type: 'auth_ok', expires_in: 900, lease: guest?.data.lease.id })
    expect([...(guest?.data.lease.principal.roles ?? [])]).toEqual(['admin'])
    hall.clock.advance(600_000)
    hall.io.emit('still here')
    await until(() => alice.events.length > 0)
    expect(hall.heard).toEqual([])
  })

  it.each([
    ['another subject', 'forbidden', async (hall: Hall) => ({ ticket: await hall.ticketFor('bob') })],
    ['an unknown ticket', 'invalid_credential', async () => ({ ticket: 'unheard-of' })],
    ['nothing', 'missing_credential', async () => undefined],
    ['a list', 'invalid_credential', async () => ({ token: ['a', 'b'] })],
  ])('is not renewed by %s, and lives on', async (_what, reason, show) => {
    const { hall, alice } = await withAlice(mode)
    const answer: unknown = await alice.client.emitWithAck('auth', await show(hall))
    expect(answer).toEqual({ type: 'auth_invalid', reason })
    expect(hall.guests[0]?.data.lease.ended).toBe(false)
  })

  it('answers a renewal without acknowledgement by an event', async () => {
    const { hall, alice } = await withAlice(mode)
    alice.client.emit('auth', { ticket: await hall.ticketFor('alice') })
    await until(() => alice.events.length > 0)
    expect(told(alice, 'auth_ok')).toEqual([expect.objectContaining({ expires_in: 900 })])
  })

  it('ends the sockets of a session that logs out', async () => {
    const hall = await openHall({ limits, accept: [session({ from: cookie('sid') })] })
    const issued = await hall.guard.issue.session({ subject: 'alice', roles: [] })
    const headers = { Cookie: `sid=${issued.session}`, Origin: pageOrigin }
    const alice = hall.call(mode, { extraHeaders: headers })
    await expectIn(alice, mode)
    await hall.guard.revoke({ session: hall.guests[0]?.data.lease.grant.session ?? '' }, 'logged_out')
    await until(() => alice.fate.length > 1)
    expect(told(alice, 'auth_end')).toEqual([{ reason: 'logged_out', advice: 'stop' }])
  })

  it('ends every namespace of a transport with the first lease that ends', async () => {
    const open = { dangerouslyAllowEveryEvent: true }
    const hall = await openHall({ limits, namespaces: { '/': open, '/chat': open } })
    const one = hall.call(mode, { auth: { ticket: await hall.ticketFor('alice') } })
    await expectIn(one, mode)
    const chat = one.client.io.socket('/chat', { auth: { ticket: await hall.ticketFor('bob') } })
    const ends: unknown[] = []
    chat.on('auth_end', (end: unknown) => void ends.push(end))
    await until(() => chat.connected)
    await hall.guard.revoke({ subject: 'alice' })
    await until(() => !chat.connected && one.fate.length > 1)
    expect(ends).toEqual([{ reason: 'revoked', advice: 'stop' }])
    expect(hall.guard.leases()).toEqual([])
  })

  it('is given back when the client leaves', async () => {
    const { hall, alice } = await withAlice(mode)
    alice.client.disconnect()
    await until(() => hall.guard.leases().length === 0)
  })
})

describe('the upgrade from polling to WebSocket', () => {
  it('keeps the lease', async () => {
    const hall = await openHall({ limits })
    const alice = hall.call('upgrade', { auth: { ticket: await hall.ticketFor('alice') } })
    await until(() => hall.guests.length > 0)
    const lease = hall.guests[0]?.data.lease
    await expectIn(alice, 'upgrade')
    await until(() => hall.guests[0]?.conn.transport.name === 'websocket')
    expect(hall.guests[0]?.data.lease).toBe(lease)
    expect(hall.guard.leases()).toEqual([lease])
  })

  it('is refused once the lease has ended, though nobody has noticed yet', async () => {
    const hall = await openHall({ limits })
    const alice = hall.call('polling', { auth: { ticket: await hall.ticketFor('alice') } })
    await expectIn(alice, 'polling')
    hall.clock.advance(899_500)
    const moment = hall.clock.now()
    Object.assign(hall.clock, { now: () => moment + 501 })
    const sid = alice.client.io.engine.id
    const url = `http://127.0.0.1:${hall.port}/socket.io/?EIO=4&transport=polling&sid=${sid}`
    const answer = await fetch(url, { method: 'POST', body: '42["late"]' })
    expect(answer.status).toBe(400)
    expect(hall.heard).toEqual([])
  })
})

describe.each(modes)('connection state recovery, over %s', (mode) => {
  const server = { connectionStateRecovery: {} }

  /** Loses the connection as a network does, after one broadcast; a second one is missed. */
  async function lose(hall: Hall, alice: Caller): Promise<void> {
    hall.io.emit('note', 'heard')
    await until(() => alice.events.length > 0)
    await hall.guests[0]?.join('room')
    alice.client.io.engine.close()
    await until(() => alice.fate.length > 1 && hall.io.of('/').sockets.size === 0)
    hall.io.to('room').emit('note', 'missed')
  }

  it('keeps the lease, and asks for no credential', async () => {
    const { hall, alice } = await withAlice(mode, { server })
    const lease = hall.guests[0]?.data.lease
    await lose(hall, alice)
    expect(hall.guard.leases()).toEqual([lease])
    alice.client.connect()
    await until(() => alice.events.length > 1)
    expect(alice.client.recovered).toBe(true)
    expect(alice.events.map(([, text]) => text)).toEqual(['heard', 'missed'])
    expect(hall.guests[1]?.data.lease).toBe(lease)
    expect(hall.guard.leases()).toEqual([lease])
  })

  it.each<readonly [string, (hall: Hall) => unknown]>([
    ['revoked', (hall) => hall.guard.revoke({ subject: 'alice' })],
    ['expired', (hall) => hall.clock.advance(900_001)],
  ])('refuses who was %s meanwhile, and sends nothing of what was missed', async (_what, end) => {
    const { hall, alice } = await withAlice(mode, { server })
    await lose(hall, alice)
    await end(hall)
    alice.client.connect()
    await until(() => alice.fate.length > 2)
    expect(alice.fate[2]).toBe('refused: invalid_credential')
    await wait(50)
    expect(alice.events.map(([, text]) => text)).toEqual(['heard'])
    expect(hall.guests).toHaveLength(1)
  })

  it('takes a fresh credential of the same subject after the end', async () => {
    const { hall, alice } = await withAlice(mode, { server })
    await lose(hall, alice)
    hall.clock.advance(900_001)
    alice.client.auth = { ticket: await hall.ticketFor('alice') }
    alice.client.connect()
    await until(() => alice.events.length > 1)
    expect(alice.events.map(([, text]) => text)).toEqual(['heard', 'missed'])
    expect(hall.guests[1]?.data.lease.ended).toBe(false)
  })

  it('gives nobody the session of another subject', async () => {
    const { hall, alice } = await withAlice(mode, { server })
    await lose(hall, alice)
    hall.clock.advance(900_001)
    alice.client.auth = { ticket: await hall.ticketFor('mallory') }
    alice.client.connect()
    await until(() => alice.fate.length > 2)
    expect(alice.fate[2]).toBe('refused: forbidden')
    expect(alice.events.map(([, text]) => text)).toEqual(['heard'])
    expect(hall.guard.leases()).toEqual([])
  })

  it('does not keep the lease of who has left', async () => {
    const { hall, alice } = await withAlice(mode, { server })
    alice.client.disconnect()
    await until(() => hall.guard.leases().length === 0)
  })

  it('takes the private id of a session for the bearer credential that it is', async () => {
    const { hall, alice } = await withAlice(mode, { server, proxies: { trusted: ['127.0.0.1'] } })
    await lose(hall, alice)
    const auth = { pid: Reflect.get(alice.client, '_pid'), offset: Reflect.get(alice.client, '_lastOffset') }
    const caller = hall.call(mode, { auth, extraHeaders: { 'X-Forwarded-For': '203.0.113.7' } })
    await until(() => caller.fate.length > 0)
    expect(caller.fate).toEqual(['refused: insecure_transport'])
    expect(caller.events).toEqual([])
  })

  it('lets nobody past whom no guard was asked about, though the application has turned middlewares off', async () => {
    const { hall, alice } = await withAlice(mode, { server })
    await lose(hall, alice)
    const recovery: unknown = Reflect.get(Reflect.get(hall.io, 'opts'), 'connectionStateRecovery')
    Reflect.set(Object(recovery), 'skipMiddlewares', true)
    alice.client.connect()
    await until(() => hall.journal.some(({ reason }) => reason === 'internal'))
    await until(() => hall.io.engine.clientsCount === 0)
    expect(alice.fate.filter((word) => word === 'connected')).toHaveLength(1)
    expect(alice.events.map(([, text]) => text)).toEqual(['heard'])
  })

  it('gives a parked lease to one of two who ask at once', async () => {
    const { hall, alice } = await withAlice(mode, { server })
    await lose(hall, alice)
    const auth = { pid: Reflect.get(alice.client, '_pid'), offset: Reflect.get(alice.client, '_lastOffset') }
    const callers = [hall.call(mode, { auth }), hall.call(mode, { auth })]
    await until(() => callers.every(({ fate }) => fate.length > 0))
    expect(
      callers.map(({ fate }) => fate[0]).toSorted((one, other) => String(one).localeCompare(String(other))),
    ).toEqual(['connected', 'refused: missing_credential'])
  })
})

it('gives the lease back where the client goes while it is judged', async () => {
  const judged = Promise.withResolvers<void>()
  let asked = false
  const records = wrapped(memory(), (name, call) => {
    if (name !== 'takeTicket') return call()
    asked = true
    return judged.promise.then(call)
  })
  const hall = await openHall({ limits, records })
  const alice = hall.call('websocket', { auth: { ticket: await hall.ticketFor('alice') } })
  await until(() => asked)
  alice.client.io.engine.close()
  await until(() => hall.io.engine.clientsCount === 0)
  judged.resolve()
  await until(() => hall.journal.some(({ kind }) => kind === 'accepted'))
  await wait(10)
  expect(hall.guard.leases()).toEqual([])
  expect(hall.guests).toEqual([])
})
