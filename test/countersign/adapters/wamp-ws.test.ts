import { describe, expect, it } from 'vitest'
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { frame, rawRequest, until, upgradeLines, type RawSocket } from '../support/sockets.ts'
import { Client, roles } from './wamp-client.ts'
import { openSite, type Site, type SiteOptions } from './wamp-site.ts'

interface Answer {
  readonly status: number
  readonly protocol: string
  readonly socket: WebSocket
  readonly headers: IncomingMessage['headers']
}

/** Opens a WebSocket: what became of the upgrade. */
function upgrade(
  site: Site,
  protocols: readonly string[],
  options: ConstructorParameters<typeof WebSocket>[2] = {},
): Promise<Answer> {
  const socket = new WebSocket(site.url, [...protocols], { family: 4, ...options })
  return new Promise((resolve) => {
    let headers: IncomingMessage['headers'] = {}
    socket.on('error', () => undefined)
    socket.on('upgrade', (response) => (headers = response.headers))
    socket.on('open', () => resolve({ status: 101, protocol: socket.protocol, socket, headers }))
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, protocol: '', socket, headers: response.headers })
    })
  })
}

/** A masked frame on a raw socket that is never read from: header lines first. */
function rawWamp(site: Site, protocol: string): RawSocket {
  return rawRequest(site.port, upgradeLines('/ws', [`Sec-WebSocket-Protocol: ${protocol}`]))
}

const hello = JSON.stringify([1, 'realm1', { roles }])

describe('negotiation of the subprotocol', () => {
  it.each([
    [['wamp.2.json'], 'wamp.2.json'],
    [['wamp.2.msgpack', 'wamp.2.json'], 'wamp.2.msgpack'],
    [['wamp.2.ubjson.batched', 'wamp.2.ubjson', 'wamp.2.cbor.batched', 'wamp.2.json'], 'wamp.2.cbor.batched'],
    [['mqtt', 'wamp.2.json.batched'], 'wamp.2.json.batched'],
    [['wamp.2.flatbuffers', 'wamp.2.msgpack.batched'], 'wamp.2.msgpack.batched'],
  ])(
    'of %j selects %s: the first that the client likes among those that are known',
    async (offered, chosen) => {
      const site = await openSite()
      expect(await upgrade(site, offered)).toMatchObject({ status: 101, protocol: chosen })
    },
  )

  it.each([[['wamp.2.ubjson']], [['mqtt', 'wamp.1']], [['WAMP.2.JSON']], [[]]])(
    'of %j refuses with 400: nothing in common',
    async (offered) => {
      const site = await openSite()
      expect(await upgrade(site, offered)).toMatchObject({ status: 400 })
      expect(site.router.connections).toBe(0)
      expect(site.guard.pool.size).toBe(0)
    },
  )

  it('knows the serializers of its configuration alone, and batched forms unless they are switched off', async () => {
    const site = await openSite({ ws: { serializations: ['cbor'], batched: false } })
    expect(await upgrade(site, ['wamp.2.json'])).toMatchObject({ status: 400 })
    expect(await upgrade(site, ['wamp.2.cbor.batched'])).toMatchObject({ status: 400 })
    expect(await upgrade(site, ['wamp.2.cbor.batched', 'wamp.2.cbor'])).toMatchObject({
      protocol: 'wamp.2.cbor',
    })
  })

  it('takes a client without any for JSON where that is allowed, and announces nothing', async () => {
    const site = await openSite({ ws: { requireSubprotocol: false } })
    const { protocol, socket } = await upgrade(site, [])
    expect(protocol).toBe('')
    socket.send(hello)
    const [message] = await new Promise<readonly unknown[]>((resolve) =>
      socket.on('message', (...got) => resolve(got)),
    )
    expect(JSON.parse(String(message))[0]).toBe(2)
    expect(await upgrade(site, ['mqtt'])).toMatchObject({ status: 400 })
  })
})

