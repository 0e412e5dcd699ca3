import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../packages/countersign/src/index.ts'
import { until } from '../support/sockets.ts'
import { giveRoles, inOneChunk, openRoom } from './messages-room.ts'

type Decision = PromiseWithResolvers<boolean> & { readonly principal: Principal; readonly resource: string }

/** An application that decides when the test says so, about messages with a resource; others pass at once. */
const deciding = (): {
  readonly decisions: Decision[]
  readonly authorize: (
    principal: Principal,
    action: string,
    resource: string | undefined,
  ) => boolean | Promise<boolean>
} => {
  const decisions: Decision[] = []
  return {
    decisions,
    authorize(principal, _action, resource) {
      if (resource === undefined) return true
      const decision = { ...Promise.withResolvers<boolean>(), principal, resource }
      decisions.push(decision)
      return decision.promise
    },
  }
}

const actions = {
  ask: { roles: ['member'], resource: 'what' },
  ping: { roles: 'anyone' },
} as const

const ask = (what: string) => ({ type: 'ask', what })

const enough = { rate: { max: 100_000, intervalMs: 1_000 } }

/** The answer of the application, and a moment for it to have its effect. */
const answer = async (decision: Decision | undefined, allowed: boolean): Promise<void> => {
  decision?.resolve(allowed)
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('while a decision is awaited', () => {
  it('messages behind it wait, and pass in order', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'), { type: 'ping', id: 1 }, ask('b'), { type: 'ping', id: 2 })
    await until(() => decisions.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([room.actions, room.guest.messages, decisions.length]).toEqual([[], [], 1])
    await answer(decisions[0], true)
    expect(room.actions).toMatchObject([{ resource: 'a' }, { id: 1 }])
    expect(decisions).toHaveLength(2)
    await answer(decisions[1], false)
    expect(room.actions).toMatchObject([{ resource: 'a' }, { id: 1 }, { id: 2 }])
    expect(room.guest.messages).toHaveLength(3)
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toEqual([{ type: 'error', reason: 'forbidden', action: 'ask' }])
  })

  it('order is kept whatever is answered at once and whatever later', async () => {
    let seed = 1
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    const room = await openRoom({
      actions,
      ...enough,
      authorize: (_principal, _action, resource = '') => {
        const denied = resource.endsWith('7')
        const how = random(4)
        if (how === 0) return !denied
        if (how === 1) return Promise.resolve(!denied)
        return new Promise((resolve) => setTimeout(resolve, random(3), !denied))
      },
    })
    const sent = Array.from({ length: 300 }, (_, at) => String(at))
    // In batches, so that the queue is never full.
    for (let at = 0; at < sent.length; at += 50) {
      room.say(...sent.slice(at, at + 50).map(ask))
      await room.settled()
    }
    const passed = room.actions.map((message) => (message as { resource: string }).resource)
    expect(passed).toEqual(sent.filter((what) => !what.endsWith('7')))
    expect(room.errors()).toHaveLength(30)
  })

  it('the peer is not read beyond half of the queue, and again once it is empty', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize, ...enough, limits: { maxQueued: 10 } })
    room.say(ask('a'))
    await until(() => decisions.length === 1)
    for (let id = 0; id < 4; id++) room.say({ type: 'ping', id })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(room.guest.socket.isPaused).toBe(false)
    room.say({ type: 'ping', id: 4 })
    await until(() => room.guest.socket.isPaused)
    for (let id = 5; id < 30; id++) {
      // Apart from each other, as a client sends that is not answered.
      await new Promise((resolve) => setImmediate(resolve))
      room.say({ type: 'ping', id })
    }
    await answer(decisions[0], true)
    await room.settled()
    expect(room.guest.socket.isPaused).toBe(false)
    expect(room.errors()).toEqual([])
    expect(room.actions).toHaveLength(31)
    expect(room.actions.slice(1).map((message) => (message as { id: number }).id)).toEqual(
      Array.from({ length: 30 }, (_, id) => id),
    )
  })

  it('a pause of the application’s own is left to it', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({
      actions,
      ...enough,
      limits: { maxQueued: 4 },
      authorize: (principal, action, resource) => {
        if (resource !== undefined) room.guest.socket.pause()
        return authorize(principal, action, resource)
      },
    })
    await inOneChunk(room.caller.socket, [ask('a'), { type: 'ping' }, { type: 'ping' }, { type: 'ping' }])
    await until(() => decisions.length === 1)
    await answer(decisions[0], true)
    expect(room.actions).toHaveLength(4)
    expect(room.guest.socket.isPaused).toBe(true)
  })

  it('what does not fit into the queue is refused, by number and by bytes', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize, ...enough, limits: { maxQueued: 10 } })
    room.say(ask('a'))
    await until(() => decisions.length === 1)
    // In one chunk: what `ws` has read already arrives though the socket is paused.
    await inOneChunk(
      room.caller.socket,
      Array.from({ length: 25 }, (_, id) => ({ type: 'ping', id })),
    )
    await until(() => room.caller.frames.length === 15)
    expect(new Set(room.caller.frames)).toEqual(new Set(['{"type":"error","reason":"overloaded"}']))
    await answer(decisions[0], true)
    expect(room.actions).toHaveLength(11)

    const limits = { maxQueued: 1_000, maxBytes: 1_000, maxQueuedBytes: 1_000 }
    const small = await openRoom({ actions, authorize, ...enough, limits })
    small.say(ask('b'))
    await until(() => decisions.length === 2)
    await inOneChunk(
      small.caller.socket,
      Array.from({ length: 5 }, () => ({ type: 'ping', x: 'x'.repeat(300) })),
    )
    await until(() => small.caller.frames.length === 2)
    await answer(decisions[1], true)
    expect(small.actions).toHaveLength(4)

    // What has left the queue has room in it again.
    for (let round = 2; round < 5; round++) {
      small.say(ask('c'), { type: 'ping', x: 'x'.repeat(300) }, { type: 'ping', x: 'x'.repeat(300) })
      await until(() => decisions.length === round + 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
      await answer(decisions[round], true)
    }
    await until(() => small.actions.length === 13)
    expect(small.caller.frames).toHaveLength(2)
  })

  it('the end of the lease drops it, and what waits behind it', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'), { type: 'ping' }, ask('b'))
    await until(() => decisions.length === 1)
    await room.door.guard.revoke({ subject: 'alice' })
    await answer(decisions[0], true)
    expect(await room.caller.closed).toMatchObject({ reason: 'revoked' })
    expect([room.actions, room.guest.messages, room.caller.frames, decisions.length]).toEqual([[], [], [], 1])
  })

  it('the end of the socket drops it as well', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'), { type: 'ping' })
    await until(() => decisions.length === 1)
    room.caller.socket.close()
    await until(() => room.lease.ended)
    await answer(decisions[0], true)
    expect([room.actions, room.guest.messages]).toEqual([[], []])
  })

  it('what waits is not even judged once something before it has ended the lease', async () => {
    const asked: (string | undefined)[] = []
    const room = await openRoom({
      actions,
      authorize: (_principal, _action, resource) => {
        asked.push(resource)
        return resource === 'a' ? new Promise((resolve) => setTimeout(resolve, 20, true)) : true
      },
    })
    room.guest.socket.on('action', ({ resource }: { readonly resource?: string }) => {
      if (resource === 'b') room.lease.apply({ kind: 'ended', reason: 'revoked' }, room.clock.now())
    })
    room.say(ask('a'), ask('b'), ask('c'), ask('d'))
    expect(await room.caller.closed).toMatchObject({ reason: 'revoked' })
    expect(asked).toEqual(['a', 'b'])
    expect(room.actions).toMatchObject([{ resource: 'a' }, { resource: 'b' }])
  })

  it('nothing is delivered once the application has begun to close', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'), { type: 'ping' })
    await until(() => decisions.length === 1)
    room.guest.socket.close()
    await answer(decisions[0], true)
    expect([room.actions, room.guest.messages]).toEqual([[], []])
  })
})

