import * as fc from 'fast-check'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { frame, rawUpgrade, until } from '../support/sockets.ts'
import { openRoom } from './messages-room.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const enough = { rate: { max: 100_000, intervalMs: 1_000 } }
const actions = { ping: { roles: 'anyone' }, 'admin.reset': { roles: ['admin'] } } as const

describe('a message that means two things', () => {
  it.each([
    ['a repeated type', '{"type":"ping","type":"admin.reset"}'],
    ['a repeated type, once escaped', '{"type":"ping","\\u0074ype":"admin.reset"}'],
    ['a repeated member further in', '{"type":"ping","a":{"room":"a","room":"b"}}'],
    ['a prototype', '{"type":"ping","__proto__":{"roles":["admin"]}}'],
    ['a prototype, escaped', '{"type":"ping","\\u005f_proto__":{"roles":["admin"]}}'],
    ['a prototype further in', '{"type":"ping","a":[{"__proto__":null}]}'],
    ['a lone surrogate', '{"type":"ping","a":"\\ud800"}'],
    ['a number beyond all numbers', '{"type":"ping","a":1e309}'],
    ['a comma too many', '{"type":"ping",}'],
    ['text behind it', '{"type":"ping"}{"type":"admin.reset"}'],
    ['a byte order mark', '\ufeff{"type":"ping"}'],
    ['depth', `{"type":"ping","a":${'['.repeat(16)}${']'.repeat(16)}}`],
    ['endless depth', '['.repeat(60_000)],
    ['a list around it', '[{"type":"ping"}]'],
  ])('by %s is malformed', async (_, text) => {
    const room = await openRoom({ actions })
    room.say(text)
    await room.settled()
    expect(room.caller.frames).toEqual(['{"type":"error","reason":"protocol_violation"}'])
    expect([room.actions, room.guest.messages]).toEqual([[], []])
  })

  it('is not one with fifteen levels in it', async () => {
    const room = await openRoom({ actions })
    room.say(`{"type":"ping","a":${'['.repeat(15)}${']'.repeat(15)}}`)
    await room.settled()
    expect(room.actions).toHaveLength(1)
  })

  it('by the names of what objects inherit has those as ordinary members, which change nothing', async () => {
    const room = await openRoom({ actions })
    room.say('{"type":"ping","constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":2}')
    await room.settled()
    expect(room.actions).toMatchObject([{ value: { toString: 1, hasOwnProperty: 2 } }])
    expect(Object.keys(Object.prototype)).toEqual([])
    expect({}).not.toHaveProperty('polluted')
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'by the action %s, which every object has, is as forbidden as any',
    async (type) => {
      const room = await openRoom({ actions })
      room.say({ type })
      await room.settled()
      expect(room.errors()).toEqual([{ type: 'error', reason: 'forbidden', action: type }])
    },
  )
})

describe('a schema', () => {
  it('decides about members that nobody asked for', async () => {
    const room = await openRoom({
      actions: {
        loose: { roles: 'anyone', schema: z.looseObject({ type: z.string() }) },
        plain: { roles: 'anyone', schema: z.object({ type: z.string() }) },
        strict: { roles: 'anyone', schema: z.strictObject({ type: z.string() }) },
      },
    })
    for (const type of ['loose', 'plain', 'strict']) room.say({ type, priv: true })
    await room.settled()
    expect(room.actions).toMatchObject([
      { action: 'loose', value: { type: 'loose', priv: true } },
      { action: 'plain', value: { type: 'plain' } },
    ])
    expect(room.actions[1]).not.toHaveProperty('value.priv')
    expect(room.errors()).toEqual([
      { type: 'error', reason: 'invalid_message', action: 'strict', issues: [{ path: [] }] },
    ])
  })

  it('that changes what it is given changes neither action, nor raw message, nor id', async () => {
    const validate = (value: unknown) => {
      const message = value as Record<string, unknown>
      message['type'] = 'admin.reset'
      message['id'] = 'other'
      return { value: message }
    }
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const room = await openRoom({ actions: { ...actions, odd: { roles: 'anyone', schema } } })
    room.say('{"type":"odd","id":"mine"}')
    await room.settled()
    expect(room.guest.messages).toEqual(['{"type":"odd","id":"mine"}'])
    expect(room.actions).toMatchObject([{ rule: 'odd', action: 'odd', id: 'mine' }])
  })

  it('that echoes in its words what was sent does not echo it to the sender', async () => {
    const schema = z.object({
      pin: z.string().refine(() => false, { error: ({ input }) => `bad ${String(input)}` }),
    })
    const room = await openRoom({ actions: { odd: { roles: 'anyone', schema } } })
    room.say({ type: 'odd', pin: '4711' })
    await room.settled()
    expect(room.caller.frames).toEqual([
      '{"type":"error","reason":"invalid_message","action":"odd","issues":[{"path":["pin"]}]}',
    ])
  })
})

describe('whoever sends anything at all', () => {
  it('gets exactly one answer or one delivery for each message, and harms nobody', async () => {
    const room = await openRoom({ actions, ...enough })
    const anything = fc.oneof(
      fc.string(),
      fc.json({ maxDepth: 20 }),
      fc
        .record({ type: fc.oneof(fc.string(), fc.jsonValue()), id: fc.jsonValue() })
        .map((value) => JSON.stringify(value)),
      fc.constant('{"type":"ping"}'),
    )
    const texts = fc.sample(anything, { numRuns: 2_000, seed: 42 })
    room.say(...texts)
    await room.settled()
    expect(room.errors().length + room.actions.length).toBe(texts.length)
    expect(room.actions.length).toBe(room.guest.messages.length)
    for (const message of room.actions) expect(message).toMatchObject({ action: 'ping' })
    expect(room.lease.ended).toBe(false)
  })

  it('cannot make a policy remember 10,000 names of actions', async () => {
    const room = await openRoom({ actions: { ...actions, 'x.*.y': { roles: ['admin'] } }, ...enough })
    const round = async (from: number): Promise<void> => {
      for (let at = from; at < from + 10_000; at++) {
        room.say({ type: `x.${String(at).padEnd(240, 'n')}.y` })
        if (at % 500 === 499) await room.settled()
      }
      expect(room.caller.frames).toHaveLength(10_000)
      room.caller.frames.length = 0
      await new Promise((resolve) => setTimeout(resolve, 20))
      collect()
    }
    await round(0)
    const before = process.memoryUsage().heapUsed
    await round(10_000)
    // Names alone would be 2.4 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_000_000)
  })

  it('and reads nothing does not fill memory with refusals', async () => {
    const room = await openRoom({ actions, ...enough })
    const { ticket: secret } = await room.door.guard.issue.ticket({ subject: 'mute' })
    const mute = rawUpgrade(room.door, `/?ticket=${secret}`)
    await mute.heard('101 Switching Protocols')
    mute.socket.pause()
    await until(() => room.door.guests.some(({ lease }) => lease.principal.id === 'mute'))
    const guest = room.door.guests.at(-1)
    const message = frame(JSON.stringify({ type: 'x'.repeat(200) }))
    const chunk = Buffer.concat(Array.from({ length: 500 }, () => message))
    let most = 0
    for (let sent = 0; sent < 100; sent++) {
      if (!mute.socket.write(chunk)) await new Promise((resolve) => mute.socket.once('drain', resolve))
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, guest?.socket.bufferedAmount ?? 0)
    }
    // The kernel has taken what it takes; the rest would be here.
    expect(most).toBeGreaterThan(60_000)
    expect(most).toBeLessThan(80_000)
    room.say({ type: 'ping' })
    await room.settled()
    expect(room.actions).toMatchObject([{ action: 'ping' }])
  })

  it('cannot occupy an application that never answers with more than one question', async () => {
    let asked = 0
    const room = await openRoom({
      actions,
      ...enough,
      authorize: () => {
        asked++
        return new Promise<boolean>(() => undefined)
      },
    })
    for (let at = 0; at < 1_000; at++) room.say({ type: 'ping' })
    await until(() => asked === 1 && room.guest.socket.isPaused)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(asked).toBe(1)
    room.clock.advance(5_000)
    await until(() => asked === 2)
    expect(room.clock.timers).toBe(2)
    room.lease.apply({ kind: 'ended', reason: 'revoked' }, room.clock.now())
    room.clock.advance(5_000)
    await until(() => room.clock.timers === 0)
    expect([asked, room.actions]).toEqual([2, []])
  })
})
