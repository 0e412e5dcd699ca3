import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  challengeFrames,
  cookie as cookieCarrier,
  firstMessage as messageCarrier,
  memory,
  query as queryCarrier,
  subprotocol as subprotocolCarrier,
} from '../../../packages/countersign/src/index.ts'
import { session, ticket, wampcra } from '../../../packages/countersign/src/methods/index.ts'
import { challengeResponse } from '../../../packages/countersign/src/client/challenges.ts'
import {
  cookie,
  CountersignSocket,
  firstMessage,
  query,
  singleUseUrl,
  subprotocol,
  Unauthorized,
} from '../../../packages/countersign/src/client/index.ts'
import { openGuarded, until, type Door, type DoorOptions } from '../support/sockets.ts'
import { bases, browserWith, connect, pageSocket, testClock, ticketsOf, watch } from './client.ts'

const openDoor = (options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({
    accept: [ticket({ from: [queryCarrier('ticket'), messageCarrier(), subprotocolCarrier()] })],
    ...options,
  })

const greeting: DoorOptions['application'] = ({ socket, lease }) => socket.send(`Hello ${lease.principal.id}`)

describe.each(bases)('a client upon %s', (_name, WebSocket) => {
  test('opens when the server has accepted, and hears the application', async () => {
    const door = await openDoor({ application: greeting })
    const tickets = ticketsOf(door)
    const client = connect(door, { carrier: firstMessage(tickets), WebSocket })
    expect(client.socket.readyState).toBe(CountersignSocket.CONNECTING)
    await client.comes('open')
    expect(client.socket.readyState).toBe(client.socket.OPEN)
    await until(() => client.messages.length === 1)
    expect(client.messages).toEqual(['Hello alice'])
    expect(client.leases).toEqual([899_000])
    expect(tickets.count).toBe(1)
  })

  test('hands messages over as the events of a WebSocket that they are', async () => {
    const door = await openDoor({ application: greeting })
    const client = connect(door, { carrier: firstMessage(ticketsOf(door)), WebSocket })
    const heard: MessageEvent[] = []
    client.socket.addEventListener('message', (event) => void heard.push(event))
    await until(() => heard.length === 1)
    const [event] = heard
    if (event === undefined) throw new Error('an event')
    expect(event).toBeInstanceOf(MessageEvent)
    expect(event).toBeInstanceOf(Event)
    const { type, data, lastEventId, source, ports, target, bubbles, cancelable } = event
    expect({ type, data, lastEventId, source, ports, bubbles, cancelable }).toEqual({
      type: 'message',
      data: 'Hello alice',
      lastEventId: '',
      source: null,
      ports: [],
      bubbles: false,
      cancelable: false,
    })
    expect(target).toBe(client.socket)
    expect(inspect(event, { depth: 9 })).not.toContain('cst_')
  })

  test('shows a ticket in its URL and does not show that URL', async () => {
    const door = await openDoor()
    const client = connect(door, { carrier: query(ticketsOf(door)), WebSocket })
    await client.comes('open')
    expect(client.socket.url).toBe(`ws://127.0.0.1:${door.port}/`)
    expect(inspect(client.socket, { depth: 9 })).not.toContain('cst_')
  })

  test('shows a ticket among the subprotocols and keeps the application’s', async () => {
    const door = await openDoor({ application: greeting })
    const client = connect(door, { carrier: subprotocol(ticketsOf(door)), protocols: ['chat.v2'], WebSocket })
    await client.comes('open')
    expect(client.socket.protocol).toBe('chat.v2')
  })

  test('connects to a URL that is good for once', async () => {
    const door = await openDoor()
    const tickets = ticketsOf(door)
    const url = async (): Promise<string> =>
      `ws://127.0.0.1:${door.port}/?ticket=${(await tickets()).credential}`
    const client = connect(door, { carrier: singleUseUrl(url), WebSocket })
    await client.comes('open')
  })

  test.each(['blob', 'arraybuffer'] as const)('gets binary messages as %s', async (binaryType) => {
    const door = await openDoor({ application: ({ socket }) => socket.send(Uint8Array.of(1, 2)) })
    const client = connect(door, { carrier: query(ticketsOf(door)), WebSocket })
    client.socket.binaryType = binaryType
    await until(() => client.messages.length === 1)
    expect(client.messages[0]).toBeInstanceOf(binaryType === 'blob' ? Blob : ArrayBuffer)
  })

  test('sends text and bytes in the order in which they were given', async () => {
    const door = await openDoor()
    const client = connect(door, { carrier: firstMessage(ticketsOf(door)), WebSocket })
    client.socket.send('before')
    expect(client.socket.bufferedAmount).toBe(6)
    client.socket.onopen = () => client.socket.send(Buffer.from('after'))
    await until(() => door.guests[0]?.messages.length === 2)
    expect(door.guests[0]?.messages).toEqual(['before', 'after'])
  })

  test('closes with the code and the reason that it is told to', async () => {
    const door = await openDoor()
    const client = connect(door, { carrier: query(ticketsOf(door)), WebSocket })
    await client.comes('open')
    client.socket.close(4000, 'enough')
    expect(client.socket.readyState).toBe(client.socket.CLOSING)
    await client.comes('close 4000 enough')
    expect(client.socket.readyState).toBe(client.socket.CLOSED)
    expect(client.errors).toEqual([])
  })
})

describe('challenge-response', () => {
  const secret = 'correct horse battery staple'
  const salting = { salt: 'pepper', iterations: 1_000, keylen: 32 }

  const openChallenges = async (salted: boolean): Promise<Door> => {
    const records = memory()
    const door = await openGuarded({ records, accept: [wampcra({ from: challengeFrames() })] })
    await door.guard.issue.challengeSecret({
      subject: 'alice',
      authid: 'alice',
      secret,
      ...(salted ? { salting } : {}),
    })
    return door
  }

  test.each([
    ['plain', false],
    ['salted', true],
  ])('with a %s secret opens, and renews on the open socket', async (_name, salted) => {
    const door = await openChallenges(salted)
    const clock = testClock()
    const client = connect(door, { carrier: challengeResponse(() => ({ authid: 'alice', secret })), clock })
    await client.comes('open')
    await until(() => client.leases.length === 1)
    expect(await client.socket.renew()).toBe(true)
    expect(client.leases).toHaveLength(2)
  })

  test('with a wrong secret is tried once', async () => {
    const door = await openChallenges(true)
    const client = connect(door, {
      carrier: challengeResponse(() => ({ authid: 'alice', secret: 'wrong' })),
      pauses: { minMs: 1 },
    })
    await client.comes('close 3000')
    expect(door.refusals()).toEqual(['invalid_credential'])
  })
})

describe('a session’s cookie', () => {
  test('goes along by itself, and is renewed once when it is refused', async () => {
    const door = await openGuarded({ accept: [session({ from: cookieCarrier('sid') })] })
    let held = 'css_none'
    let renewals = 0
    const renew = async (): Promise<void> => {
      renewals++
      held = (await door.guard.issue.session({ subject: 'alice' })).session
    }
    const client = connect(door, {
      carrier: cookie(renew),
      WebSocket: browserWith(() => `sid=${held}`),
      pauses: { minMs: 1 },
    })
    await client.comes('open')
    expect(renewals).toBe(1)
    expect(client.heard).toEqual(['reconnecting 3000 invalid_credential', 'open'])
  })

  test('is not tried again where nothing can renew it', async () => {
    const door = await openGuarded({ accept: [session({ from: cookieCarrier('sid') })] })
    const client = connect(door, {
      carrier: cookie(),
      WebSocket: browserWith(() => 'sid=css_none'),
      pauses: { minMs: 1 },
    })
    await client.comes('close 3000')
    expect(door.refusals()).toHaveLength(1)
  })
})

describe('a client as a WebSocket', () => {
  test('refuses codes and reasons that may not be sent', async () => {
    const { socket } = connect({ port: 1 }, { carrier: cookie() })
    expect(() => socket.close(1008)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    expect(() => socket.close(3000, 'é'.repeat(62))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  test.each(['', 'chat', 'ftp://example.com', 'wss://example.com/#part', 'ws://'])(
    'refuses the URL %j',
    (url) => {
      expect(() => new CountersignSocket(url, { carrier: cookie() })).toThrow(
        expect.objectContaining({ name: 'SyntaxError', message: 'not the URL of a WebSocket' }),
      )
    },
  )

  test('reads http as ws', () => {
    const { socket } = watch(new CountersignSocket('https://127.0.0.1:1/a', { carrier: cookie() }))
    expect(socket.url).toBe('wss://127.0.0.1:1/a')
  })

  test('calls handlers where they were first set, and listeners as their options say', async () => {
    const door = await openDoor()
    const { socket, ...client } = connect(door, { carrier: query(ticketsOf(door)) })
    const calls: string[] = []
    socket.addEventListener('open', () => calls.push('first'), { once: true })
    socket.onopen = () => calls.push('replaced')
    socket.addEventListener('open', { handleEvent: () => calls.push('third') })
    socket.onopen = () => calls.push('second')
    const aborted = new AbortController()
    socket.addEventListener('open', () => calls.push('never'), { signal: aborted.signal })
    aborted.abort()
    await client.comes('open')
    expect(calls).toEqual(['first', 'second', 'third'])
    socket.onopen = null
    expect(socket.onopen).toBe(null)
  })

  test('closed before it is open ends with 1006 and asks nobody', async () => {
    const door = await openDoor()
    const tickets = ticketsOf(door)
    const client = connect(door, { carrier: query(tickets) })
    client.socket.close()
    await client.comes('close 1006')
    expect([tickets.count, door.guests.length, client.errors.length]).toEqual([0, 0, 0])
  })

  test('has close events where the runtime has no class for them', async () => {
    vi.stubGlobal('CloseEvent', undefined)
    onTestFinished(() => void vi.unstubAllGlobals())
    const door = await openDoor()
    const client = connect(door, { carrier: query(ticketsOf(door)), WebSocket: pageSocket })
    await client.comes('open')
    client.socket.close(3001, 'done')
    await client.comes('close 3001 done')
  })

  test('throws away what is sent after its end, as the standard has it', async () => {
    const door = await openDoor()
    const client = connect(door, { carrier: query(ticketsOf(door)) })
    await client.comes('open')
    client.socket.close()
    client.socket.send('late')
    await client.comes('close 1005')
    expect(client.socket.bufferedAmount).toBe(0)
  })

  test('without reconnection throws when it is asked to send too early', () => {
    const { socket } = connect({ port: 1 }, { carrier: cookie(), reconnect: false })
    expect(() => socket.send('early')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
  })
})

describe('a credential', () => {
  test('that is nobody’s stops the client without an attempt', async () => {
    const door = await openDoor()
    const client = connect(door, {
      carrier: query(() => {
        throw new Unauthorized()
      }),
    })
    await client.comes('close 3000 missing_credential')
    expect(door.journal).toEqual([])
  })

  test.each([
    ['by close code', pageSocket, 'invalid_credential'],
    ['by HTTP status', bases[1]?.[1] ?? pageSocket, 'invalid_credential'],
  ] as const)('that was refused %s is never sent again', async (_name, WebSocket, reason) => {
    const door = await openDoor()
    let asked = 0
    const client = connect(door, {
      carrier: query(() => {
        asked++
        return 'cst_wrong'
      }),
      WebSocket,
      pauses: { minMs: 1 },
    })
    await client.comes('close 3000')
    expect(door.refusals()).toEqual([reason])
    expect(asked).toBe(2)
  })

  test('that was refused is replaced by another once, and then no more', async () => {
    const door = await openDoor()
    let asked = 0
    const client = connect(door, {
      carrier: firstMessage(() => `cst_wrong${asked++}`),
      WebSocket: pageSocket,
      pauses: { minMs: 1 },
    })
    await client.comes('close 3000 invalid_credential')
    expect(door.refusals()).toHaveLength(2)
    expect(asked).toBe(2)
  })

  test('is in no event, no error and no rendering of a socket that it failed', async () => {
    const door = await openDoor()
    const client = connect(door, {
      carrier: query(() => 'cst_visible'),
      WebSocket: pageSocket,
      pauses: { minMs: 1 },
    })
    const events: unknown[] = []
    for (const type of ['error', 'close', 'reconnecting'])
      client.socket.addEventListener(type, (event) => events.push(event))
    await client.comes('close')
    const options = { depth: 9, showHidden: true }
    expect(events.length).toBeGreaterThan(1)
    expect(
      inspect(events, options) + inspect(client.socket, options) + inspect(client.errors, options),
    ).not.toContain('cst_visible')
  })

  test('that no subprotocol can carry ends the client, and is not in the error', async () => {
    const door = await openDoor()
    const client = connect(door, { carrier: subprotocol(() => 'not a/token=') })
    await client.comes('close 1006')
    expect(inspect(client.errors, { depth: 9 })).not.toContain('not a/token=')
  })
})

describe('a page that is refused by a close code', () => {
  test('hears of no opening, and its messages wait', async () => {
    const door = await openDoor()
    const client = connect(door, {
      carrier: query(() => 'cst_wrong'),
      WebSocket: pageSocket,
      pauses: { minMs: 1 },
    })
    client.socket.send('kept')
    await client.comes('close 3000 invalid_credential')
    expect(client.heard).not.toContain('open')
    expect(client.errors.map(({ message }) => message)).toEqual(['messages were not sent'])
  })
})

describe('an ended lease', () => {
  test('that was revoked stops the client', async () => {
    const door = await openDoor()
    const tickets = ticketsOf(door)
    const client = connect(door, { carrier: firstMessage(tickets), pauses: { minMs: 1 } })
    await client.comes('open')
    await door.guard.revoke({ subject: 'alice' })
    await client.comes('close 3003 revoked')
    expect(tickets.count).toBe(1)
  })

  test('that ran out is followed by another credential', async () => {
    const door = await openDoor({ limits: { graceMs: 0 } })
    const tickets = ticketsOf(door, 300)
    const client = connect(door, {
      carrier: query(async () => (await tickets()).credential),
      pauses: { minMs: 1 },
    })
    await until(() => client.heard.length >= 3)
    expect(client.heard.slice(0, 3)).toEqual(['open', 'reconnecting 3000 lease_expired', 'open'])
  })
})