describe('a decision that is awaited', () => {
  it('counts only for the roles that were asked about: one that is taken meanwhile refuses', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'))
    await until(() => decisions.length === 1)
    await giveRoles(room, 'guest')
    await answer(decisions[0], true)
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toEqual([{ type: 'error', reason: 'forbidden', action: 'ask' }])
    expect([room.actions, decisions.length]).toEqual([[], 1])
  })

  it('is asked for again where the row still allows it, since it may rest upon what has changed', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize }, { roles: ['member', 'moderator'] })
    room.say(ask('a'))
    await until(() => decisions.length === 1)
    await giveRoles(room, 'member')
    await answer(decisions[0], true)
    expect(room.actions).toEqual([])
    expect(decisions.map(({ principal }) => principal.roles)).toEqual([['member', 'moderator'], ['member']])
    await answer(decisions[1], false)
    await until(() => room.caller.frames.length === 1)
    expect(room.actions).toEqual([])
  })

  it('is refused where roles change again and again', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'))
    for (let change = 0; change < 3; change++) {
      await until(() => decisions.length === change + 1)
      await giveRoles(room, 'member', `other ${change}`)
      await answer(decisions[change], true)
    }
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toMatchObject([{ reason: 'forbidden' }])
    expect([room.actions, decisions.length]).toEqual([[], 3])
  })

  it('is a refusal when it does not come in time, and changes nothing when it comes later', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize, limits: { deadlineMs: 3_000 } })
    room.say(ask('a'), ask('b'))
    await until(() => decisions.length === 1)
    room.clock.advance(2_999)
    await answer(undefined, true)
    expect(decisions).toHaveLength(1)
    room.clock.advance(1)
    await until(() => decisions.length === 2)
    await answer(decisions[0], true)
    expect(room.actions).toEqual([])
    await answer(decisions[1], true)
    expect(room.actions).toMatchObject([{ resource: 'b' }])
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toMatchObject([{ reason: 'forbidden', action: 'ask' }])
    // The one that is left is the guard's wheel.
    expect(room.clock.timers).toBe(1)
  })

  it('does not come any later because it has to be asked for again', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize, limits: { deadlineMs: 3_000 } })
    room.say(ask('a'))
    await until(() => decisions.length === 1)
    room.clock.advance(2_000)
    await giveRoles(room, 'member', 'more')
    await answer(decisions[0], true)
    expect(decisions).toHaveLength(2)
    room.clock.advance(1_000)
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toMatchObject([{ reason: 'forbidden' }])
  })

  it('that fails is a refusal, and the journal has the name of its class', async () => {
    const { decisions, authorize } = deciding()
    const room = await openRoom({ actions, authorize })
    room.say(ask('a'))
    await until(() => decisions.length === 1)
    decisions[0]?.reject(new URIError('secret words'))
    await until(() => room.caller.frames.length === 1)
    expect(room.errors()).toMatchObject([{ reason: 'forbidden' }])
    expect(room.door.journal).toContainEqual(expect.objectContaining({ kind: 'error', detail: 'URIError' }))
  })

  it('may be a schema’s, and counts for the same roles alone', async () => {
    const checks: PromiseWithResolvers<{ readonly value: unknown }>[] = []
    const validate = () => {
      const check = Promise.withResolvers<{ readonly value: unknown }>()
      checks.push(check)
      return check.promise
    }
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const room = await openRoom({ actions: { ask: { roles: ['member'], schema } } })
    room.say({ type: 'ask' }, { type: 'ask' })
    await until(() => checks.length === 1)
    checks[0]?.resolve({ value: 'made' })
    await until(() => checks.length === 2)
    expect(room.actions).toMatchObject([{ value: 'made' }])
    await giveRoles(room, 'guest')
    checks[1]?.resolve({ value: 'made' })
    await until(() => room.caller.frames.length === 1)
    expect(room.actions).toHaveLength(1)
    expect(room.errors()).toMatchObject([{ reason: 'forbidden' }])
  })
})

