import { Signer } from '@fastify/cookie'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodedCookie, unsigned } from '../../../packages/countersign/src/sessions/signed-value.ts'
import { numRuns } from '../support/guard.ts'
import { secrets } from './site-connect.ts'

const text = fc.string({ unit: 'binary', maxLength: 64 })

describe('a signed value', () => {
  test('is what was signed, whichever of the secrets did', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...secrets), (value, secret) => {
        fc.pre(value !== '')
        expect(unsigned(new Signer(secret).sign(value), secrets)).toBe(value)
      }),
      { numRuns: numRuns / 10 },
    )
  })

  test('is nothing where the libraries say so, whatever text is shown', () => {
    const signer = new Signer(secrets)
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.tuple(text, text).map((parts) => parts.join('.')),
        ),
        (shown) => {
          const { valid, value } = signer.unsign(shown)
          expect(unsigned(shown, secrets)).toBe(valid && value !== '' ? value : undefined)
        },
      ),
      { numRuns: numRuns / 10 },
    )
  })

  test('differs from every other by its signature', () => {
    const good = new Signer(secrets[0] ?? '').sign('a session')
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const shown = good.slice(0, at) + character + good.slice(at + 1)
        expect(unsigned(shown, secrets)).toBe(shown === good ? 'a session' : undefined)
      }),
      { numRuns: numRuns / 10 },
    )
  })

  test('is read as it is where its encoding is broken', () => {
    expect(decodedCookie('s%3Aa.b')).toBe('s:a.b')
    expect(decodedCookie('%E0%A4%A')).toBe('%E0%A4%A')
  })
})
