import { connect, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../support/sockets.ts'
import { Client, formats, rawFrame, roles } from './wamp-client.ts'
import { openSite, type Site } from './wamp-site.ts'

/** A TCP client that speaks for itself. */
interface Bare {
  readonly socket: Socket
  heard(): Buffer
  ended(): Promise<void>
}

function bare(site: Site, bytes: readonly number[]): Bare {
  const socket = connect({ port: Number(site.raw), host: '127.0.0.1' })
  let heard = Buffer.alloc(0)
  let isOver = false
  socket.on('data', (chunk: Buffer) => (heard = Buffer.concat([heard, chunk])))
  socket.on('error', () => undefined)
  socket.on('close', () => (isOver = true))
  socket.write(Buffer.from(bytes))
  onTestFinished(() => void socket.destroy())
  return { socket, heard: () => heard, ended: () => until(() => isOver) }
}

const hello = Buffer.from(JSON.stringify([1, 'realm1', { roles }]))
const shake = [0x7f, 0xf1, 0, 0]

describe('the handshake of RawSocket', () => {
  it.each([
    ['an unknown serializer', [0x7f, 0xf4, 0, 0], 1],
    ['the serializer 0', [0x7f, 0xf0, 0, 0], 1],
    ['reserved bits', [0x7f, 0xf1, 0, 1], 3],
  ])('of %j is refused with the error for it', async (_what, bytes, error) => {
    const site = await openSite()
    const client = bare(site, bytes)
    await client.ended()
    expect([...client.heard()]).toEqual([0x7f, error << 4, 0, 0])
    expect(site.router.connections).toBe(0)
  })

  it('is refused with error 1 for a serializer that is not configured', async () => {
    const site = await openSite({ raw: { serializations: ['cbor'] } })
    const client = bare(site, shake)
    await client.ended()
    expect([...client.heard()]).toEqual([0x7f, 0x10, 0, 0])
    await Client.joined(site, { over: 'rawsocket', format: 'cbor' })
  })

  it('is refused with error 4 where there is no room, and nothing is kept of it', async () => {
    const site = await openSite({ guard: { limits: { pool: { total: 2 } } } })
    // Two that have not said a byte take the places there are.
    const silent = [bare(site, []), bare(site, [])]
    await until(() => site.guard.pool.size === 2)
    const client = bare(site, shake)
    await client.ended()
    expect([...client.heard()]).toEqual([0x7f, 0x40, 0, 0])
    for (const { socket } of silent) socket.destroy()
    await until(() => site.guard.pool.size === 0)
    await Client.joined(site, { over: 'rawsocket' })
  })

  it('of another protocol is not answered at all', async () => {
    const site = await openSite()
    const client = bare(site, [...Buffer.from('GET / HTTP/1.1\r\n\r\n')])
    await client.ended()
    expect(client.heard()).toHaveLength(0)
  })

  it('is waited for no longer than the deadline', async () => {
    const site = await openSite({ guard: { limits: { deadlineMs: 60 } } })
    const client = bare(site, [0x7f, 0xf1, 0])
    await client.ended()
    expect(client.heard()).toHaveLength(0)
    expect(site.guard.pool.size).toBe(0)
  })

  it.each([
    [512, 0x00],
    [1_000, 0x00],
    [4_096, 0x30],
    [1_048_576, 0xb0],
    [16_777_216, 0xf0],
    [1e9, 0xf0],
  ])('tells that messages up to %j bytes are received', async (maxMessageBytes, nibble) => {
    const site = await openSite({ raw: { maxMessageBytes } })
    const client = bare(site, shake)
    await until(() => client.heard().length === 4)
    expect([...client.heard()]).toEqual([0x7f, nibble | 1, 0, 0])
  })
})

describe('the stream of RawSocket', () => {
  it.each(formats)('may come byte by byte (%s)', async (format) => {
    const site = await openSite()
    const client = new Client(site, { over: 'rawsocket', format })
    client.raw?.setNoDelay(true)
    await until(() => client.open)
    for (const message of [
      [1, 'realm1', { roles }],
      [32, 1, {}, 'com.slow'],
      [16, 2, { exclude_me: false }, 'com.slow', ['é']],
    ]) {
      for (const byte of client.pack(message)) {
        client.sendBytes(Buffer.from([byte]))
        await new Promise(setImmediate)
      }
    }
    expect((await client.heard(36))[4]).toEqual(['é'])
  })

  it('may come in one piece, handshake, messages and ping together', async () => {
    const site = await openSite()
    const client = bare(site, [])
    client.socket.write(
      Buffer.concat([
        Buffer.from(shake),
        rawFrame(0, hello),
        rawFrame(1, Buffer.from('are you there')),
        rawFrame(0, Buffer.from('[32,1,{},"com.a"]')),
      ]),
    )
    await until(() => client.heard().includes('[33,1,'))
    expect(client.heard().includes(rawFrame(2, Buffer.from('are you there')))).toBe(true)
  })

  it('answers pings with what they carry, before and after HELLO, and ignores pongs', async () => {
    const site = await openSite()
    const client = await Client.open(site, { over: 'rawsocket' })
    client.sendBytes(rawFrame(1, Buffer.from('one')))
    await until(() => client.pongs.length === 1)
    await client.join()
    client.sendBytes(rawFrame(2, Buffer.from('a pong')))
    client.sendBytes(rawFrame(1, Buffer.alloc(0)))
    await until(() => client.pongs.length === 2)
    expect(client.pongs).toEqual(['one', ''])
  })

  it('answers no more than ten pings of a second', async () => {
    const site = await openSite()
    const client = await Client.joined(site, { over: 'rawsocket' })
    for (let each = 0; each < 1_000; each++) client.sendBytes(rawFrame(1, Buffer.from(String(each))))
    await client.ask(32, {}, 'com.a')
    // Two seconds may have begun meanwhile, three at most where the machine is busy.
    expect(client.pongs.slice(0, 10)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(client.pongs.length).toBeLessThanOrEqual(30)
  })

  it.each([
    ['a reserved type', Buffer.from([3, 0, 0, 0])],
    ['reserved bits', Buffer.from([0x10, 0, 0, 0])],
    ['a length beyond the one that was announced', Buffer.from([0, 0x10, 0, 1])],
    ['the largest length that can be written', Buffer.from([8, 0, 0, 0])],
    ['text that is no UTF-8', rawFrame(0, Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]))],
  ])('is ended by %s', async (_what, bytes) => {
    const site = await openSite()
    const client = await Client.joined(site, { over: 'rawsocket' })
    client.sendBytes(bytes)
    await client.closed()
    expect(client.got.at(-1)).toEqual([3, { message: expect.any(String) }, 'wamp.error.protocol_violation'])
    expect(site.router.connections).toBe(0)
  })

  it('carries a bounded number of bytes before a session', async () => {
    const site = await openSite()
    const client = await Client.open(site, { over: 'rawsocket' })
    client.sendBytes(Buffer.from([0, 0x0f, 0xff, 0xff]))
    for (let each = 0; each < 6; each++) client.sendBytes(Buffer.alloc(1_000))
    await client.closed()
    expect(client.got).toEqual([])
    expect(site.router.connections).toBe(0)
  })

  it('ends before a session where not even WELCOME fits into what its peer takes', async () => {
    const site = await openSite()
    const small = bare(site, [0x7f, 0x01, 0, 0])
    small.socket.write(rawFrame(0, hello))
    await small.ended()
    expect(small.heard().subarray(4).length).toBeLessThan(516)
  })

  it('is bounded for a subscriber that stops reading, and nobody else slows down', async () => {
    const site = await openSite({ raw: { maxQueuedBytes: 262_144 } })
    const lazy = await Client.joined(site, { over: 'rawsocket', format: 'cbor' })
    const keen = await Client.joined(site, { over: 'rawsocket', format: 'cbor' })
    const speaker = await Client.joined(site, { over: 'rawsocket', format: 'cbor' })
    await lazy.ask(32, {}, 'com.flood')
    await keen.ask(32, {}, 'com.flood')
    lazy.raw?.pause()
    let sent = 0
    while (site.router.connections === 3 && sent < 5_000) {
      await speaker.ask(16, { acknowledge: true }, 'com.flood', [sent++, 'x'.repeat(10_000)])
    }
    expect(sent).toBeLessThan(5_000)
    await until(() => keen.got.filter(([code]) => code === 36).length === sent)
  })

  it('is not answered with pongs without a bound', async () => {
    const site = await openSite()
    const client = await Client.joined(site, { over: 'rawsocket' })
    client.raw?.pause()
    const ping = rawFrame(1, Buffer.alloc(65_536))
    for (let each = 0; each < 600; each++) {
      client.sendBytes(ping)
      if (each % 20 === 0) await new Promise(setImmediate)
    }
    await until(() => client.raw?.writableLength === 0)
    await (await Client.joined(site)).ask(32, {}, 'com.a')
    client.raw?.resume()
    // The kernel holds some; what it has no room for was never written.
    await client.ask(32, {}, 'com.a')
    expect(client.pongs.length).toBeLessThan(300)
  })
})

