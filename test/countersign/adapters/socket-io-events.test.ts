import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import * as v from 'valibot'
import {
  messagePolicy,
  type PolicyOptions,
  type StandardSchema,
} from '../../../packages/countersign/src/index.ts'
import { until } from '../support/sockets.ts'
import { expectIn, modes, openHall, type Caller, type Hall, type Mode } from './socket-io-room.ts'

const say = v.object({
  type: v.literal('say'),
  args: v.strictTuple([v.object({ room: v.string(), text: v.pipe(v.string(), v.trim(), v.maxLength(20)) })]),
})

const actions = {
  say: { roles: ['member'], resource: 'args.0.room', schema: say },
  join: { roles: { member: ['lobby', 'room-*'] }, resource: 'args.0' },
  kick: { roles: ['admin'] },
  'chat.*': { roles: 'anyone' },
  ping: { roles: 'anyone', rate: { max: 2, intervalMs: 60_000 } },
} as const

async function openRoom(
  mode: Mode,
  more: Partial<PolicyOptions> = {},
  roles: string[] = ['member'],
): Promise<{ readonly hall: Hall; readonly alice: Caller }> {
  const hall = await openHall({
    limits: { jitter: 0 },
    namespaces: { '/': { events: messagePolicy({ actions, ...more }) } },
    application: (socket) => {
      socket.onAny((...args: unknown[]) => {
        const answer = args.at(-1)
        if (typeof answer === 'function') answer({ ok: true })
      })
    },
  })
  const alice = hall.call(mode, { auth: { ticket: await hall.ticketFor('alice', { roles }) } })
  await expectIn(alice, mode)
  return { hall, alice }
}

/** Sends an event without an acknowledgement and waits until one with an acknowledgement has come back behind it. */
async function send(alice: Caller, ...event: readonly [string, ...unknown[]]): Promise<void> {
  alice.client.emit(...event)
  await alice.client.emitWithAck('chat.mark')
  await wait(10)
}

const marked = (hall: Hall): unknown[][] => hall.heard.filter(([name]) => name !== 'chat.mark')

