/** Traps of the protocol that show only where serializer, broker and authority meet. */
import { encode as encodeCbor } from 'cborg'
import { encode as encodeMsgpack } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { cborCodec } from '../../../packages/countersign/src/wamp/cbor-codec.ts'
import type { Codec } from '../../../packages/countersign/src/wamp/codec.ts'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { noDict, type RouterMessage } from '../../../packages/countersign/src/wamp/messages.ts'
import { msgpackCodec } from '../../../packages/countersign/src/wamp/msgpack-codec.ts'
import type { Match } from '../../../packages/countersign/src/wamp/uri.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { Room, ruleFor } from './router-room.ts'

const json = jsonCodec()
const msgpack = msgpackCodec()
const cbor = cborCodec()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Beyond 32 bits, and beyond 53. */
const large = 9_129_137_332
const largest = 2 ** 53

describe('trap 3: ids above 2^32 leave as integers', () => {
  const messages: readonly RouterMessage[] = [
    { kind: 'welcome', session: large, details: noDict },
    { kind: 'published', request: 1, publication: large },
    { kind: 'published', request: large, publication: largest },
    {
      kind: 'event',
      subscription: 1,
      publication: large,
      details: { publisher: large },
      payload: noPayload,
      shared: [],
    },
    { kind: 'invocation', request: 1, registration: 1, details: { caller: large }, payload: noPayload },
    { kind: 'error', of: 'call', request: large, details: noDict, error: 'com.e', payload: noPayload },
  ]

  test.each(messages)('in $kind', (message) => {
    // Eight-byte floats begin with cb in MessagePack and fb in CBOR, eight-byte integers with cf and 1b.
    expect(hex(msgpack.encode(message, 0))).toContain('cf0000000220')
    expect(hex(cbor.encode(message, 0))).toContain('1b0000000220')
    expect(hex(msgpack.encode(message, 0))).not.toMatch(/cb4[0-9a-f]{15}/)
    expect(hex(cbor.encode(message, 0))).not.toMatch(/fb4[0-9a-f]{15}/)
  })
})

describe('trap 4: ids are taken as whatever number a serializer makes of them', () => {
  const asFloat = (id: number): Uint8Array => {
    const bytes = Buffer.alloc(9)
    bytes[0] = 0xcb
    bytes.writeDoubleBE(id, 1)
    return bytes
  }
  const asInt64 = (id: number): Uint8Array => {
    const bytes = Buffer.alloc(9)
    bytes[0] = 0xd3
    bytes.writeBigInt64BE(BigInt(id), 1)
    return bytes
  }
  const forms = [
    ['float64', asFloat],
    ['int64', asInt64],
  ] as const

  test.each(forms)('in lists of sessions: %s', (_, written) => {
    const room = new Room()
    const [one, other, speaker] = [room.member(), room.member(), room.member()]
    one.subscribe('com.a')
    other.subscribe('com.a')
    const head = Buffer.from(encodeMsgpack([16, 7, { exclude: [] }, 'com.a']))
    // The empty list becomes one with the id.
    const at = head.indexOf(Buffer.from(encodeMsgpack({ exclude: [] })).subarray(1)) + 8
    const frame = Buffer.concat([
      head.subarray(0, at),
      Buffer.from([0x91]),
      written(one.session),
      head.subarray(at + 1),
    ])
    speaker.say(msgpack.decode(frame))
    expect([one.events().length, other.events().length]).toEqual([0, 1])
  })

  test.each(forms)('in UNSUBSCRIBE: %s', (_, written) => {
    const room = new Room()
    const one = room.member()
    const subscribed = one.subscribe('com.a')
    const id = subscribed?.kind === 'subscribed' ? subscribed.subscription : 0
    one.say(msgpack.decode(Buffer.concat([Buffer.from([0x93, 34]), written(9), written(id)])))
    expect(one.sent.at(-1)).toEqual({ kind: 'unsubscribed', request: 9, details: undefined })
  })
})

