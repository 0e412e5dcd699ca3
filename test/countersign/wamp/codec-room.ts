/** What the tests of the codecs share. */
import * as fc from 'fast-check'
import { cborCodec } from '../../../packages/countersign/src/wamp/cbor-codec.ts'
import type { Codec, Malformed } from '../../../packages/countersign/src/wamp/codec.ts'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { msgpackCodec } from '../../../packages/countersign/src/wamp/msgpack-codec.ts'
import type { Payload } from '../../../packages/countersign/src/wamp/payload.ts'
import { noPayload, payloadOf } from '../../../packages/countersign/src/wamp/values.ts'

export const json: Codec = jsonCodec()
export const msgpack: Codec = msgpackCodec()
export const cbor: Codec = cborCodec()
export const codecs: readonly Codec[] = [json, msgpack, cbor]

export const fuzzRuns: number = Number(process.env.COUNTERSIGN_FUZZ_RUNS ?? 10_000)

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

export function utf8(of: string): Uint8Array {
  return new TextEncoder().encode(of)
}

/** A message with its payload as plain values. */
export function plain(message: Message | Malformed): unknown {
  if (!('payload' in message)) return message
  return { ...message, payload: plainPayload(message.payload) }
}

export function plainPayload(payload: Payload): unknown {
  return { count: payload.count, args: payload.args(), kwargs: payload.kwargs() }
}

/** The payload of a message that has one. */
export function payloadIn(message: Message | Malformed): Payload {
  if (!('payload' in message)) throw new Error(`no payload: ${JSON.stringify(message)}`)
  return message.payload
}

export function call(payload: Payload): Message {
  return { kind: 'call', request: 7, options: noDict, procedure: 'com.example.add', payload }
}

const arguments_ = payloadOf([1, 'two', null], { three: [3.5, true] })

/** One message of each kind, and the array that it is on the wire. */
export const everyMessage: readonly (readonly [Message, readonly unknown[]])[] = [
  [
    { kind: 'hello', realm: 'realm1', details: { roles: { caller: {} } } },
    [1, 'realm1', { roles: { caller: {} } }],
  ],
  [{ kind: 'hello', realm: undefined, details: noDict }, [1, null, {}]],
  [
    { kind: 'welcome', session: 9129137332, details: { roles: { broker: {}, dealer: {} } } },
    [2, 9129137332, { roles: { broker: {}, dealer: {} } }],
  ],
  [
    { kind: 'abort', details: { message: 'no' }, reason: 'wamp.error.no_such_realm' },
    [3, { message: 'no' }, 'wamp.error.no_such_realm'],
  ],
  [
    { kind: 'challenge', method: 'wampcra', extra: { challenge: '{"a":1}' } },
    [4, 'wampcra', { challenge: '{"a":1}' }],
  ],
  [{ kind: 'authenticate', signature: 'c2lnbg==', extra: noDict }, [5, 'c2lnbg==', {}]],
  [{ kind: 'goodbye', details: noDict, reason: 'wamp.close.normal' }, [6, {}, 'wamp.close.normal']],
  [
    {
      kind: 'error',
      of: 'call',
      request: 5,
      details: noDict,
      error: 'com.example.error',
      payload: arguments_,
    },
    [8, 48, 5, {}, 'com.example.error', [1, 'two', null], { three: [3.5, true] }],
  ],
  [
    {
      kind: 'error',
      of: 'invocation',
      request: 5,
      details: noDict,
      error: 'com.example.error',
      payload: noPayload,
    },
    [8, 68, 5, {}, 'com.example.error'],
  ],
  [
    {
      kind: 'publish',
      request: 6,
      options: { acknowledge: true },
      topic: 'com.example.topic',
      payload: arguments_,
    },
    [16, 6, { acknowledge: true }, 'com.example.topic', [1, 'two', null], { three: [3.5, true] }],
  ],
  [{ kind: 'published', request: 6, publication: 4429313566 }, [17, 6, 4429313566]],
  [
    { kind: 'subscribe', request: 8, options: { match: 'prefix' }, topic: 'com.' },
    [32, 8, { match: 'prefix' }, 'com.'],
  ],
  [{ kind: 'subscribed', request: 8, subscription: 5512315355 }, [33, 8, 5512315355]],
  [{ kind: 'unsubscribe', request: 9, subscription: 5512315355 }, [34, 9, 5512315355]],
  [{ kind: 'unsubscribed', request: 9, details: undefined }, [35, 9]],
  [{ kind: 'unsubscribed', request: 0, details: { subscription: 3 } }, [35, 0, { subscription: 3 }]],
  [
    {
      kind: 'event',
      subscription: 3,
      publication: 9007199254740991,
      details: { topic: 'com.example.ü' },
      payload: payloadOf(['x']),
      shared: [],
    },
    [36, 3, 9007199254740991, { topic: 'com.example.ü' }, ['x']],
  ],
  [call(arguments_), [48, 7, {}, 'com.example.add', [1, 'two', null], { three: [3.5, true] }]],
  [{ kind: 'cancel', request: 7, options: { mode: 'kill' } }, [49, 7, { mode: 'kill' }]],
  [
    { kind: 'result', request: 7, details: { progress: true }, payload: arguments_ },
    [50, 7, { progress: true }, [1, 'two', null], { three: [3.5, true] }],
  ],
  [
    { kind: 'register', request: 10, options: noDict, procedure: 'com.example.sum' },
    [64, 10, {}, 'com.example.sum'],
  ],
  [{ kind: 'registered', request: 10, registration: 12 }, [65, 10, 12]],
  [{ kind: 'unregister', request: 11, registration: 12 }, [66, 11, 12]],
  [{ kind: 'unregistered', request: 11, details: undefined }, [67, 11]],
  [
    { kind: 'unregistered', request: 0, details: { registration: 12, reason: 'a.b' } },
    [67, 0, { registration: 12, reason: 'a.b' }],
  ],
  [
    { kind: 'invocation', request: 1, registration: 12, details: noDict, payload: arguments_ },
    [68, 1, 12, {}, [1, 'two', null], { three: [3.5, true] }],
  ],
  [{ kind: 'interrupt', request: 1, options: { mode: 'killnowait' } }, [69, 1, { mode: 'killnowait' }]],
  [{ kind: 'yield', request: 1, options: noDict, payload: payloadOf([]) }, [70, 1, {}]],
]

/** Values that every serializer has its own form for. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 31, 32, 127, 128, 255, 256, 65_535, 65_536),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
    fc.string({ unit: 'binary', maxLength: 80 }).filter((value) => !value.startsWith('\0')),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((name) => name !== '__proto__'),
      tie('value'),
      {
        maxKeys: 20,
        noNullPrototype: true,
      },
    ),
  ),
})).value

/** Arguments, keyword arguments among them or not. */
export const anyPayload: fc.Arbitrary<readonly [readonly unknown[], Record<string, unknown>]> = fc.tuple(
  fc.array(anyValue, { maxLength: 5 }),
  fc.dictionary(
    fc.string({ maxLength: 8 }).filter((name) => name !== '__proto__'),
    anyValue,
    {
      maxKeys: 5,
      noNullPrototype: true,
    },
  ),
)
