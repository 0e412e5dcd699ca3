import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseFrame } from '../../../packages/countersign/src/client/frames.ts'
import {
  acceptanceFrame,
  challengeFrame,
  expiringFrame,
  refusalFrame,
} from '../../../packages/countersign/src/adapters/frames.ts'

describe('a client’s reading of frames', () => {
  test('understands what the server writes', () => {
    const extra = { challenge: '{"nonce":"a"}', salt: 's', iterations: 1_000, keylen: 32 }
    expect(parseFrame(challengeFrame({ method: 'wampcra', extra }))).toEqual({
      kind: 'challenge',
      method: 'wampcra',
      extra,
    })
    expect(parseFrame(refusalFrame('auth', 'revoked'))).toEqual({ kind: 'auth_invalid', reason: 'revoked' })
    expect(parseFrame(expiringFrame(30_000))).toEqual({ kind: 'auth_expiring', inMs: 30_000 })
    expect(acceptanceFrame).toBeTypeOf('function')
    expect(parseFrame('{"type":"auth_ok","expires_in":900,"lease":"csl_1"}')).toEqual({
      kind: 'auth_ok',
      leaseMs: 900_000,
      lease: 'csl_1',
      extra: undefined,
    })
  })

  test.each([
    '{"type":"auth_ok"',
    '{"type":"auth_okay"}',
    ' {"type":"auth_ok"}',
    '{"a":1,"type":"auth_ok"}',
    `{"type":"auth_ok","x":"${'x'.repeat(20_000)}"}`,
    'auth_ok',
    '',
  ])('leaves %.40s to the application', (text) => {
    expect(parseFrame(text)).toBeUndefined()
  })

  test('answers for any text and any data, and never throws', () => {
    const tail = fc.oneof(
      fc.string(),
      fc.json().map((json) => `,"in":${json}}`),
      fc.constant(',"expires_in":-1}'),
    )
    const kind = fc.constantFrom('challenge', 'auth_ok', 'auth_invalid', 'auth_expiring')
    const text = fc.oneof(
      fc.string(),
      fc.tuple(kind, tail).map(([word, rest]) => `{"type":"${word}"${rest}`),
    )
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array()), (data) => {
        const frame = parseFrame(data)
        expect(frame?.kind === 'auth_expiring' ? frame.inMs : 0).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
