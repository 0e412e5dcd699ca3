import * as fc from 'fast-check'
import { Decoder, Encoder, PacketType, type Packet } from 'socket.io-parser'
import { describe, expect, it } from 'vitest'
import { takeAuth } from '../../../packages/countersign/src/adapters/socket-io-auth.ts'
import {
  namespaceOf,
  packetText,
  weigh,
} from '../../../packages/countersign/src/adapters/socket-io-packets.ts'
import { numRuns } from '../support/guard.ts'

/** What Socket.IO's own decoder makes of a packet; `undefined`: nothing. */
function decoded(text: string): Packet | undefined {
  const decoder = new Decoder()
  let packet: Packet | undefined
  decoder.on('decoded', (one: Packet) => void (packet = one))
  try {
    decoder.add(text)
  } catch {
    return undefined
  }
  return packet
}

const namespace = fc
  .string({ unit: fc.constantFrom('a', '/', '-', '?', '#', '1', 'ä', ' ', '[', '"'), maxLength: 12 })
  .map((name) => `/${name}`)

describe('the namespace of a packet', () => {
  it('is the one that Socket.IO reads, whatever was sent', () => {
    const hostile = fc
      .array(fc.constantFrom('0', '2', '4', '/', 'a', ',', '{', '}', '"', '[', ']', '-', '7', ' '), {
        maxLength: 14,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string()), (text) => {
        const packet = decoded(text)
        fc.pre(packet !== undefined)
        expect(namespaceOf(text)).toBe(packet?.nsp)
      }),
      { numRuns },
    )
  })

  it('is the one that Socket.IO has written, attachments and all', () => {
    const data = fc.array(fc.oneof(fc.jsonValue(), fc.uint8Array().map(Buffer.from)), { maxLength: 4 })
    fc.assert(
      fc.property(namespace, data, fc.option(fc.nat(), { nil: undefined }), (nsp, args, id) => {
        const packet = {
          type: PacketType.EVENT,
          nsp,
          data: ['name', ...args],
          ...(id === undefined ? {} : { id }),
        }
        const [text] = new Encoder().encode(packet)
        expect(namespaceOf(String(text))).toBe(nsp)
      }),
      { numRuns: numRuns / 10 },
    )
  })

  it('is found in any text, without a throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(namespaceOf(text)).toMatch(/^\//)
      }),
      { numRuns },
    )
  })
})

describe('a packet of ours', () => {
  it('is read by Socket.IO as it was meant', () => {
    fc.assert(
      fc.property(namespace, fc.jsonValue(), fc.nat(), (nsp, value, id) => {
        const written: unknown = JSON.parse(JSON.stringify(value))
        expect(decoded(packetText('event', { namespace: nsp, data: ['name', value] }))).toMatchObject({
          type: PacketType.EVENT,
          nsp,
          data: ['name', written],
        })
        expect(decoded(packetText('ack', { namespace: nsp, id, data: [value] }))).toMatchObject({
          type: PacketType.ACK,
          nsp,
          id,
          data: [written],
        })
      }),
      { numRuns: numRuns / 10 },
    )
  })
})

describe('the weight of arguments', () => {
  const limits = { maxBytes: 1_000, maxDepth: 4, maxQueued: 1, maxQueuedBytes: 1_000, deadlineMs: 1 }

  it('is at least that of its texts, however they are nested, and never throws', () => {
    const texts = fc.array(fc.string())
    fc.assert(
      fc.property(texts, fc.jsonValue(), (some, value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'))
        const wide = { ...limits, maxBytes: 1e9, maxDepth: 100 }
        const weight = weigh(['name', { nested: [some, value] }], wide)
        const least = some.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0)
        expect(weight).toEqual({ kind: 'weighed', bytes: expect.any(Number), binary: false })
        expect(Object(weight).bytes).toBeGreaterThanOrEqual(least)
      }),
      { numRuns: numRuns / 10 },
    )
  })

  it('counts texts of every length and script in bytes of UTF-8', () => {
    for (const text of [
      '',
      'a',
      'é',
      'ab\u{1f600}',
      '\ud800',
      'x'.repeat(32),
      'é'.repeat(33),
      'x'.repeat(33),
    ]) {
      const brackets = 2
      const quotes = 2
      expect(weigh([text], limits)).toMatchObject({ bytes: Buffer.byteLength(text) + quotes + brackets })
    }
  })

  it('stops at its bounds', () => {
    expect(weigh(['x'.repeat(2_000)], limits)).toEqual({ kind: 'refused', reason: 'message_too_big' })
    expect(weigh([[[[['deep']]]]], limits)).toEqual({ kind: 'refused', reason: 'protocol_violation' })
    expect(weigh([Buffer.alloc(10)], limits)).toMatchObject({ kind: 'weighed', binary: true })
  })
})

/** What a payload says as a first message, member by member. */
function messageOf(auth: Readonly<Record<string, unknown>>): string | undefined {
  const shown = ['token', 'access_token', 'ticket'].flatMap((name) => {
    const value = Object.hasOwn(auth, name) ? auth[name] : undefined
    return value === undefined || value === null || value === '' ? [] : [[name, value]]
  })
  return shown.length === 0 ? undefined : JSON.stringify({ type: 'auth', ...Object.fromEntries(shown) })
}

describe('an auth payload', () => {
  it('is written as a first message to the letter, whatever it holds', () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', '"', '\\', '\ud800', '\u2028', '\u0000'), maxLength: 6 }),
      fc.jsonValue(),
    )
    const name = fc.constantFrom('token', 'ticket', 'access_token', 'pid', 'expiring', '__proto__', 'type')
    fc.assert(
      fc.property(fc.dictionary(name, value), (auth) => {
        const expected = messageOf(auth)
        const pid = Object.hasOwn(auth, 'pid') && typeof auth['pid'] === 'string' ? auth['pid'] : undefined
        expect(takeAuth(auth)).toEqual({ message: expected, pid, expiring: auth['expiring'] === true })
      }),
      { numRuns: numRuns / 10 },
    )
  })

  it('keeps no credential, whatever it was', () => {
    const payload = fc.dictionary(
      fc.constantFrom('token', 'ticket', 'access_token', 'pid', 'offset', 'room', '__proto__', 'type'),
      fc.oneof(fc.string(), fc.jsonValue()),
    )
    fc.assert(
      fc.property(payload, (auth) => {
        takeAuth(auth)
        for (const name of ['token', 'ticket', 'access_token', 'pid', 'offset'])
          expect(Object.hasOwn(auth, name)).toBe(false)
      }),
      { numRuns: numRuns / 10 },
    )
  })

  it.each([undefined, null, 'ticket', 17, ['ticket'], () => {}])('that is %s shows nothing', (auth) => {
    expect(takeAuth(auth)).toEqual({ message: undefined, pid: undefined, expiring: false })
  })
})
