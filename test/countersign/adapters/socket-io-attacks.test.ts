import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import {
  firstMessage,
  messagePolicy,
  query,
  type MessageReason,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { until } from '../support/sockets.ts'
import { bare, expectIn, openHall, rawPolling, type Bare, type Hall } from './socket-io-room.ts'

const policy = messagePolicy({
  actions: { say: { roles: ['member'] }, kick: { roles: ['admin'] } },
  excess: { max: 20, intervalMs: 60_000 },
})
const namespaces = { '/': { events: policy }, '/chat': { events: policy } }

/** Nothing ends here because its time is over. */
const patient = { deadlineMs: 60_000 }

/** A bare WebSocket that has been let into `/`. */
async function bareMember(hall: Hall): Promise<Bare> {
  const one = await bare(hall)
  one.say(`40${JSON.stringify({ ticket: await hall.ticketFor('alice') })}`)
  await until(() => one.frames.some((frame) => frame.startsWith('40')))
  return one
}

describe('raw frames through a bare WebSocket', () => {
  it('are judged as the events of a client', async () => {
    const hall = await openHall({ namespaces })
    const one = await bareMember(hall)
    one.say('42["say","hello"]', '42["kick","bob"]', '427["kick","bob"]', '42["unheard-of"]')
    await until(() => one.frames.length >= 5)
    expect(hall.heard).toEqual([['say', 'hello']])
    expect(one.frames.slice(-3)).toEqual([
      '42["auth_error",{"reason":"forbidden","action":"kick"}]',
      '437[{"error":{"reason":"forbidden","action":"kick"}}]',
      '42["auth_error",{"reason":"forbidden","action":"unheard-of"}]',
    ])
  })

  it.each([
    ['an event before CONNECT', ['42["say","hello"]']],
    ['an event for another namespace', ['42/chat,["say","hello"]']],
    ['an acknowledgement before CONNECT', ['430["yes"]']],
    ['a list as auth payload', ['40["ticket"]']],
    ['a text as auth payload', ['40"ticket"']],
    ['an auth payload beyond the bound', [`40${JSON.stringify({ ticket: 'x'.repeat(5_000) })}`]],
    ['what is no packet', ['49']],
    ['a name of a namespace beyond the bound', [`40/${'x'.repeat(200)},{}`]],
    ['two CONNECTs at once', ['40{"ticket":"a"}', '40{"ticket":"b"}']],
    ['more packets than one may send before acceptance', Array.from({ length: 12 }, () => '41')],
    ['binary data before acceptance', [Buffer.from('abc')]],
    ['one frame beyond the bound', [`40${'x'.repeat(100_000)}`]],
  ])('end the transport for %s, without effect', async (_what, packets) => {
    const hall = await openHall({ namespaces, limits: patient })
    const one = await bare(hall)
    one.say(...packets)
    await one.closed()
    expect(hall.heard).toEqual([])
    expect(hall.guests).toEqual([])
    expect(hall.guard.leases()).toEqual([])
    await until(() => hall.guard.pool.size === 0)
  })

  it.each([
    ['a second CONNECT to the same namespace', ['40{}']],
    ['a reserved name', ['42["disconnect"]']],
    ['an event that is no list', ['42{"0":"say"}']],
    ['more attachments than an event may have', [`4511-["say"]`]],
    ['an attachment that was not announced', [Buffer.from('abc')]],
    ['an event for a namespace without CONNECT', ['42/chat,["say","hello"]']],
  ])('end the transport of a member for %s', async (_what, packets) => {
    const hall = await openHall({ namespaces, limits: patient })
    const one = await bareMember(hall)
    one.say(...packets)
    await one.closed()
    expect(hall.heard).toEqual([])
    await until(() => hall.guard.leases().length === 0)
  })

  it.each([
    ['a number as name', '42[7,"hello"]', 'protocol_violation'],
    ['__proto__ as a member', '42["say",{"__proto__":{"admin":true}}]', 'protocol_violation'],
  ])('are refused for %s', async (_what, packet, reason) => {
    const hall = await openHall({ namespaces })
    const one = await bareMember(hall)
    one.say(packet)
    await until(() => one.frames.at(-1)?.includes('auth_error') === true)
    expect(one.frames.at(-1)).toContain(reason)
    expect(hall.heard).toEqual([])
  })

  it('pollute no prototype by an auth payload', async () => {
    const hall = await openHall({ namespaces })
    const one = await bare(hall)
    const secret = await hall.ticketFor('alice')
    one.say(`40{"__proto__":{"ticket":"${secret}"},"constructor":{"prototype":{"x":1}}}`)
    await until(() => one.frames.some((frame) => frame.startsWith('44')))
    expect(one.frames.at(-1)).toContain('missing_credential')
    expect(Reflect.get({}, 'x')).toBeUndefined()
    expect(Reflect.get({}, 'ticket')).toBeUndefined()
  })
})

describe('a transport', () => {
  it('asks for no more namespaces than it may have', async () => {
    const hall = await openHall({ namespaces, maxNamespaces: 3 })
    const one = await bareMember(hall)
    for (let asked = 0; asked < 1_000; asked++) one.say(`40/none-${asked},{}`)
    await one.closed()
    expect(one.frames.filter((frame) => frame.startsWith('44')).length).toBeLessThanOrEqual(3)
    expect(hall.io._nsps.size).toBe(2)
  })

  it('makes no namespace of a name that is refused, though a pattern of the application fits it', async () => {
    const hall = await openHall({ namespaces, before: (io) => void io.of(/^\/none-/) })
    const one = await bareMember(hall)
    for (let asked = 0; asked < 100; asked++) one.say(`40/none-${asked},{}`)
    await one.closed()
    expect([...hall.io._nsps.keys()].filter((name) => name.startsWith('/none-'))).toEqual([])
  })

  it('collects no more refusals than it may', async () => {
    const hall = await openHall({ namespaces, maxNamespaces: 4 })
    const one = await bareMember(hall)
    for (let tried = 0; tried < 10; tried++) {
      const before = one.frames.length
      one.say(`40/chat,{"ticket":"guess-${tried}"}`)
      await until(() => one.frames.length > before || one.socket.readyState !== WebSocket.OPEN)
      if (one.socket.readyState !== WebSocket.OPEN) break
    }
    await one.closed()
    expect(one.frames.filter((frame) => frame.startsWith('44/chat'))).toHaveLength(4)
  })

  it('is gone when its deadline has passed, whatever it polls', async () => {
    const hall = await openHall({ limits: { deadlineMs: 50, lingerMs: 20 } })
    const polling = await rawPolling(hall.port)
    const answers = []
    for (let polled = 0; polled < 3; polled++) answers.push((await polling.poll()).status)
    expect(answers.at(-1)).toBe(400)
    expect(hall.io.engine.clientsCount).toBe(0)
    expect(hall.journal).toContainEqual(expect.objectContaining({ reason: 'authentication_timeout' }))
  })

  it('waits in the pool until a namespace has accepted, and again when it has left them all', async () => {
    const hall = await openHall({ namespaces, limits: { deadlineMs: 150 } })
    const one = await bare(hall)
    await until(() => hall.guard.pool.size === 1)
    one.say(`40${JSON.stringify({ ticket: await hall.ticketFor('alice') })}`)
    await until(() => hall.guard.pool.size === 0)
    one.say('41')
    await until(() => hall.guard.pool.size === 1)
    await one.closed()
    expect(hall.guard.pool.size).toBe(0)
  })

  it('is turned away where the pool is full', async () => {
    const hall = await openHall({ namespaces, limits: { pool: { perSource: 2, total: 2 } } })
    const [first] = [await bare(hall), await bare(hall)]
    const third = await bare(hall).catch(() => undefined)
    await first?.closed()
    expect(hall.guard.pool.size).toBeLessThanOrEqual(2)
    third?.socket.terminate()
  })

  it('reads no body of a stranger beyond the bound', async () => {
    const hall = await openHall({ namespaces })
    const polling = await rawPolling(hall.port)
    expect(await polling.post('4'.repeat(5_000))).toMatchObject({ status: 413 })
  })

  it('reads no body of a stranger whose length is not told', async () => {
    const hall = await openHall({ namespaces })
    const { sid } = await rawPolling(hall.port)
    const socket = connect(hall.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(
      `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('takes no frame beyond the bound of a stranger who upgrades', async () => {
    const hall = await openHall({ namespaces })
    const { sid } = await rawPolling(hall.port)
    const socket = new WebSocket(
      `ws://127.0.0.1:${hall.port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`,
    )
    socket.on('error', () => {})
    await once(socket, 'open')
    socket.send('x'.repeat(500_000))
    await once(socket, 'close')
    await until(() => hall.io.engine.clientsCount === 0)
    expect(hall.journal).toContainEqual(expect.objectContaining({ reason: 'message_too_big' }))
  })
})

describe('a peer that does not read', () => {
  it('is cut off at the end, and what is stuck on the way is not delivered', async () => {
    const hall = await openHall({ namespaces })
    const one = await bareMember(hall)
    one.socket.pause()
    const text = 'x'.repeat(100_000)
    for (let sent = 0; sent < 200; sent++) hall.io.emit('note', text)
    await wait(20)
    await hall.guard.revoke({ subject: 'alice' })
    one.socket.resume()
    await one.closed()
    expect(one.frames.filter((frame) => frame.startsWith('42["note"')).length).toBeLessThan(200)
    expect(one.frames.some((frame) => frame.includes('auth_end'))).toBe(false)
  })

  it('is not told of its refusals any more', async () => {
    const hall = await openHall({ namespaces })
    const one = await bareMember(hall)
    one.socket.pause()
    for (let sent = 0; sent < 200; sent++) hall.io.emit('note', 'x'.repeat(100_000))
    one.say('42["kick","bob"]', '42["say","through"]')
    await until(() => hall.heard.length > 0)
    one.socket.resume()
    await until(() => one.frames.filter((frame) => frame.startsWith('42["note"')).length === 200)
    expect(one.frames.some((frame) => frame.includes('auth_error'))).toBe(false)
  })
})

describe('the end', () => {
  it('is the last word, whatever the application writes while it is told', async () => {
    const hall = await openHall({
      namespaces,
      application: (socket) => socket.on('disconnect', () => void socket.emit('secret', 'from a listener')),
    })
    const one = await bareMember(hall)
    await hall.guard.revoke({ subject: 'alice' })
    await one.closed()
    expect(one.frames.slice(-2)).toEqual(['42["auth_end",{"reason":"revoked","advice":"stop"}]', '41'])
  })

  it('is exact for what arrives, before the wheel has come round', async () => {
    const hall = await openHall({ namespaces, limits: { jitter: 0, graceMs: 0 } })
    const one = await bareMember(hall)
    hall.clock.advance(899_500)
    const moment = hall.clock.now()
    Object.assign(hall.clock, { now: () => moment + 501 })
    one.say('42["say","late"]')
    await one.closed()
    expect(hall.heard).toEqual([])
    expect(one.frames.at(-2)).toBe('42["auth_end",{"reason":"lease_expired","advice":"new_credential"}]')
  })
})

describe('attachments', () => {
  it('end the transport once they are far beyond what any policy lets through', async () => {
    const hall = await openHall({
      namespaces: {
        '/': { events: messagePolicy({ actions: { say: { roles: 'anyone' } }, binary: 'anyone' }) },
      },
    })
    const one = await bareMember(hall)
    const places = Array.from({ length: 10 }, (_, num) => ({ _placeholder: true, num }))
    one.say(`4510-${JSON.stringify(['say', ...places])}`, ...places.map(() => Buffer.alloc(60_000)))
    await one.closed()
    expect(hall.heard).toEqual([])
    expect(hall.journal).toContainEqual(expect.objectContaining({ reason: 'message_too_big' }))
  })
})

describe('acknowledgements', () => {
  it('are not given to who has left the namespace', async () => {
    const kept: ((text: string) => void)[] = []
    const hall = await openHall({
      namespaces,
      application: (socket) => socket.on('say', (...args: unknown[]) => keep(kept, args.at(-1))),
    })
    const one = await bareMember(hall)
    one.say('421["say"]')
    await until(() => kept.length > 0)
    one.say('41')
    await until(() => hall.guard.leases().length === 0)
    kept[0]?.('late')
    await wait(20)
    expect(one.frames.filter((frame) => frame.startsWith('43'))).toEqual([])
  })

  it('are heard once, however often they are sent, and never without a question', async () => {
    const hall = await openHall({ namespaces })
    const one = await bareMember(hall)
    const answers: unknown[] = []
    hall.guests[0]?.emit('question', (answer: unknown) => void answers.push(answer))
    await until(() => one.frames.at(-1)?.startsWith('42') === true)
    const id = /^42(\d+)/.exec(one.frames.at(-1) ?? '')?.[1]
    one.say(`43${id}["first"]`, `43${id}["again"]`, '43999["unasked"]', '43["no id"]', '42["say","after"]')
    await until(() => hall.heard.length > 0)
    expect(answers).toEqual(['first'])
  })

  it('count as messages', async () => {
    const hall = await openHall({ namespaces })
    const one = await bareMember(hall)
    for (let sent = 0; sent < 200; sent++) one.say(`43${sent}["x"]`)
    await one.closed()
    expect(one.frames.find((frame) => frame.includes('auth_end'))).toContain('too_many_attempts')
  })

  it.each<readonly [string, MessageReason, (id: string) => readonly (string | Buffer)[]]>([
    [
      'beyond the bytes of a message',
      'message_too_big',
      (id) => [`43${id}[${JSON.stringify('x'.repeat(70_000))}]`],
    ],
    ['with __proto__ as a member', 'protocol_violation', (id) => [`43${id}[{"__proto__":{"admin":true}}]`]],
    ['nested without end', 'protocol_violation', (id) => [`43${id}[${'['.repeat(100)}${']'.repeat(100)}]`]],
    [
      'with an attachment that the role may not send',
      'forbidden',
      (id) => [`461-${id}[{"_placeholder":true,"num":0}]`, Buffer.from('abc')],
    ],
  ])('are not heard %s, and the application hears of that', async (_what, reason, packets) => {
    const refused: unknown[] = []
    const events = messagePolicy({
      actions: { say: { roles: 'anyone' } },
      onRefused: ({ reason, action, message }) => void refused.push([reason, action, message]),
    })
    const hall = await openHall({ namespaces: { '/': { events } } })
    const one = await bareMember(hall)
    const answers: unknown[] = []
    hall.guests[0]?.emit('question', (answer: unknown) => void answers.push(answer))
    await until(() => one.frames.at(-1)?.startsWith('42') === true)
    one.say(...packets(/^42(\d+)/.exec(one.frames.at(-1) ?? '')?.[1] ?? ''), '42["say","after"]')
    await until(() => hall.heard.length > 0)
    expect(answers).toEqual([])
    expect(refused).toEqual([[reason, undefined, undefined]])
    expect(hall.guests[0]?.data.lease.ended).toBe(false)
  })

  it('are given once for an event, and not after the end', async () => {
    const kept: ((text: string) => void)[] = []
    const hall = await openHall({
      namespaces,
      application: (socket) => socket.on('say', (...args: unknown[]) => keep(kept, args.at(-1))),
    })
    const one = await bareMember(hall)
    one.say('421["say"]')
    await until(() => kept.length > 0)
    kept[0]?.('one')
    kept[0]?.('two')
    one.say('422["say"]')
    await until(() => kept.length > 1)
    await hall.guard.revoke({ subject: 'alice' })
    kept[1]?.('late')
    await one.closed()
    await wait(20)
    expect(one.frames.filter((frame) => frame.startsWith('43'))).toEqual(['431["one"]'])
  })
})

describe('two renewals at once', () => {
  it('break the protocol and end the lease', async () => {
    const hall = await openHall({ accept: [ticket({ from: [firstMessage(), query('ticket')] })] })
    const alice = hall.call('websocket', { auth: { ticket: await hall.ticketFor('alice') } })
    await expectIn(alice, 'websocket')
    alice.client.emit('auth', { ticket: 'one' })
    alice.client.emit('auth', { ticket: 'two' })
    await until(() => alice.fate.length > 1)
    expect(alice.events).toContainEqual(['auth_end', { reason: 'protocol_violation', advice: 'fix' }])
  })
})

function keep(kept: ((text: string) => void)[], value: unknown): void {
  if (typeof value === 'function') kept.push((text) => void value(text))
}

describe('a middleware of the application that throws', () => {
  it('keeps the socket out, and the process up', async () => {
    const before: Parameters<typeof openHall>[0] = {
      before: (io) =>
        void io.use(() => {
          throw new Error('broken')
        }),
    }
    const hall = await openHall(before)
    const alice = hall.call('websocket', { auth: { ticket: await hall.ticketFor('alice') } })
    await until(() => hall.journal.some(({ reason }) => reason === 'internal'))
    await until(() => hall.io.engine.clientsCount === 0)
    expect(alice.fate).not.toContain('connected')
    expect(hall.guard.leases()).toEqual([])
  })
})