describe('before a socket opens', () => {
  it('refuses a foreign origin, a foreign host and a malformed upgrade by HTTP', async () => {
    const site = await openSite({
      guard: { origins: ['https://app.example.com'], hosts: ['chat.example.com'] },
    })
    const offer = ['wamp.2.json']
    const headers = { host: 'chat.example.com' }
    const status = async (options: ConstructorParameters<typeof WebSocket>[2]): Promise<number> =>
      (await upgrade(site, offer, { headers, ...options })).status
    expect(await status({ origin: 'https://evil.example' })).toBe(403)
    expect(await status({ origin: 'https://app.example.com' })).toBe(101)
    expect(await status({})).toBe(101)
    expect(await status({ headers: { host: 'other.example' } })).toBe(421)
    const raw = rawRequest(site.port, upgradeLines('/ws', [], ['Sec-WebSocket-Key']))
    await raw.heard('HTTP/1.1 400')
  })

  it('keeps no more silent sockets of one source than the pool has places: the oldest goes', async () => {
    const site = await openSite({ guard: { limits: { pool: { perSource: 3 } } } })
    const silent: Client[] = []
    for (let each = 0; each < 4; each++) silent.push(await Client.open(site))
    expect(await silent[0]?.closed()).toEqual({ code: 1013, reason: 'overloaded' })
    expect(site.guard.pool.size).toBe(3)
    // Those who have joined take no place.
    await silent[1]?.join()
    await silent[2]?.join()
    await silent[3]?.join()
    expect(site.guard.pool.size).toBe(0)
    await Client.joined(site)
  })

  it('counts the bytes that a client sends before it is welcomed, announced frames or not', async () => {
    const site = await openSite()
    const talker = await Client.open(site)
    talker.send(1, 'realm1', { roles, authextra: { much: 'x'.repeat(5_000) } })
    expect(await talker.closed()).toEqual({ code: 1009, reason: 'message_too_big' })

    const raw = rawWamp(site, 'wamp.2.json')
    await raw.heard('\r\n\r\n')
    const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x03, 0xc0, 0, 0, 1, 2, 3, 4])
    raw.socket.write(head)
    const piece = Buffer.alloc(512)
    const flood = setInterval(() => raw.socket.write(piece), 1)
    await raw.gone()
    clearInterval(flood)
    expect(raw.socket.bytesWritten).toBeLessThan(100_000)
    // A refused socket holds its place until it has closed on this side, too.
    await until(() => site.router.connections === 0 && site.guard.pool.size === 0)
  })

  it('counts a packet of one byte as what it costs to keep it', async () => {
    const site = await openSite()
    const raw = rawWamp(site, 'wamp.2.json')
    await raw.heard('\r\n\r\n')
    raw.socket.setNoDelay(true)
    raw.socket.write(Buffer.from([0x81, 0xfe, 0x0f, 0xa0, 0, 0, 0, 0]))
    const drip = setInterval(() => raw.socket.write(' '), 1)
    await raw.heard('message_too_big')
    clearInterval(drip)
    expect(raw.socket.bytesWritten).toBeLessThan(2_000)
  })

  it('counts them again once the session is over and the socket waits for another', async () => {
    const site = await openSite({ ws: { maxMessageBytes: 1_048_576 } })
    const client = await Client.joined(site)
    await client.ask(16, { acknowledge: true }, 'com.large', ['x'.repeat(100_000)])
    client.send(6, {}, 'wamp.close.normal')
    await client.heard(6)
    expect(site.guard.pool.size).toBe(1)
    await client.join()
    await client.ask(16, { acknowledge: true }, 'com.large', ['x'.repeat(100_000)])
    client.send(6, {}, 'wamp.close.normal')
    await client.heard(6, 2)
    client.send(1, 'realm1', { roles, authextra: { much: 'x'.repeat(5_000) } })
    expect(await client.closed()).toEqual({ code: 1009, reason: 'message_too_big' })
  })

  it('counts refused sockets as long as they linger, and reads no more of them than of others', async () => {
    const site = await openSite({ guard: { limits: { lingerMs: 2_000, pool: { total: 3 } } } })
    const raws = [rawWamp(site, 'wamp.2.json'), rawWamp(site, 'wamp.2.json'), rawWamp(site, 'wamp.2.json')]
    for (const raw of raws) {
      await raw.heard('\r\n\r\n')
      raw.socket.write(frame('[99]'))
      await raw.heard('protocol_violation')
    }
    expect(site.router.connections).toBe(0)
    expect(site.guard.pool.size).toBe(3)
    expect(await upgrade(site, ['wamp.2.json'])).toMatchObject({ status: 503 })
    // A frame that is announced as 900,000 bytes: the kernel's buffers fill, and then nothing is taken.
    const [raw] = raws
    raw?.socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x0d, 0xbb, 0xa0, 1, 2, 3, 4]))
    raw?.socket.write(Buffer.alloc(30_000_000))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(raw?.socket.writableLength).toBeGreaterThan(10_000_000)
    await until(() => site.guard.pool.size === 0)
    await Client.joined(site)
  })

  it('waits for HELLO and for AUTHENTICATE as long as configured', async () => {
    const site = await openSite({ router: { helloTimeoutMs: 50, authenticateTimeoutMs: 50 } })
    const silent = await Client.open(site)
    expect(await silent.closed()).toEqual({ code: 3008, reason: 'authentication_timeout' })
    expect(silent.got).toEqual([[3, { message: expect.any(String) }, 'wamp.error.authentication_failed']])
    const forgetful = await Client.open(site)
    forgetful.hello({ authmethods: ['wampcra'], authid: 'joe' })
    expect(await forgetful.closed()).toEqual({ code: 3008, reason: 'authentication_timeout' })
    expect(forgetful.got.map(([code]) => code)).toEqual([4, 3])
    expect(site.guard.pool.size).toBe(0)
  })
})