describe('roles that come and go while messages pour in', () => {
  it('are held by the lease at each delivery, and order is kept', async () => {
    const room = await openRoom({
      actions,
      ...enough,
      authorize: (_principal, _action, what = '') =>
        Number(what) % 3 === 0 || new Promise((resolve) => setTimeout(resolve, Number(what) % 4, true)),
    })
    const rolesAtDelivery: string[] = []
    room.guest.socket.on('action', ({ rule }: { readonly rule: string }) => {
      if (rule === 'ask') rolesAtDelivery.push(room.lease.principal.roles.join(' '))
    })
    for (let round = 0; round < 10; round++) {
      room.say(...Array.from({ length: 30 }, (_, at) => ask(String(round * 30 + at))))
      await new Promise((resolve) => setTimeout(resolve, 3))
      if (round % 2 === 0) await giveRoles(room, 'guest')
      await new Promise((resolve) => setTimeout(resolve, 3))
      await giveRoles(room, 'member', `round ${round}`)
      await room.settled()
    }
    const passed = room.actions.map((message) => Number((message as { resource: string }).resource))
    expect(passed).toEqual(passed.toSorted((one, other) => one - other))
    expect(passed.length + room.errors().length).toBe(300)
    expect(passed.length).toBeGreaterThan(100)
    expect(room.errors().length).toBeGreaterThan(0)
    expect(rolesAtDelivery.filter((roles) => !roles.startsWith('member'))).toEqual([])
  })
})

describe('a listener that throws behind an awaited decision', () => {
  it.each(['a', 'b'])(
    'at %s is an unhandled rejection, and does not keep the rest from passing',
    async (where) => {
      const unhandled: unknown[] = []
      const others = process.listeners('unhandledRejection')
      process.removeAllListeners('unhandledRejection')
      process.on('unhandledRejection', (error) => void unhandled.push(error))
      try {
        const room = await openRoom({
          actions,
          authorize: (_principal, _action, resource) =>
            resource !== 'a' || new Promise((resolve) => setTimeout(resolve, 20, true)),
        })
        room.guest.socket.on('action', ({ resource }: { readonly resource?: string }) => {
          if (resource === where) throw new Error(`broken at ${where}`)
        })
        room.say(ask('a'), ask('b'), ask('c'), ask('a'), ask('d'))
        await until(() => unhandled.length > 0)
        await room.settled()
        expect(room.actions).toMatchObject(['a', 'b', 'c', 'a', 'd'].map((resource) => ({ resource })))
        expect(unhandled.map(String)).toEqual(
          Array.from({ length: where === 'a' ? 2 : 1 }, () => `Error: broken at ${where}`),
        )
      } finally {
        process.removeAllListeners('unhandledRejection')
        for (const listener of others) process.on('unhandledRejection', listener)
      }
    },
  )
})
