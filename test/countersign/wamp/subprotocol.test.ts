import { describe, expect, test } from 'vitest'
import { negotiate, subprotocols } from '../../../packages/countersign/src/wamp/subprotocol.ts'

const everything = { serializations: ['json', 'msgpack', 'cbor'], batched: true } as const

describe('negotiate', () => {
  test.each([
    [['wamp.2.json', 'wamp.2.msgpack'], 'wamp.2.json'],
    [['wamp.2.msgpack', 'wamp.2.json'], 'wamp.2.msgpack'],
    [['wamp.2.cbor.batched', 'wamp.2.cbor'], 'wamp.2.cbor.batched'],
    [['wamp.2.ubjson.batched', 'wamp.2.flatbuffers', 'wamp.2.cbor'], 'wamp.2.cbor'],
    [['chat', 'wamp.2.json.batched'], 'wamp.2.json.batched'],
  ])('takes the first choice of the client that is spoken: %j', (offered, chosen) => {
    expect(negotiate(offered, everything)?.name).toBe(chosen)
  })

  test.each([[[]], [['wamp.2.ubjson']], [['WAMP.2.JSON']], [['wamp.2.json ']], [['wamp.1.json', 'wamp']]])(
    'finds nothing in common with %j',
    (offered) => {
      expect(negotiate(offered, everything)).toBeUndefined()
    },
  )

  test('passes over what is not enabled', () => {
    const some = { serializations: ['cbor'], batched: false } as const
    expect(negotiate(['wamp.2.json', 'wamp.2.cbor.batched', 'wamp.2.cbor'], some)?.name).toBe('wamp.2.cbor')
    expect(negotiate(['wamp.2.cbor.batched'], some)).toBeUndefined()
  })

  test('knows two forms of each serializer', () => {
    expect(subprotocols.map((one) => one.name)).toEqual([
      'wamp.2.json',
      'wamp.2.json.batched',
      'wamp.2.msgpack',
      'wamp.2.msgpack.batched',
      'wamp.2.cbor',
      'wamp.2.cbor.batched',
    ])
  })
})