describe.each(modes)('events of a namespace with a policy, over %s', (mode) => {
  it('pass where a row allows them, with what the schema makes of their arguments', async () => {
    const { hall, alice } = await openRoom(mode)
    const answer: unknown = await alice.client.emitWithAck('say', { room: 'lobby', text: '  hello ' })
    expect(answer).toEqual({ ok: true })
    expect(hall.heard).toEqual([['say', { room: 'lobby', text: 'hello' }]])
  })

  it('pass as a schema left them that changes what it is given', async () => {
    const inPlace: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (message) => {
          const { args } = message as { args: unknown[] }
          args[0] = 'changed'
          return { value: message }
        },
      },
    }
    const { hall, alice } = await openRoom(mode, { actions: { say: { roles: ['member'], schema: inPlace } } })
    expect(await alice.client.emitWithAck('say', 'as it came')).toEqual({ ok: true })
    expect(hall.heard).toEqual([['say', 'changed']])
  })

  it('pass by a name with blanks in it, which the row takes as it stands', async () => {
    const { hall, alice } = await openRoom(mode, {
      actions: { ...actions, 'chat message': { match: 'exact', roles: ['member'] } },
    })
    expect(await alice.client.emitWithAck('chat message', 'hello')).toEqual({ ok: true })
    const misspelt: unknown = await alice.client.emitWithAck('chat  message', 'hello')
    expect(misspelt).toEqual({ error: { reason: 'forbidden', action: 'chat  message' } })
    expect(hall.heard).toEqual([['chat message', 'hello']])
  })

  it.each<readonly [string, string, readonly [string, ...unknown[]]]>([
    ['a role that the row does not list', 'forbidden', ['kick', 'bob']],
    ['an event that no row names', 'forbidden', ['unheard.of', 1]],
    ['another resource', 'forbidden', ['join', 'vault']],
    ['no resource', 'protocol_violation', ['join']],
    ['a resource that is no text', 'protocol_violation', ['join', { toString: 'lobby' }]],
    ['what is not of the schema', 'invalid_message', ['say', { room: 'a', text: 'x'.repeat(30) }]],
    ['one argument too many', 'invalid_message', ['say', { room: 'a', text: 'x' }, 'more']],
    ['more bytes than a message may have', 'message_too_big', ['chat.send', 'x'.repeat(70_000)]],
    ['deeper nesting than JSON may have', 'protocol_violation', ['chat.send', nested(20)]],
    ['binary attachments', 'forbidden', ['chat.send', Buffer.from('abc')]],
    ['an empty name', 'protocol_violation', ['']],
  ])('are refused for %s, to the acknowledgement', async (_what, reason, event) => {
    const { hall, alice } = await openRoom(mode)
    const [name, ...args] = event
    const answer: unknown = await alice.client.emitWithAck(name, ...args)
    expect(answer).toMatchObject({ error: { reason } })
    expect(hall.heard).toEqual([])
  })

  it('are refused by an event where no acknowledgement is awaited', async () => {
    const { hall, alice } = await openRoom(mode)
    await send(alice, 'kick', 'bob')
    expect(alice.events).toEqual([['auth_error', { reason: 'forbidden', action: 'kick' }]])
    expect(marked(hall)).toEqual([])
  })

  it('are heard of by the application, told or not, when they do not pass', async () => {
    const heard: unknown[] = []
    const { hall, alice } = await openRoom(mode, {
      onRefused: ({ principal, reason, action, message }) =>
        void heard.push([principal.id, reason, action, message]),
    })
    await alice.client.emitWithAck('kick', 'bob')
    await send(alice, 'join', 'vault')
    await alice.client.emitWithAck('chat.send', Buffer.from('abc'))
    await alice.client.emitWithAck('say', { room: 'a', text: 'x'.repeat(30) })
    await alice.client.emitWithAck('chat.send', 'x'.repeat(70_000))
    expect(heard).toEqual([
      ['alice', 'forbidden', 'kick', { type: 'kick', args: ['bob'] }],
      ['alice', 'forbidden', 'join', { type: 'join', args: ['vault'] }],
      ['alice', 'forbidden', 'chat.send', undefined],
      ['alice', 'invalid_message', 'say', { type: 'say', args: [{ room: 'a', text: 'x'.repeat(30) }] }],
      ['alice', 'message_too_big', 'chat.send', undefined],
    ])
    expect(marked(hall)).toEqual([])
  })

  it('say alike of an event that exists and of one that does not', async () => {
    const { alice } = await openRoom(mode)
    const known: unknown = await alice.client.emitWithAck('kick')
    const unknown: unknown = await alice.client.emitWithAck('nothing')
    expect(JSON.stringify(known).replace('kick', 'nothing')).toBe(JSON.stringify(unknown))
  })

  it('are held to the rate of their row', async () => {
    const { alice } = await openRoom(mode)
    const answers: unknown[] = []
    for (let sent = 0; sent < 3; sent++) answers.push(await alice.client.emitWithAck('ping'))
    expect(answers.slice(0, 2)).toEqual([{ ok: true }, { ok: true }])
    expect(answers[2]).toEqual({
      error: { reason: 'too_many_attempts', action: 'ping', retry_in: expect.any(Number) },
    })
  })

  it('end the lease beyond what the policy bears with', async () => {
    const { hall, alice } = await openRoom(mode, {
      rate: { max: 2, intervalMs: 60_000 },
      excess: { max: 1, intervalMs: 60_000 },
    })
    for (let sent = 0; sent < 5; sent++) alice.client.emit('chat.send', sent)
    await until(() => alice.fate.length > 1)
    expect(hall.heard).toEqual([
      ['chat.send', 0],
      ['chat.send', 1],
    ])
    expect(alice.events.at(-1)).toEqual([
      'auth_end',
      expect.objectContaining({ reason: 'too_many_attempts' }),
    ])
  })

  it('wait in order while the application decides about one', async () => {
    const waiting: (() => void)[] = []
    const { hall, alice } = await openRoom(mode, {
      authorize: (_principal, action) =>
        action === 'chat.slow'
          ? new Promise<boolean>((resolve) => void waiting.push(() => resolve(true)))
          : true,
    })
    alice.client.emit('chat.slow', 1)
    alice.client.emit('chat.fast', 2)
    await until(() => waiting.length > 0)
    await wait(20)
    expect(hall.heard).toEqual([])
    waiting[0]?.()
    await until(() => hall.heard.length > 1)
    expect(hall.heard).toEqual([
      ['chat.slow', 1],
      ['chat.fast', 2],
    ])
  })

  it('reach nobody when the lease ends while they are decided upon', async () => {
    const waiting: (() => void)[] = []
    const { hall, alice } = await openRoom(mode, {
      authorize: () => new Promise<boolean>((resolve) => void waiting.push(() => resolve(true))),
    })
    alice.client.emit('chat.slow', 1)
    alice.client.emit('chat.next', 2)
    await until(() => waiting.length > 0)
    await hall.guard.revoke({ subject: 'alice' })
    waiting[0]?.()
    await until(() => alice.fate.length > 1)
    await wait(20)
    expect(hall.heard).toEqual([])
  })

  it('let binary attachments pass for roles that may send them', async () => {
    const { hall, alice } = await openRoom(mode, { binary: ['member'] })
    expect(await alice.client.emitWithAck('chat.send', Buffer.from('abc'))).toEqual({ ok: true })
    expect(hall.heard).toEqual([['chat.send', Buffer.from('abc')]])
  })

  it('count a binary attachment towards the bytes of their message', async () => {
    const { alice } = await openRoom(mode, { binary: 'anyone' })
    const answer: unknown = await alice.client.emitWithAck('chat.send', Buffer.alloc(70_000))
    expect(answer).toMatchObject({ error: { reason: 'message_too_big' } })
  })

  it('find the principal of a renewed lease', async () => {
    const { hall, alice } = await openRoom(mode)
    const ticket = await hall.ticketFor('alice', { roles: ['admin'] })
    expect(await alice.client.emitWithAck('auth', { ticket })).toMatchObject({ type: 'auth_ok' })
    expect(await alice.client.emitWithAck('kick', 'bob')).toEqual({ ok: true })
    expect(await alice.client.emitWithAck('join', 'lobby')).toMatchObject({ error: { reason: 'forbidden' } })
  })

  it('never reach onAny, nor a middleware of the socket, before they were judged', async () => {
    const seen: unknown[] = []
    const { hall, alice } = await openRoom(mode)
    hall.guests[0]?.use((event, next) => {
      seen.push(event[0])
      next()
    })
    await send(alice, 'kick', 'bob')
    expect(seen).toEqual(['chat.mark'])
    expect(hall.heard).toEqual([['chat.mark']])
  })
})

describe('the queue of events behind one that is decided upon', () => {
  it('is bounded, and what exceeds it is refused', async () => {
    const { hall, alice } = await openRoom('websocket', {
      limits: { maxQueued: 2 },
      authorize: () => new Promise<boolean>(() => {}),
    })
    alice.client.emit('chat.slow')
    alice.client.emit('chat.one')
    alice.client.emit('chat.two')
    const answer: unknown = await alice.client.emitWithAck('chat.three')
    expect(answer).toEqual({ error: { reason: 'overloaded' } })
    expect(hall.heard).toEqual([])
  })
})

function nested(depth: number): unknown {
  return depth === 0 ? 'end' : [nested(depth - 1)]
}
