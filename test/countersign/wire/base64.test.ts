import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeBase64,
  decodeBase64url,
  decodeBase64urlInto,
  encodeBase64,
  encodeBase64url,
  isBase64Of16Bytes,
} from '../../../packages/countersign/src/wire/base64.ts'
import { anyText, numRuns } from './support.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

describe('base64', () => {
  it('agrees with another implementation on any bytes, both ways', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const padded = Buffer.from(data).toString('base64')
        const plain = Buffer.from(data).toString('base64url')
        expect(encodeBase64(data)).toBe(padded)
        expect(encodeBase64url(data)).toBe(plain)
        expect(decodeBase64(padded, 80)).toEqual(data)
        expect(decodeBase64url(plain, 80)).toEqual(data)
      }),
      { numRuns },
    )
  })

  it('accepts one spelling per byte sequence and never throws', () => {
    fc.assert(
      fc.property(anyText('QQ', '==', '=', 'AB', '-_', '+/', 'Zm9v', '\n'), (text) => {
        const padded = decodeBase64(text, 1000)
        const plain = decodeBase64url(text, 1000)
        expect([undefined, text]).toContain(padded && encodeBase64(padded))
        expect([undefined, text]).toContain(plain && encodeBase64url(plain))
      }),
      { numRuns },
    )
  })

  it.each([
    'Zg',
    'Zg=',
    'Zh==',
    'Zg===',
    '====',
    'Z===',
    ' Zg==',
    'Zg==\n',
    'Z g=',
    'Zm9=',
    'Z-8=',
    'Zm9v=',
    '=Zg=',
    'Zg=='.repeat(2),
  ])('refuses %j as base64', (text) => {
    expect(decodeBase64(text, 100)).toBeUndefined()
  })

  it.each(['Zg==', 'Zh', 'Z', 'Zm9', 'Z+8', 'Z/8', 'Zm9v ', 'Zm9vZ', '\u00e9\u00e9'])(
    'refuses %j as base64url',
    (text) => {
      expect(decodeBase64url(text, 100)).toBeUndefined()
    },
  )

  it('decodes into the front of a buffer exactly what it decodes into a fresh one', () => {
    const buffer = new Uint8Array(64)
    const text = fc.oneof(anyText('A', '=', '-', '_'), fc.uint8Array({ maxLength: 80 }).map(encodeBase64url))
    fc.assert(
      fc.property(text, (digits) => {
        const size = decodeBase64urlInto(buffer, digits)
        const expected = decodeBase64url(digits, buffer.length)
        expect(size < 0 ? undefined : buffer.slice(0, size)).toEqual(expected)
      }),
      { numRuns },
    )
  })

  it('refuses more bytes than the caller allows', () => {
    expect(decodeBase64('Zm9v', 3)).toHaveLength(3)
    expect(decodeBase64('Zm9v', 2)).toBeUndefined()
    expect(decodeBase64url('Zm9vYg', 4)).toHaveLength(4)
    expect(decodeBase64url('Zm9vYg', 3)).toBeUndefined()
    expect(decodeBase64('', 0)).toHaveLength(0)
  })

  it('recognises the key of an opening handshake', () => {
    expect(isBase64Of16Bytes('dGhlIHNhbXBsZSBub25jZQ==')).toBe(true)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (key) =>
        isBase64Of16Bytes(encodeBase64(key)),
      ),
    )
  })

  it.each([
    '',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZR==',
    'dGhlIHNhbXBsZSBub25jZQ=a',
    'dGhl-HNhbXBsZSBub25jZQ==',
    'dGhlIHNhbXBsZSBub25jZ*==',
    'dGhlIHNhbXBsZSBub25jZXM=',
  ])('refuses %j as the key of an opening handshake', (text) => {
    expect(isBase64Of16Bytes(text)).toBe(false)
  })
})
