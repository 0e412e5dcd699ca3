import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  challengeFrames,
  firstMessage,
  memory,
  query,
  type Records,
} from '../../../packages/countersign/src/index.ts'
import { ticket, wampcra } from '../../../packages/countersign/src/methods/index.ts'
import { wrapped } from '../support/guard.ts'
import {
  call,
  expectAccepted,
  expectRefused,
  openGuarded,
  until,
  type Caller,
  type Door,
  type DoorOptions,
  type Guest,
} from '../support/sockets.ts'

const openDoor = (options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({
    accept: [ticket({ from: [query('ticket'), firstMessage()] }), wampcra({ from: challengeFrames() })],
    ...options,
  })

const ticketFor = async (door: Door, leaseMs = 900_000, subject = 'alice'): Promise<string> =>
  (await door.guard.issue.ticket({ subject, roles: ['member'], leaseMs })).ticket

const auth = (token: string): string => JSON.stringify({ type: 'auth', token })
const hello = JSON.stringify({ type: 'hello', authid: 'peter', methods: ['wampcra'] })

/** Answers that take their time. */
const slow = (records: Records = memory()): Records =>
  wrapped(records, async (_name, ask) => {
    await new Promise((resolve) => setTimeout(resolve, 40))
    return ask()
  })

interface Framed {
  readonly door: Door
  readonly caller: Caller
  readonly guest: Guest
  /** Sends a frame and answers the one that comes back, parsed. */
  ask(text: string): Promise<Readonly<Record<string, unknown>>>
}

async function framed(options: Partial<DoorOptions> = {}, leaseMs = 900_000): Promise<Framed> {
  const door = await openDoor(options)
  const caller = call(door)
  await caller.outcome
  caller.socket.send(auth(await ticketFor(door, leaseMs)))
  const guest = await expectAccepted(door, caller, 'alice')
  await until(() => caller.frames.length > 0)
  return { door, caller, guest, ask: (text) => ask(caller, text) }
}

async function ask(caller: Caller, text: string): Promise<Readonly<Record<string, unknown>>> {
  const heard = caller.frames.length
  caller.socket.send(text)
  await until(() => caller.frames.length > heard)
  const said: unknown = JSON.parse(caller.frames[heard] ?? '')
  if (typeof said !== 'object' || said === null) throw new Error('no frame')
  return { ...said }
}

describe('a live socket of a client that speaks the frames', () => {
  test('is renewed by another token, and lives past its first end', async () => {
    const { door, caller, guest, ask } = await framed({ limits: { graceMs: 0, warnMs: 0 } }, 600)
    const said = await ask(auth(await ticketFor(door, 60_000)))
    expect(said).toEqual({ type: 'auth_ok', expires_in: 59, lease: guest.lease.id })
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect(guest.lease.ended).toBe(false)
    expect(caller.socket.readyState).toBe(caller.socket.OPEN)
    expect(guest.messages).toEqual([])
  })

  test.each([
    [
      'a spent token',
      async (door: Door) => {
        const text = await ticketFor(door)
        await call(door, { path: `/?ticket=${text}` }).outcome
        return auth(text)
      },
      'invalid_credential',
    ],
    [
      'a token of somebody else',
      async (door: Door) => auth(await ticketFor(door, 900_000, 'mallory')),
      'forbidden',
    ],
    ['no token', async () => JSON.stringify({ type: 'auth' }), 'missing_credential'],
    ['two tokens', async () => '{"type":"auth","token":"cst_a","ticket":"cst_b"}', 'invalid_credential'],
    ['half a frame', async () => '{"type":"auth","token":"cst_a"', 'invalid_credential'],
  ] as const)('is told why %s does not renew it, and lives on', async (_what, make, reason) => {
    const { door, guest, ask } = await framed()
    const { untilMs } = guest.lease
    expect(await ask(await make(door))).toEqual({ type: 'auth_invalid', reason })
    expect([guest.lease.ended, guest.lease.untilMs]).toEqual([false, untilMs])
    expect(guest.lease.principal.id).toBe('alice')
    expect(guest.messages).toEqual([])
  })

  test.each(['{"type": "auth", "token": "%"}', '{\n"type" :"auth","token":"%"}'])(
    'may write its frame as %j',
    async (form) => {
      const { door, ask } = await framed()
      expect(await ask(form.replace('%', await ticketFor(door)))).toMatchObject({ type: 'auth_ok' })
    },
  )

  test('goes on delivering what is the application’s, in order, while a token is judged', async () => {
    const { door, caller, guest } = await framed({ records: slow() })
    const token = await ticketFor(door)
    for (const text of ['one', auth(token), '{"type":"authority"}', 'two']) caller.socket.send(text)
    caller.socket.send(Buffer.from(auth('binary is the application’s')))
    await until(() => guest.messages.length === 4)
    expect(guest.messages.slice(0, 3)).toEqual(['one', '{"type":"authority"}', 'two'])
    await until(() => caller.frames.length === 2)
    expect(caller.frames[1]).toContain('auth_ok')
  })

  test('that comes with a second token while the first is judged breaks the protocol', async () => {
    const { door, caller } = await framed({ records: slow() })
    caller.socket.send(auth(await ticketFor(door)))
    caller.socket.send(auth(await ticketFor(door)))
    await expectRefused(caller, 'protocol_violation')
  })

  test('that answers a challenge which nobody made breaks the protocol', async () => {
    const { caller } = await framed()
    caller.socket.send('{"type":"authenticate","signature":"x"}')
    await expectRefused(caller, 'protocol_violation')
  })

  test('hears nothing of a renewal that a revocation overtakes, but its end', async () => {
    const { door, caller } = await framed({ records: slow() })
    caller.socket.send(auth(await ticketFor(door)))
    await door.guard.revoke({ subject: 'alice' })
    await expectRefused(caller, 'revoked')
    expect(caller.frames.filter((text) => text.includes('auth_ok'))).toHaveLength(1)
    expect(door.guard.leases()).toEqual([])
  })

  test('of another one is not touched: their frames are the application’s', async () => {
    const door = await openDoor()
    const bare = call(door)
    await bare.outcome
    bare.socket.send(await ticketFor(door))
    const guest = await expectAccepted(door, bare, 'alice')
    bare.socket.send(auth('x'))
    await until(() => guest.messages.length === 1)
    expect(guest.messages).toEqual([auth('x')])
  })

  test('where replies are switched off is renewed over HTTP alone', async () => {
    const door = await openDoor({ accept: [ticket({ from: firstMessage({ replies: false }) })] })
    const caller = call(door)
    await caller.outcome
    caller.socket.send(auth(await ticketFor(door)))
    const guest = await expectAccepted(door, caller, 'alice')
    caller.socket.send(auth('x'))
    await until(() => guest.messages.length === 1)
    expect(caller.frames).toEqual([])
  })
})

describe('a live socket that came by challenge and response', () => {
  const sign = (said: Readonly<Record<string, unknown>>): string => {
    const extra = said['extra'] as { readonly challenge: string }
    const signature = createHmac('sha256', 'secret1').update(extra.challenge).digest('base64')
    return JSON.stringify({ type: 'authenticate', signature })
  }

  async function challenged(options: Partial<DoorOptions> = {}): Promise<Framed> {
    const door = await openDoor(options)
    await door.guard.issue.challengeSecret({ subject: 'alice', authid: 'peter', secret: 'secret1' })
    const caller = call(door)
    await caller.outcome
    await ask(caller, sign(await ask(caller, hello)))
    return {
      door,
      caller,
      guest: await expectAccepted(door, caller, 'alice'),
      ask: (text) => ask(caller, text),
    }
  }

  test('is renewed by another challenge', async () => {
    const { guest, ask } = await challenged()
    const challenge = await ask(hello)
    expect(challenge).toMatchObject({ type: 'challenge', method: 'wampcra' })
    expect(await ask(sign(challenge))).toMatchObject({ type: 'auth_ok', lease: guest.lease.id })
    expect(guest.messages).toEqual([])
  })

  test('is not renewed by the answer to a former challenge', async () => {
    const { guest, ask } = await challenged()
    const former = sign(await ask(hello))
    await ask(hello)
    expect(await ask(former)).toEqual({ type: 'auth_invalid', reason: 'invalid_credential' })
    expect(guest.lease.ended).toBe(false)
  })

  test('is not renewed by an answer that comes late', async () => {
    const { ask } = await challenged({ limits: { deadlineMs: 200 } })
    const answer = sign(await ask(hello))
    await new Promise((resolve) => setTimeout(resolve, 260))
    expect(await ask(answer)).toEqual({ type: 'auth_invalid', reason: 'authentication_timeout' })
  })

  test('is not renewed by a token: the method would be another', async () => {
    const { door, ask } = await challenged()
    expect(await ask(auth(await ticketFor(door)))).toEqual({ type: 'auth_invalid', reason: 'forbidden' })
  })
})
