/** `onRefused`: the application hears of each message that a plain socket does not let pass. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { messagePolicy, MisuseError, type RefusedMessage } from '../../../packages/countersign/src/index.ts'
import { until } from '../support/sockets.ts'
import { openRoom, type Room } from './messages-room.ts'

const actions = {
  say: { roles: ['member'], resource: 'room', schema: z.object({ type: z.string(), room: z.string() }) },
  'chat.*': { roles: ['admin'] },
} as const

type Heard = RefusedMessage & { readonly before: number }

/** Opens a room; what was refused is kept with the number of frames that its sender had got before. */
async function listen(more: Partial<Parameters<typeof openRoom>[0]> = {}): Promise<[Room, Heard[]]> {
  const heard: Heard[] = []
  const room: Room = await openRoom({
    actions,
    onRefused: (refused) => void heard.push({ ...refused, before: room.caller.frames.length }),
    ...more,
  })
  return [room, heard]
}

describe('a message that does not pass', () => {
  it.each<readonly [string, string | object, string | undefined]>([
    ['forbidden', { type: 'chat.rename', name: 'x' }, 'chat.rename'],
    ['forbidden', { type: 'nothing' }, 'nothing'],
    ['protocol_violation', { type: 'say', room: 7 }, 'say'],
    ['invalid_message', { type: 'say', room: 'lobby'.repeat(30), text: 1 }, 'say'],
  ])('is heard of as %s with what it was, before its sender hears', async (reason, message, action) => {
    const schema = z.object({ type: z.string(), room: z.string().max(9) })
    const [room, heard] = await listen({ actions: { ...actions, say: { ...actions.say, schema } } })
    room.say(message)
    await until(() => room.caller.frames.length === 1)
    expect(heard).toEqual([{ principal: room.lease.principal, reason, action, message, before: 0 }])
  })

  it('is heard of without its content where that was not read', async () => {
    const [room, heard] = await listen({ rate: { max: 3, intervalMs: 60_000 } })
    room.say('nonsense', 'x'.repeat(70_000))
    room.caller.socket.send(Buffer.from('bytes'))
    room.say({ type: 'say', room: 'lobby', text: 'x'.repeat(2_000) }, { type: 'say', room: 'lobby' })
    await until(() => room.caller.frames.length === 5)
    expect(heard.map(({ reason, action, message }) => [reason, action, message])).toEqual([
      ['protocol_violation', undefined, undefined],
      ['message_too_big', undefined, undefined],
      ['forbidden', undefined, undefined],
      ['too_many_attempts', undefined, undefined],
      ['too_many_attempts', 'say', { type: 'say', room: 'lobby' }],
    ])
  })

  it('is heard of where it finds no room behind one that is waited for', async () => {
    let decide = (_allowed: boolean): void => {}
    const [room, heard] = await listen({
      limits: { maxQueued: 1 },
      authorize: () => new Promise<boolean>((resolve) => (decide = resolve)),
    })
    room.say({ type: 'say', room: 'a' }, { type: 'say', room: 'b' }, { type: 'say', room: 'c' })
    await until(() => heard.length === 1)
    expect(heard).toMatchObject([{ reason: 'overloaded', action: undefined, message: undefined }])
    decide(false)
    await until(() => heard.length === 2)
    expect(heard[1]).toMatchObject({ reason: 'forbidden', message: { room: 'a' } })
  })

  it('is heard of where its sender is not told any more: its lease ends for it', async () => {
    const once = { max: 1, intervalMs: 60_000 }
    const [room, heard] = await listen({ rate: once, excess: once })
    for (let count = 0; count < 9; count++) room.say({ type: 'nothing' })
    await room.caller.closed
    expect(heard.map(({ reason }) => reason)).toEqual(['forbidden', 'too_many_attempts', 'too_many_attempts'])
  })

  it('is heard of by nobody once the lease has ended', async () => {
    const [room, heard] = await listen()
    await room.door.guard.revoke({ subject: 'alice' })
    room.say({ type: 'nothing' })
    await room.caller.closed
    expect(heard).toEqual([])
  })
})

describe('a listener of refusals', () => {
  it.each([
    ['throws', () => thrown()],
    ['rejects', async () => Promise.resolve().then(thrown)],
  ])('that %s changes nothing, and the journal has the name of its class', async (_what, onRefused) => {
    const [room] = await listen({ onRefused })
    room.say({ type: 'nothing' }, { type: 'say', room: 'lobby' })
    await until(() => room.actions.length === 1 && room.caller.frames.length === 1)
    await setImmediate()
    const entries = room.door.journal.filter(({ kind }) => kind === 'error')
    expect(entries).toMatchObject([{ detail: 'RangeError' }])
    expect(JSON.stringify(room.door.journal)).not.toContain('hunter2')
  })

  it('may end the lease of whoever sent it', async () => {
    const [room] = await listen({
      onRefused: ({ principal }) => void room.door.guard.revoke({ subject: principal.id }),
    })
    room.say({ type: 'nothing' })
    expect(await room.caller.closed).toMatchObject({ reason: 'revoked' })
  })

  it('is a function', () => {
    expect(() => messagePolicy({ actions, onRefused: 'log' as never })).toThrow(MisuseError)
  })
})

function thrown(): never {
  throw new RangeError('password is hunter2')
}
