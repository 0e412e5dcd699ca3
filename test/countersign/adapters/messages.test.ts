import { once } from 'node:events'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { onActions } from '../../../packages/countersign/src/adapters/ws.ts'
import {
  firstMessage,
  messagePolicy,
  MisuseError,
  type ActionMessage,
  type Message,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { call, expectAccepted, openGuarded, until } from '../support/sockets.ts'
import { giveRoles, inOneChunk, openRoom } from './messages-room.ts'

const actions = {
  'chat.send': {
    roles: ['member'],
    resource: 'room',
    schema: z.object({ room: z.string(), text: z.string().max(200) }),
  },
  'chat.*': { roles: ['admin'] },
  ping: { roles: 'anyone' },
} as const

describe('a message that passes', () => {
  it('reaches the application as it came, and as what the schema makes of it', async () => {
    const room = await openRoom({ actions })
    const text = '{"type":"chat.send","room":"lobby","text":"hi","id":7,"priv":true}'
    room.say(text)
    await room.settled()
    expect(room.guest.messages).toEqual([text])
    expect(room.actions).toEqual([
      {
        rule: 'chat.send',
        action: 'chat.send',
        value: { room: 'lobby', text: 'hi' },
        resource: 'lobby',
        id: 7,
      },
    ])
    expect(room.errors()).toEqual([])
  })

  it('is passed by the row whose pattern covers it, and named by both', async () => {
    const room = await openRoom({ actions }, { roles: ['admin'] })
    room.say({ type: 'chat.rename', name: 'x' })
    await room.settled()
    expect(room.actions).toMatchObject([
      { rule: 'chat.*', action: 'chat.rename', resource: undefined, id: undefined, value: { name: 'x' } },
    ])
  })

  it('may be the one that waited behind the credential', async () => {
    const messages = messagePolicy({ actions })
    const seen: unknown[] = []
    const door = await openGuarded({
      accept: [ticket({ from: firstMessage() })],
      messages,
      application: ({ socket }) => void socket.on('action', (message) => void seen.push(message)),
    })
    const { ticket: secret } = await door.guard.issue.ticket({ subject: 'alice' })
    const caller = call(door)
    await caller.outcome
    caller.socket.send(JSON.stringify({ type: 'auth', token: secret }))
    caller.socket.send('{"type":"ping"}')
    caller.socket.send('{"type":"chat.send"}')
    const guest = await expectAccepted(door, caller, 'alice')
    await until(() => caller.frames.length > 1)
    expect(guest.messages).toEqual(['{"type":"ping"}'])
    expect(seen).toMatchObject([{ action: 'ping' }])
    expect(caller.frames[1]).toBe('{"type":"error","reason":"forbidden","action":"chat.send"}')
  })
})

describe('a message that does not pass', () => {
  it.each<[why: string, message: unknown, error: object]>([
    ['no JSON', 'hello', { reason: 'protocol_violation' }],
    ['a list', [1], { reason: 'protocol_violation' }],
    ['a text', '"ping"', { reason: 'protocol_violation' }],
    ['without a type', { id: 3 }, { reason: 'protocol_violation', id: 3 }],
    ['of a type that is no text', { type: 1 }, { reason: 'protocol_violation' }],
    ['of a listed type', { type: ['ping'] }, { reason: 'protocol_violation' }],
    ['of an empty type', { type: '' }, { reason: 'protocol_violation' }],
    ['of an endless type', { type: 'x'.repeat(257) }, { reason: 'protocol_violation' }],
    ['of a foreign row', { type: 'chat.ban', id: 'a' }, { reason: 'forbidden', action: 'chat.ban', id: 'a' }],
    ['of no row', { type: 'nothing', id: 'a' }, { reason: 'forbidden', action: 'nothing', id: 'a' }],
    [
      'without its resource',
      { type: 'chat.send', text: 'x' },
      { reason: 'protocol_violation', action: 'chat.send' },
    ],
    [
      'that its schema does not take',
      { type: 'chat.send', room: 'lobby', text: 5, id: 1.5 },
      { reason: 'invalid_message', action: 'chat.send', id: 1.5, issues: [{ path: ['text'] }] },
    ],
    [
      'with an id that cannot be repeated',
      { type: 'nothing', id: { a: 1 } },
      { reason: 'forbidden', action: 'nothing' },
    ],
    [
      'with an endless id',
      { type: 'nothing', id: 'x'.repeat(65) },
      { reason: 'forbidden', action: 'nothing' },
    ],
    ['that is too big', { type: 'ping', x: 'x'.repeat(70_000) }, { reason: 'message_too_big' }],
  ])('because it is %s is answered, reaches nobody, and the socket stays', async (_, message, error) => {
    const room = await openRoom({ actions })
    room.say(message)
    await room.settled()
    expect(room.errors()).toEqual([{ type: 'error', ...error }])
    expect([room.guest.messages, room.actions]).toEqual([[], []])
    expect(room.lease.ended).toBe(false)
  })

  it('teaches nothing: what is forbidden and what does not exist are answered alike', async () => {
    const room = await openRoom({
      actions: {
        'aaaa.real': {
          roles: ['admin'],
          resource: 'room',
          rate: { max: 1, intervalMs: 60_000 },
          schema: z.never(),
        },
      },
    })
    for (let round = 0; round < 3; round++)
      room.say({ type: 'aaaa.real', id: 1 }, { type: 'aaaa.none', id: 1 })
    await room.settled()
    const shapes = new Set(room.caller.frames.map((text) => text.replace(/aaaa\.(real|none)/, 'aaaa')))
    expect([...shapes]).toEqual(['{"type":"error","reason":"forbidden","action":"aaaa","id":1}'])
    expect(room.caller.frames).toHaveLength(6)
  })

  it('is no binary frame, unless the policy says who may send them', async () => {
    const room = await openRoom({ actions })
    room.caller.socket.send(Buffer.from('{"type":"ping"}'), { binary: true })
    await room.settled()
    expect(room.errors()).toEqual([{ type: 'error', reason: 'forbidden' }])
    expect([room.binaries, room.actions]).toEqual([[], []])

    const open = await openRoom({ actions, binary: ['member'] })
    open.caller.socket.send(Buffer.from('{"type":"ping"}'), { binary: true })
    await open.settled()
    expect(open.binaries.map(String)).toEqual(['{"type":"ping"}'])
    expect([open.errors(), open.actions]).toEqual([[], []])

    const big = await openRoom({ actions, binary: 'anyone', limits: { maxBytes: 1_000 } }, { roles: [] })
    big.caller.socket.send(Buffer.alloc(1_001))
    big.caller.socket.send(Buffer.alloc(1_000))
    await big.settled()
    expect(big.errors()).toEqual([{ type: 'error', reason: 'message_too_big' }])
    expect(big.binaries.map(({ length }) => length)).toEqual([1_000])
  })

  it.each(['arraybuffer', 'fragments', 'blob'] as const)('is measured as %s as well', async (binaryType) => {
    const room = await openRoom(
      { actions, binary: 'anyone', limits: { maxBytes: 1_000 } },
      { application: ({ socket }) => void Object.assign(socket, { binaryType }) },
    )
    room.caller.socket.send(Buffer.alloc(1_001))
    room.caller.socket.send(Buffer.alloc(10))
    await room.settled()
    expect(room.errors()).toEqual([{ type: 'error', reason: 'message_too_big' }])
    expect(room.binaries).toHaveLength(1)
  })
})

describe('roles', () => {
  it('are those that the lease has now: a refresh gives and takes', async () => {
    const room = await openRoom({ actions })
    const send = { type: 'chat.send', room: 'lobby', text: 'x' }
    room.say(send)
    await room.settled()
    await giveRoles(room, 'guest')
    room.say(send)
    await room.settled()
    await giveRoles(room, 'admin', 'member')
    room.say(send, { type: 'chat.ban' })
    await room.settled()
    expect(room.actions).toMatchObject([
      { action: 'chat.send' },
      { action: 'chat.send' },
      { action: 'chat.ban' },
    ])
    expect(room.errors()).toEqual([{ type: 'error', reason: 'forbidden', action: 'chat.send' }])
  })

  it('are never what a message says of itself', async () => {
    const room = await openRoom({ actions }, { roles: ['guest'] })
    room.say({
      type: 'chat.ban',
      role: 'admin',
      roles: ['admin'],
      isAdmin: true,
      principal: { roles: ['admin'] },
    })
    await room.settled()
    expect(room.errors()).toMatchObject([{ reason: 'forbidden' }])
  })
})

describe('too many messages', () => {
  it('are answered with the time to wait, and the socket stays', async () => {
    const room = await openRoom({ actions, rate: { max: 2, intervalMs: 1_000 } })
    room.say({ type: 'ping' }, { type: 'ping' }, { type: 'ping', id: 9 })
    await until(() => room.caller.frames.length === 1)
    expect(room.caller.frames).toEqual([
      '{"type":"error","reason":"too_many_attempts","action":"ping","id":9,"retry_in":0.5}',
    ])
    expect(room.actions).toHaveLength(2)
    room.clock.advance(500)
    await room.settled()
    expect(room.caller.frames).toHaveLength(1)
  })

  it('count whether they pass or not, malformed ones included', async () => {
    const room = await openRoom({ actions, rate: { max: 3, intervalMs: 1_000 } })
    room.say('nonsense', { type: 'nothing' }, { type: 'x'.repeat(70_000) }, { type: 'ping' }, 'nonsense')
    await until(() => room.caller.frames.length === 5)
    expect(room.errors()).toMatchObject([
      { reason: 'protocol_violation' },
      { reason: 'forbidden' },
      { reason: 'message_too_big' },
      { reason: 'too_many_attempts', action: 'ping' },
      { reason: 'too_many_attempts' },
    ])
    expect(room.actions).toEqual([])
  })

  it('are not read where they are long, so that they cost nothing', async () => {
    const room = await openRoom({ actions, rate: { max: 1, intervalMs: 1_000 } })
    const padded = (length: number): string =>
      '{"type":"ping","x":""}'.replace('""', `"${'x'.repeat(length - 22)}"`)
    room.say({ type: 'ping' }, padded(1_024), padded(1_025))
    await until(() => room.caller.frames.length === 2)
    expect(room.errors()).toEqual([
      { type: 'error', reason: 'too_many_attempts', action: 'ping', retry_in: 1 },
      { type: 'error', reason: 'too_many_attempts', retry_in: 1 },
    ])
  })

  it('of one action leave the others their own', async () => {
    const rate = { max: 1, intervalMs: 10_000 }
    const room = await openRoom({ actions: { dear: { roles: 'anyone', rate }, cheap: { roles: 'anyone' } } })
    room.say({ type: 'dear' }, { type: 'dear' }, { type: 'cheap' })
    await room.settled()
    expect(room.actions).toMatchObject([{ action: 'dear' }, { action: 'cheap' }])
    expect(room.errors()).toEqual([
      { type: 'error', reason: 'too_many_attempts', action: 'dear', retry_in: 10 },
    ])
  })

  it('end the lease, where the policy does not bear with any number of them', async () => {
    const room = await openRoom({
      actions,
      rate: { max: 1, intervalMs: 60_000 },
      excess: { max: 2, intervalMs: 60_000 },
    })
    for (let message = 0; message < 10; message++) room.say({ type: 'ping' })
    expect(await room.caller.closed).toEqual({ code: 4429, reason: 'too_many_attempts' })
    expect(room.actions).toHaveLength(1)
    expect(room.caller.frames).toHaveLength(3)
    expect(room.lease).toMatchObject({ ended: true, reason: 'too_many_attempts' })
  })
})

describe('typed handlers', () => {
  const policy = messagePolicy({ actions })

  it('are called by row, with what their schema lets through', async () => {
    const heard: unknown[] = []
    const door = await openGuarded({
      accept: [ticket({ from: firstMessage() })],
      messages: policy,
      application: ({ socket }) =>
        onActions(socket, policy, {
          'chat.send': ({ text }, message) => {
            expectTypeOf(text).toEqualTypeOf<string>()
            expectTypeOf(message.resource).toEqualTypeOf<string>()
            heard.push([text, message.resource])
          },
          'chat.*': (value, message) => {
            expectTypeOf(value).toEqualTypeOf<Message>()
            heard.push(message.action)
          },
          ping: (_, message) => {
            expectTypeOf(message.resource).toEqualTypeOf<undefined>()
            heard.push('ping')
          },
        }),
    })
    const { ticket: secret } = await door.guard.issue.ticket({ subject: 'alice', roles: ['admin', 'member'] })
    const caller = call(door)
    await once(caller.socket, 'open')
    caller.socket.send(secret)
    for (const message of [
      { type: 'ping' },
      { type: 'chat.send', room: 'r', text: 't' },
      { type: 'chat.kick' },
    ]) {
      caller.socket.send(JSON.stringify(message))
    }
    await until(() => heard.length === 3)
    expect(heard).toEqual(['ping', ['t', 'r'], 'chat.kick'])
  })

  it('are one for each row, found out when they are set', async () => {
    const room = await openRoom({ actions })
    const missing = { ping: () => undefined } as unknown as Parameters<typeof onActions<typeof actions>>[2]
    expect(() => onActions(room.guest.socket, policy, missing)).toThrow(MisuseError)
  })

  it('have a listener of one’s own beside them, which the row tells the types', async () => {
    const room = await openRoom({ actions })
    const texts: string[] = []
    room.guest.socket.on('action', (message: ActionMessage<typeof actions>) => {
      if (message.rule === 'chat.send') texts.push(message.value.text)
    })
    room.say({ type: 'chat.send', room: 'r', text: 'typed' })
    await room.settled()
    expect(texts).toEqual(['typed'])
  })
})

describe('the end of a lease', () => {
  it('within a listener of the raw message keeps the action from being heard', async () => {
    const room = await openRoom(
      { actions },
      { application: ({ socket, lease }) => void socket.on('message', () => lease.leave()) },
    )
    room.say({ type: 'ping' })
    await until(() => room.guest.messages.length === 1)
    expect(room.actions).toEqual([])
  })

  it('keeps everything behind it from being judged at all', async () => {
    let asked = 0
    const room = await openRoom({
      actions,
      authorize: () => {
        asked++
        return true
      },
    })
    room.guest.socket.once('action', () => void room.door.guard.revoke({ subject: 'alice' }))
    for (let message = 0; message < 50; message++) room.say({ type: 'ping' })
    expect(await room.caller.closed).toMatchObject({ reason: 'revoked' })
    expect(asked).toBe(room.actions.length)
    expect(asked).toBeLessThan(50)
  })
})

describe('a socket that the application has begun to close', () => {
  it('has nothing more judged or delivered', async () => {
    let asked = 0
    const room = await openRoom({
      actions,
      authorize: () => {
        asked++
        return true
      },
    })
    room.guest.socket.once('action', () => room.guest.socket.close(4000, 'enough'))
    await inOneChunk(
      room.caller.socket,
      Array.from({ length: 20 }, () => ({ type: 'ping' })),
    )
    expect(await room.caller.closed).toEqual({ code: 4000, reason: 'enough' })
    expect([asked, room.actions.length, room.guest.messages.length]).toEqual([1, 1, 1])
  })
})

describe('a throw of the application', () => {
  it('while it decides is a refusal, and the journal has the name of its class alone', async () => {
    const room = await openRoom({
      actions,
      authorize: () => {
        throw new RangeError('password is hunter2')
      },
    })
    room.say({ type: 'ping' })
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toEqual([{ type: 'error', reason: 'forbidden', action: 'ping' }])
    const entries = room.door.journal.filter(({ kind }) => kind === 'error')
    expect(entries).toMatchObject([{ detail: 'RangeError' }])
    expect(JSON.stringify(room.door.journal)).not.toContain('hunter2')
  })
})

describe('a policy that was not made by messagePolicy', () => {
  it('is misuse when the server is guarded, not at the first message', async () => {
    const messages = { actions } as unknown as ReturnType<typeof messagePolicy>
    await expect(openGuarded({ accept: [ticket({ from: firstMessage() })], messages })).rejects.toThrow(
      MisuseError,
    )
  })
})

describe('a guard without a policy', () => {
  it('delivers whatever comes, as ever', async () => {
    const door = await openGuarded({ accept: [ticket({ from: firstMessage() })] })
    const { ticket: secret } = await door.guard.issue.ticket({ subject: 'alice' })
    const caller = call(door)
    await once(caller.socket, 'open')
    caller.socket.send(secret)
    caller.socket.send('no JSON')
    const guest = await expectAccepted(door, caller, 'alice')
    await until(() => guest.messages.length === 1)
    expect(guest.messages).toEqual(['no JSON'])
  })
})