describe('pings', () => {
  it('go to every socket, and cut off whoever was not heard of for two rounds', async () => {
    const site = await openSite({ ws: { pingIntervalMs: 40 } })
    const alive = await Client.joined(site)
    let pings = 0
    alive.web?.on('ping', () => pings++)
    const dead = await Client.joined(site, { autoPong: false })
    await dead.closed()
    await until(() => pings >= 4)
    expect(alive.closedBy).toBeUndefined()
    expect(site.router.connections).toBe(1)
  })

  it('cut off sooner whoever does not answer within their own time', async () => {
    const site = await openSite({ ws: { pingIntervalMs: 400, pingTimeoutMs: 20 } })
    const alive = await Client.joined(site)
    const dead = await Client.joined(site, { autoPong: false })
    let pings = 0
    alive.web?.on('ping', () => pings++)
    await dead.closed()
    expect(pings).toBe(1)
    expect(alive.closedBy).toBeUndefined()
  })
})

/** A subscriber that stops reading: bounded, then closed; everyone else hears everything. */
async function flooded(options: SiteOptions, format: 'json' | 'msgpack' | 'cbor'): Promise<void> {
  const site = await openSite(options)
  const lazy = await Client.joined(site, { format })
  const keen = await Client.joined(site, { format })
  const speaker = await Client.joined(site, { format })
  await lazy.ask(32, {}, 'com.flood')
  await keen.ask(32, {}, 'com.flood')
  lazy.web?.pause()
  const text = 'x'.repeat(10_000)
  const before = process.memoryUsage().arrayBuffers
  let sent = 0
  while (site.router.connections === 3) {
    await speaker.ask(16, { acknowledge: true }, 'com.flood', [sent++, text])
    if (sent > 5_000) throw new Error('the queue has no bound')
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150_000_000)
  await until(() => keen.got.filter(([code]) => code === 36).length === sent)
  expect(
    keen.got.flatMap(([code, , , , args]) => (code === 36 && Array.isArray(args) ? [args[0]] : [])),
  ).toEqual(Array.from({ length: sent }, (_none, at) => at))
  // It reads again, in time to learn why.
  lazy.web?.resume()
  expect(await lazy.closed()).toEqual({ code: 1008, reason: 'slow_consumer' })
  // What had not left when it was closed never leaves.
  expect(lazy.got.filter(([code]) => code === 36).length).toBeLessThan(sent)
  await speaker.ask(16, { acknowledge: true, exclude_me: false }, 'com.flood', ['after'])
}

