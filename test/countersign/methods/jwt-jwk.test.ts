import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jwtAlgorithms, type JwtAlgorithm } from '../../../packages/countersign/src/methods/jwt-algorithms.ts'
import { maxKeys, parseKeySet } from '../../../packages/countersign/src/methods/jwt-jwk.ts'
import { numRuns } from '../support/guard.ts'

const maxBytes = 65_536
/** 32 bytes in the one spelling that base64url has for them. */
const number = `${'_'.repeat(42)}8`
// The names of the table are its type.
const algorithms = Object.keys(jwtAlgorithms) as JwtAlgorithm[]

/** Keys that are nearly right: members of every kind, most of them well-formed, some of them anything. */
const members = fc.record(
  {
    kty: fc.constantFrom('RSA', 'EC', 'OKP', 'oct', 1),
    crv: fc.constantFrom('P-256', 'Ed25519', 'X25519', null),
    alg: fc.constantFrom(...algorithms, 'none', 'RSA-OAEP', 7),
    kid: fc.oneof(fc.constantFrom('a', 'b', ''), fc.jsonValue()),
    use: fc.constantFrom('sig', 'enc', true),
    key_ops: fc.constantFrom(['verify'], ['sign'], 'verify'),
    n: fc.oneof(fc.base64String({ maxLength: 400 }), fc.constant('_'.repeat(344))),
    e: fc.constantFrom('AQAB', '', 'AA'),
    x: fc.constantFrom('A'.repeat(42), number, 'a b', {}),
    y: fc.constantFrom(number, []),
  },
  { requiredKeys: [] },
)
const documents = fc.oneof(
  fc.record({ keys: fc.array(fc.oneof(members, fc.jsonValue({ maxDepth: 2 })), { maxLength: 6 }) }),
  fc.jsonValue({ maxDepth: 3 }),
)
const texts = fc.oneof(
  documents.map((document) => JSON.stringify(document)),
  fc.json(),
  fc.string({ unit: 'binary' }),
)

describe('a document that an issuer publishes', () => {
  test('is a set of keys or nothing, whatever it holds, and a token means one key of it at most', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(...algorithms), (text, alg) => {
        const keys = parseKeySet(text, maxBytes)
        if (keys === undefined) return
        expect(keys.size).toBeLessThanOrEqual(maxKeys)
        for (const kid of [undefined, 'a', '']) {
          expect(['function', 'undefined']).toContain(typeof keys.find({ alg, kid, algorithms }))
        }
      }),
      { numRuns },
    )
  })

  test('is read up to its bounds and no further', () => {
    const key = { kty: 'OKP', crv: 'Ed25519', x: number }
    const text = (count: number): string => JSON.stringify({ keys: Array.from({ length: count }, () => key) })
    expect(parseKeySet(text(maxKeys), maxBytes)?.size).toBe(maxKeys)
    expect(parseKeySet(text(maxKeys + 1), maxBytes)).toBeUndefined()
    expect(parseKeySet(text(1), text(1).length)?.size).toBe(1)
    expect(parseKeySet(text(1), text(1).length - 1)).toBeUndefined()
  })

  test.each(['{"keys":[],"keys":[]}', '{"keys":{}}', '[]', '{}', ''])('is none when it says %j', (text) => {
    expect(parseKeySet(text, maxBytes)).toBeUndefined()
  })
})