describe('a message that is larger than its peer takes', () => {
  const large = 'y'.repeat(5_000)
  const exceeded = 'wamp.error.payload_size_exceeded'

  /** One client that takes 4 KiB at most, and one that takes anything. */
  async function opened(format: (typeof formats)[number] = 'json'): Promise<readonly [Client, Client, Site]> {
    const site = await openSite()
    const modest = await Client.joined(site, { over: 'rawsocket', rawTakes: 0x30, format })
    return [modest, await Client.joined(site, { over: 'rawsocket' }), site]
  }

  /** Both sessions go on: each can still call the other. */
  async function expectBothThere(modest: Client, other: Client): Promise<void> {
    expect(await modest.ask(48, {}, 'com.nobody')).toContain('wamp.error.no_such_procedure')
    expect(await other.ask(48, {}, 'com.nobody')).toContain('wamp.error.no_such_procedure')
    expect(Math.max(...modest.got.map((message) => JSON.stringify(message).length))).toBeLessThan(4_096)
  }

  it.each(formats)('is not delivered as an event, to this subscriber alone (%s)', async (format) => {
    const [modest, speaker, site] = await opened(format)
    const keen = await Client.joined(site, { over: 'rawsocket' })
    for (const one of [modest, keen]) await one.ask(32, {}, 'com.a')
    await speaker.ask(16, { acknowledge: true }, 'com.a', [large])
    await speaker.ask(16, { acknowledge: true }, 'com.a', ['short'])
    expect((await keen.heard(36, 2))[4]).toEqual(['short'])
    expect((await modest.heard(36))[4]).toEqual(['short'])
    await expectBothThere(modest, speaker)
  })

  it('is refused to its caller as an invocation, and the callee hears nothing of it', async () => {
    const [modest, caller] = await opened()
    await modest.ask(64, {}, 'com.a')
    expect((await caller.ask(48, {}, 'com.a', [large])).slice(0, 5)).toEqual([8, 48, 1, {}, exceeded])
    const answer = caller.ask(48, {}, 'com.a', ['short'])
    expect((await modest.heard(68)).slice(0, 2)).toEqual([68, 2])
    modest.send(70, 2, {}, ['done'])
    expect((await answer)[3]).toEqual(['done'])
    expect(modest.got.filter(([code]) => code === 69)).toEqual([])
    await expectBothThere(modest, caller)
  })

  it('in the middle of the arguments ends the call on both sides', async () => {
    const site = await openSite()
    const features = { call_canceling: true, progressive_call_invocations: true }
    const inParts = { roles: { caller: { features }, callee: { features } } }
    const caller = await Client.open(site)
    const modest = await Client.open(site, { over: 'rawsocket', rawTakes: 0x30 })
    for (const one of [caller, modest]) one.hello(inParts)
    await Promise.all([caller.heard(2), modest.heard(2)])
    await modest.ask(64, {}, 'com.a')
    caller.send(48, 100, { progress: true }, 'com.a', ['one'])
    await modest.heard(68)
    caller.send(48, 100, { progress: true }, 'com.a', [large])
    expect((await caller.heard(8)).slice(0, 5)).toEqual([8, 48, 100, {}, exceeded])
    expect(await modest.heard(69)).toEqual([69, 1, { mode: 'killnowait' }])
    // The rest belongs to a call that is over.
    caller.send(48, 100, {}, 'com.a', ['three'])
    modest.send(70, 1, {}, ['late'])
    await expectBothThere(modest, caller)
    expect(caller.got.filter(([code]) => code === 8 || code === 50)).toHaveLength(2)
    expect(modest.got.filter(([code]) => code === 68)).toHaveLength(1)
  })

  it.each([
    ['a result', (callee: Client) => callee.send(70, 1, {}, [large])],
    ['an error', (callee: Client) => callee.send(8, 68, 1, {}, 'com.example.error', [large])],
  ])('becomes an error of the call where it is %s', async (_what, answer) => {
    const [modest, callee] = await opened()
    await callee.ask(64, {}, 'com.a')
    const told = modest.ask(48, {}, 'com.a')
    await callee.heard(68)
    answer(callee)
    expect((await told).slice(0, 5)).toEqual([8, 48, 1, {}, exceeded])
    await expectBothThere(modest, callee)
  })

  it('ends the call where it is a progressive result', async () => {
    const [modest, callee] = await opened()
    await callee.ask(64, {}, 'com.a')
    modest.send(48, 100, { receive_progress: true }, 'com.a')
    await callee.heard(68)
    callee.send(70, 1, { progress: true }, [large])
    expect((await modest.heard(8)).slice(0, 5)).toEqual([8, 48, 100, {}, exceeded])
    expect(await callee.heard(69)).toEqual([69, 1, { mode: 'killnowait' }])
    callee.send(70, 1, {}, ['late'])
    await expectBothThere(modest, callee)
    expect(modest.got.filter(([code]) => code === 50)).toEqual([])
  })

  it('is an error of the call where the router itself answers', async () => {
    const site = await openSite()
    const modest = await Client.open(site, { over: 'rawsocket', rawTakes: 0x30 })
    await modest.join('root', 'rootrootroot')
    const other = await Client.joined(site)
    for (let each = 0; each < 1_200; each++) other.send(64, each + 100, {}, `com.example.a${each}`)
    await other.answer(1_299)
    expect((await modest.ask(48, {}, 'wamp.registration.list')).slice(0, 5)).toEqual([8, 48, 1, {}, exceeded])
    await expectBothThere(modest, other)
  })
})

describe('a Unix socket', () => {
  it.each(formats)('carries sessions (%s)', async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'wamp-unix-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const site = await openSite({ unix: join(folder, 'router.sock') })
    const client = await Client.open(site, { over: 'rawsocket', format })
    expect(await client.join('joe', 'secret2')).toBeGreaterThan(0)
    // Nobody overhears it: a ticket may travel.
    const other = await Client.open(site, { over: 'rawsocket', format })
    other.hello({ authmethods: ['ticket'], authid: 'joe' })
    await other.heard(4)
    other.send(5, 'joe ticket', {})
    expect((await other.heard(2))[2]).toMatchObject({ authid: 'joe', authmethod: 'ticket' })
  })
})
