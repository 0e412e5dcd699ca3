/** Payload passthru mode in every direction, across serializers: one binary value, and the attributes that say what it is. */
import { decode as decodeCbor, encode as encodeCbor } from 'cborg'
import { describe, expect, test } from 'vitest'
import { cborCodec } from '../../../packages/countersign/src/wamp/cbor-codec.ts'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import type { Dict, RouterMessage } from '../../../packages/countersign/src/wamp/messages.ts'
import { expectViolation, Room, ruleFor, type Peer } from './router-room.ts'

const json = jsonCodec()
const cbor = cborCodec()
const announced = { payload_passthru_mode: true }
const capable: Dict = {
  roles: {
    caller: { features: { ...announced, progressive_call_results: true, call_canceling: true } },
    callee: { features: { ...announced, progressive_call_results: true, call_canceling: true } },
    publisher: { features: announced },
    subscriber: { features: announced },
  },
}
const mode = { ppt_scheme: 'wamp', ppt_serializer: 'cbor', ppt_cipher: 'aes256gcm', ppt_keyid: 'key 1' }
const bytes = Uint8Array.from([0, 1, 254, 255])
const inJson = `\0${Buffer.from(bytes).toString('base64')}`

const sayJson = (peer: Peer, message: readonly unknown[]): void =>
  peer.say(json.decode(Buffer.from(JSON.stringify(message))))
const sayCbor = (peer: Peer, message: readonly unknown[]): void => peer.say(cbor.decode(encodeCbor(message)))
const lastOf = (peer: Peer): RouterMessage => {
  const last = peer.sent.at(-1)
  if (last === undefined) throw new Error('nothing was sent')
  return last
}
const heardJson = (peer: Peer): unknown => JSON.parse(Buffer.from(json.encode(lastOf(peer), 0)).toString())
const heardCbor = (peer: Peer): unknown => decodeCbor(cbor.encode(lastOf(peer), 0))

const rules = [ruleFor('com.', 'call', 'register', 'publish', 'subscribe'), ruleFor('wamp.', 'call')]
const openRoom = (): Room =>
  new Room({
    realms: [
      {
        name: 'realm1',
        roles: [{ name: 'anonymous', rules }],
        history: [{ uri: 'com.kept', match: 'exact', limit: 9 }],
      },
    ],
  })

describe('a call', () => {
  test('carries it there, and progress, result and error back', () => {
    const room = openRoom()
    const [caller, callee] = [room.member(capable), room.member(capable)]
    callee.register('com.p')
    sayJson(caller, [48, 1, { ...mode, receive_progress: true }, 'com.p', [inJson]])
    expect(heardCbor(callee)).toEqual([68, 1, 1, { ...mode, receive_progress: true }, [bytes]])
    sayCbor(callee, [70, 1, { ...mode, progress: true }, [bytes]])
    expect(heardJson(caller)).toEqual([50, 1, { ...mode, progress: true }, [inJson]])
    sayCbor(callee, [70, 1, { ...mode, ppt_keyid: 'key 2' }, [bytes]])
    expect(heardJson(caller)).toEqual([50, 1, { ...mode, ppt_keyid: 'key 2' }, [inJson]])
    sayJson(caller, [48, 2, mode, 'com.p', [inJson]])
    sayCbor(callee, [8, 68, 2, mode, 'com.broken', [bytes]])
    expect(heardJson(caller)).toEqual([8, 48, 2, mode, 'com.broken', [inJson]])
  })

  test('without a scheme is a call like others, whatever else it says', () => {
    const room = openRoom()
    const [caller, callee] = [room.member(), room.member()]
    callee.register('com.p')
    sayJson(caller, [48, 1, { ppt_serializer: 'cbor', ppt_scheme: '' }, 'com.p', [1]])
    expect(heardCbor(callee)).toEqual([68, 1, 1, {}, [1]])
  })

  test('of a caller that has not announced it is a violation, and so is a result of such a callee', () => {
    const room = openRoom()
    const [caller, callee, other] = [room.member(), room.member(), room.member(capable)]
    callee.register('com.p')
    sayJson(caller, [48, 1, mode, 'com.p', [inJson]])
    expectViolation(caller)
    sayJson(other, [48, 1, {}, 'com.p'])
    sayCbor(callee, [70, 1, mode, [bytes]])
    expectViolation(callee)
  })

  test('to a callee that has not announced it is an error for the caller', () => {
    const room = openRoom()
    const [caller, callee] = [room.member(capable), room.member()]
    callee.register('com.p')
    sayJson(caller, [48, 1, mode, 'com.p', [inJson]])
    expect(heardJson(caller)).toMatchObject([
      8,
      48,
      1,
      {},
      'wamp.error.feature_not_supported',
      expect.any(Array),
    ])
    expect(callee.kinds()).not.toContain('invocation')
  })
})

describe('an event', () => {
  test('has it for exact and for pattern subscriptions, live and retained, and in the history', () => {
    const room = openRoom()
    const [speaker, hearer, late] = [room.member(capable), room.member(capable), room.member(capable)]
    hearer.subscribe('com.kept')
    sayJson(speaker, [16, 1, { ...mode, retain: true }, 'com.kept', [inJson]])
    expect(heardCbor(hearer)).toMatchObject([36, 1, expect.any(Number), mode, [bytes]])
    late.subscribe('com.', { match: 'prefix', get_retained: true })
    expect(heardCbor(late)).toMatchObject([
      36,
      2,
      expect.any(Number),
      { ...mode, retained: true, topic: 'com.kept' },
      [bytes],
    ])
    const kept = hearer.result('wamp.subscription.get_events', [1])
    expect(kept).toEqual([expect.objectContaining({ details: mode, args: [bytes], kwargs: {} })])
  })

  test('of a publisher that has not announced it is a violation', () => {
    const room = openRoom()
    const speaker = room.member()
    sayJson(speaker, [16, 1, mode, 'com.kept', [inJson]])
    expectViolation(speaker)
  })
})

describe('a type that is wrong', () => {
  test.each(Object.keys(mode))('of %s is a wrong argument', (name) => {
    const room = openRoom()
    const peer = room.member(capable)
    peer.register('com.p')
    sayJson(peer, [48, 1, { ...mode, [name]: 7 }, 'com.p', [inJson]])
    expect(heardJson(peer)).toMatchObject([8, 48, 1, {}, 'wamp.error.invalid_argument', expect.any(Array)])
    sayJson(peer, [16, 2, { ...mode, [name]: 7, acknowledge: true }, 'com.a', [inJson]])
    expect(heardJson(peer)).toMatchObject([8, 16, 2, {}, 'wamp.error.invalid_argument', expect.any(Array)])
  })
})
