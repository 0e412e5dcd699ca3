import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { authorization, memory, query, type SubjectCap } from '../../../packages/countersign/src/index.ts'
import { apiKey, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { sqlite } from '../../../packages/countersign/src/stores/sqlite.ts'
import { createAuthority, type KeyPairPem } from '../../../packages/server/src/server/certificates.ts'
import { temporaryFolder } from '../support/folder.ts'
import {
  call,
  expectAccepted,
  expectRefused,
  openGuarded,
  rawUpgrade,
  until,
  type Caller,
  type Door,
  type DoorOptions,
  type Guest,
} from '../support/sockets.ts'

const openDoor = (options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({
    accept: [ticket({ from: query('ticket') }), apiKey({ from: authorization('Bearer') })],
    ...options,
  })

const pathFor = async (door: Door, leaseMs = 900_000, subject = 'alice'): Promise<string> =>
  `/?ticket=${(await door.guard.issue.ticket({ subject, roles: ['member'], leaseMs })).ticket}`

/** Sends a message every millisecond that says when it was sent, until the socket is closed. */
function stream(guest: Guest, text = ''): void {
  const timer = setInterval(() => guest.socket.send(`${Date.now()} ${text}`), 1)
  onTestFinished(() => clearInterval(timer))
}

const sentAt = (text: string): number => Number(text.slice(0, text.indexOf(' ')))

let site: KeyPairPem

beforeAll(async () => {
  const authority = await createAuthority('Test authority', 2)
  site = await authority.issue({ use: 'server', commonName: 'localhost', days: 1, hosts: ['127.0.0.1'] })
})

describe.each(['ws', 'wss'])('a stream over %s whose lease', (scheme) => {
  const streaming = (options: Partial<DoorOptions> = {}): Promise<Door> =>
    openDoor({
      ...(scheme === 'wss' ? { tls: { key: site.privateKey, cert: site.certificate } } : {}),
      application: (guest) => stream(guest),
      ...options,
    })
  const client = { rejectUnauthorized: false }

  test.each([0, 300])('expires ends at that instant, and says why (grace of %i ms)', async (graceMs) => {
    const door = await streaming({ limits: { graceMs, warnMs: 0 } })
    const caller = call(door, { ...client, path: await pathFor(door, 700) })
    const guest = await expectAccepted(door, caller, 'alice')
    const endsAtMs = guest.lease.untilMs + graceMs
    await expectRefused(caller, 'lease_expired')
    expect(caller.frames.length).toBeGreaterThan(50)
    expect(Math.max(...caller.frames.map(sentAt))).toBeLessThan(endsAtMs)
  })

  test('is revoked ends with the call, and says why', async () => {
    const door = await streaming()
    const caller = call(door, { ...client, path: await pathFor(door) })
    await expectAccepted(door, caller, 'alice')
    await until(() => caller.frames.length > 20)
    await door.guard.revoke({ subject: 'alice' })
    const acknowledgedAtMs = Date.now()
    await expectRefused(caller, 'revoked')
    expect(Math.max(...caller.frames.map(sentAt))).toBeLessThanOrEqual(acknowledgedAtMs)
  })
})

describe('output that waits for a peer which does not read', () => {
  test.each(['expiry', 'revocation'] as const)('is not delivered after the %s', async (how) => {
    const filler = 'x'.repeat(64 * 1024)
    const door = await openDoor({
      limits: { graceMs: 0, warnMs: 0 },
      application: ({ socket, lease }) => {
        // As much as the kernel takes on both sides, and then some that waits in this process.
        for (let at = 0; at < 400; at++) socket.send(`#${at} ${filler}`)
        expect(lease.ended).toBe(false)
      },
    })
    const raw = rawUpgrade(door, await pathFor(door, how === 'expiry' ? 900 : 900_000))
    raw.socket.pause()
    await until(() => door.guests.length > 0)
    const { socket, lease } = door.guests[0] ?? {}
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(socket?.bufferedAmount).toBeGreaterThan(0)
    if (how === 'revocation') await door.guard.revoke({ subject: 'alice' })
    await until(() => socket?.readyState === WebSocket.CLOSED)
    expect(lease?.reason).toBe(how === 'expiry' ? 'lease_expired' : 'revoked')
    const closed = new Promise((resolve) => raw.socket.on('close', resolve))
    raw.socket.resume()
    await closed
    expect(raw.text()).not.toContain('#399 ')
  })

  test('is dropped when it is sent after the end, and the sender is told', async () => {
    const door = await openDoor()
    const caller = call(door, { path: await pathFor(door) })
    const { socket, lease } = await expectAccepted(door, caller, 'alice')
    lease.apply({ kind: 'ended', reason: 'revoked' }, Date.now())
    const told = new Promise((resolve) => socket.send('late', resolve))
    socket.send('later')
    expect(await told).toBeInstanceOf(Error)
    await expectRefused(caller, 'revoked')
    expect(caller.frames).toEqual([])
  })
})

test('what ended a lease is what the peer is told, whatever the application closes with behind it', async () => {
  const door = await openDoor()
  // So many that telling them takes more than one turn.
  const callers = await Promise.all(
    Array.from({ length: 120 }, async () => call(door, { path: await pathFor(door) })),
  )
  await until(() => door.guests.length === callers.length)
  await door.guard.revoke({ subject: 'alice' })
  for (const { socket } of door.guests) socket.close(4500, 'something else')
  for (const caller of callers) await expectRefused(caller, 'revoked')
})

test('a revocation shuts every gate before it is acknowledged, however many sockets there are to be told', async () => {
  const door = await openDoor()
  const callers = await Promise.all(
    Array.from({ length: 120 }, async () => call(door, { path: await pathFor(door) })),
  )
  await until(() => door.guests.length === callers.length)
  const { guests } = door
  await door.guard.revoke({ subject: 'alice' })
  expect(guests.every(({ lease }) => lease.ended)).toBe(true)
  for (const caller of callers) await expectRefused(caller, 'revoked')
})

describe('what was revoked', () => {
  test.each(['session', 'role', 'address', 'issuedBefore'] as const)(
    'by %s stays revoked when the server is another process later',
    async (kind) => {
      const file = `${temporaryFolder()}/records.db`
      const first = sqlite(file)
      const door = await openDoor({ records: first })
      const facts = { subject: 'alice', roles: ['member'], session: 'login-1' }
      const { key } = await door.guard.issue.apiKey({ ...facts, name: 'robot' })
      const texts = [await door.guard.issue.ticket(facts), await door.guard.issue.ticket(facts)]
      const what = { session: 'login-1', role: 'member', address: '127.0.0.1', issuedBefore: Infinity }
      // One of the members of the union, which the compiler cannot see through a table.
      await door.guard.revoke({ [kind]: what[kind] } as never)
      await expectRefused(call(door, { path: `/?ticket=${texts[0]?.ticket}` }), 'invalid_credential')
      door.guard.close()
      await first.close()
      const again = sqlite(file)
      const later = await openDoor({ records: again })
      const bearer = { headers: { authorization: `Bearer ${key}` } }
      if (kind === 'session') await expectAccepted(later, call(later, bearer), 'alice')
      else await expectRefused(call(later, bearer), 'invalid_credential')
      await expectRefused(call(later, { path: `/?ticket=${texts[1]?.ticket}` }), 'invalid_credential')
      later.guard.close()
      await again.close()
    },
  )
})

describe('a subject that has as many connections as it may', () => {
  const fill = async (perSubject: SubjectCap): Promise<{ door: Door; callers: Caller[] }> => {
    const door = await openDoor({ perSubject, records: memory() })
    const callers: Caller[] = []
    for (let at = 0; at < perSubject.most; at++) {
      const caller = call(door, { path: await pathFor(door) })
      await expectAccepted(door, caller, 'alice')
      callers.push(caller)
    }
    return { door, callers }
  }

  test('is refused one more, and nobody else is', async () => {
    const { door, callers } = await fill({ most: 2, whenFull: 'reject' })
    await expectRefused(call(door, { path: await pathFor(door) }), 'too_many_connections')
    await expectAccepted(door, call(door, { path: await pathFor(door, 900_000, 'bob') }), 'bob')
    callers[0]?.socket.close()
    await until(() => door.guard.leases('alice').length === 1)
    await expectAccepted(door, call(door, { path: await pathFor(door) }), 'alice')
  })

  test('is told when to come back', async () => {
    const { door } = await fill({ most: 1, whenFull: 'reject' })
    const outcome = await call(door, { path: await pathFor(door) }).outcome
    expect(outcome).toMatchObject({ kind: 'http', status: 429, headers: { 'retry-after': '5' } })
  })

  test('has its oldest replaced by one more', async () => {
    const { door, callers } = await fill({ most: 2, whenFull: 'replace' })
    await expectAccepted(door, call(door, { path: await pathFor(door) }), 'alice')
    const [oldest, other] = callers
    if (oldest === undefined || other === undefined) throw new Error('nobody was there')
    await expectRefused(oldest, 'superseded')
    expect(other.socket.readyState).toBe(WebSocket.OPEN)
    expect(door.guard.leases('alice')).toHaveLength(2)
  })

  test.each(['reject', 'replace'] as const)(
    'never has more, however many come at once: %s',
    async (whenFull) => {
      const door = await openDoor({ perSubject: { most: 3, whenFull } })
      const callers = await Promise.all(
        Array.from({ length: 20 }, async () => call(door, { path: await pathFor(door) })),
      )
      await Promise.all(callers.map((caller) => caller.outcome))
      await until(() => door.guard.leases('alice').length === 3)
      await until(() => door.wss.clients.size <= 3)
      expect(door.guests.filter(({ lease }) => !lease.ended)).toHaveLength(3)
    },
  )
})

test.each([0, -1, 1.5, Number.NaN])('no guard is made for %d connections a subject', async (most) => {
  await expect(openDoor({ perSubject: { most, whenFull: 'reject' } })).rejects.toThrow('perSubject: most')
})