describe('a subscriber that stops reading', () => {
  it.each(['json', 'msgpack', 'cbor'] as const)(
    'is closed with 1008 slow_consumer, and slows nobody down (%s)',
    async (format) => {
      await flooded({ ws: { maxQueuedBytes: 262_144 }, guard: { limits: { lingerMs: 5_000 } } }, format)
    },
  )

  it('is gone soon even when it never reads again', async () => {
    const site = await openSite({ ws: { maxQueuedBytes: 65_536 } })
    const lazy = await Client.joined(site)
    const speaker = await Client.joined(site)
    await lazy.ask(32, {}, 'com.flood')
    lazy.web?.pause()
    const text = 'x'.repeat(100_000)
    while (site.router.connections === 2) await speaker.ask(16, { acknowledge: true }, 'com.flood', [text])
    const connections = (): Promise<number> =>
      new Promise((resolve) => site.server.getConnections((_error, count) => resolve(count)))
    const end = Date.now() + 3_000
    while ((await connections()) > 1 && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await connections()).toBe(1)
  })
})

describe('the end of a lease', () => {
  it('is the last that a client hears: nothing follows GOODBYE', async () => {
    const site = await openSite()
    const victim = await Client.open(site)
    await victim.join('joe', 'secret2')
    await victim.ask(32, {}, 'com.news')
    const speaker = await Client.joined(site)
    for (let each = 0; each < 200; each++) speaker.send(16, each + 1, {}, 'com.news', [each])
    await victim.heard(36, 10)
    await site.guard.revoke({ subject: 'joe' })
    for (let each = 0; each < 50; each++) speaker.send(16, each + 201, {}, 'com.news', ['late'])
    expect(await victim.closed()).toEqual({ code: 3003, reason: 'revoked' })
    expect(victim.got.at(-1)).toEqual([6, expect.anything(), 'wamp.close.killed'])
    expect(victim.got.some(([, , , , args]) => Array.isArray(args) && args[0] === 'late')).toBe(false)
  })

  it('drops what was queued for a client that does not read', async () => {
    const site = await openSite({ ws: { maxQueuedBytes: 4_000_000 }, guard: { limits: { lingerMs: 300 } } })
    const victim = await Client.open(site)
    await victim.join('joe', 'secret2')
    await victim.ask(32, {}, 'com.news')
    const speaker = await Client.joined(site)
    victim.web?.pause()
    const text = 'x'.repeat(50_000)
    // Enough for what the kernel takes, and for a queue behind it.
    for (let each = 0; each < 140; each++)
      await speaker.ask(16, { acknowledge: true }, 'com.news', [each, text])
    expect(site.router.connections).toBe(2)
    await site.guard.revoke({ subject: 'joe' })
    await until(() => site.router.connections === 1)
    victim.web?.resume()
    await victim.closed()
    const heard = victim.got.filter(([code]) => code === 36).length
    expect(heard).toBeLessThan(140)
  })
})

describe('closing', () => {
  it('says goodbye to sessions, ends the rest, and lets nobody in any more', async () => {
    const site = await openSite()
    const session = await Client.joined(site)
    const silent = await Client.open(site)
    site.router.close()
    expect((await session.heard(6))[2]).toBe('wamp.close.system_shutdown')
    session.send(6, {}, 'wamp.close.goodbye_and_out')
    expect((await session.closed()).code).toBe(1001)
    expect(await silent.closed()).toEqual({ code: 1001, reason: 'shutting_down' })
    const late = await upgrade(site, ['wamp.2.json'])
    if (late.status === 101) await new Promise((resolve) => late.socket.on('close', resolve))
    expect(site.router.connections).toBe(0)
  })

  it('does not carry what comes behind a frame that ends the session in the same chunk', async () => {
    const site = await openSite()
    const witness = await Client.joined(site)
    await witness.ask(32, {}, 'com.news')
    const raw = rawWamp(site, 'wamp.2.json')
    await raw.heard('\r\n\r\n')
    raw.socket.write(frame(hello))
    await raw.heard('authid')
    raw.socket.write(Buffer.concat([frame('[99]'), frame('[16,1,{},"com.news",["late"]]')]))
    await raw.heard('protocol_violation')
    await witness.ask(32, {}, 'com.other')
    expect(witness.got.some(([code]) => code === 36)).toBe(false)
  })
})