describe('trap 5: options that are undefined are absent', () => {
  const extension = Buffer.from('d40000', 'hex')
  const options = (names: readonly string[]): Buffer =>
    Buffer.concat([
      Buffer.from([0x80 | names.length]),
      ...names.flatMap((name) => [Buffer.from(encodeMsgpack(name)), extension]),
    ])

  test('in SUBSCRIBE, PUBLISH, REGISTER and CALL of MessagePack', () => {
    const room = new Room()
    const one = room.member()
    const say = (code: number, request: number, names: readonly string[], uri: string): void => {
      const head = Buffer.from([0x94, code, request])
      one.say(msgpack.decode(Buffer.concat([head, options(names), Buffer.from(encodeMsgpack(uri))])))
    }
    say(32, 1, ['match', 'get_retained'], 'com.a')
    say(16, 2, ['acknowledge', 'exclude', 'eligible', 'exclude_me', 'retain', 'disclose_me'], 'com.a')
    say(64, 3, ['match', 'invoke', 'disclose_caller', 'force_reregister'], 'com.p')
    say(48, 4, ['timeout', 'receive_progress', 'disclose_me', 'ppt_scheme'], 'com.p')
    expect(one.kinds()).toEqual(['welcome', 'subscribed', 'registered', 'invocation'])
  })

  test('in CBOR, and null in any', () => {
    const room = new Room()
    const one = room.member()
    one.say(cbor.decode(encodeCbor([32, 1, { match: undefined, get_retained: undefined }, 'com.a'])))
    one.say(json.decode(Buffer.from('[32,2,{"match":null,"get_retained":null},"com.b"]')))
    one.say(msgpack.decode(encodeMsgpack([32, 3, { match: null, get_retained: null }, 'com.c'])))
    expect(one.kinds()).toEqual(['welcome', 'subscribed', 'subscribed', 'subscribed'])
  })
})

describe('trap 11: an empty list of eligible sessions means nobody', () => {
  const listed = (codec: Codec, name: string): Uint8Array => {
    const message = [16, 7, { acknowledge: true, exclude_me: false, [name]: [] }, 'com.a']
    if (codec === json) return Buffer.from(JSON.stringify(message))
    return codec === cbor ? encodeCbor(message) : encodeMsgpack(message)
  }

  test.each(
    [json, msgpack, cbor].flatMap((codec) =>
      ['eligible', 'eligible_authid', 'eligible_authrole'].map(
        (name) => [codec.serialization, name, codec] as const,
      ),
    ),
  )('%s %s', (_, name, codec) => {
    const room = new Room()
    const [one, speaker] = [room.member(), room.member()]
    one.subscribe('com.a')
    one.subscribe('com.', { match: 'prefix' })
    speaker.subscribe('com.a')
    speaker.say(codec.decode(Buffer.from(listed(codec, name))))
    expect(speaker.sent.at(-1)).toMatchObject({ kind: 'published', request: 7 })
    expect([...one.events(), ...speaker.events()]).toEqual([])
  })
})

describe('trap 12: who may have one URI may not have what lies below it', () => {
  const rule = { ...ruleFor('com.a', 'subscribe', 'register'), match: 'exact' as const }
  const room = (): Room =>
    new Room({ realms: [{ name: 'realm1', roles: [{ name: 'anonymous', rules: [rule] }] }] })

  test.each<[Match, string]>([
    ['prefix', 'com.a'],
    ['prefix', 'com.'],
    ['prefix', ''],
    ['wildcard', 'com.'],
    ['wildcard', '.a'],
    ['wildcard', '.'],
  ])('by a %s of %j', (match, uri) => {
    const one = room().member()
    for (const reply of [one.subscribe(uri, { match }), one.register(uri, { match })]) {
      expect(reply).toMatchObject({ kind: 'error', error: 'wamp.error.not_authorized' })
    }
  })

  test('yet has that URI', () => {
    const one = room().member()
    expect(one.subscribe('com.a')).toMatchObject({ kind: 'subscribed' })
    expect(one.register('com.a', { match: 'exact' })).toMatchObject({ kind: 'registered' })
  })
})
