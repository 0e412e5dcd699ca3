import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8, encodeUtf8, fitsUtf8 } from '../../../packages/countersign/src/wire/utf8.ts'
import { numRuns } from './support.ts'

describe('UTF-8', () => {
  it('brings well-formed text there and back, a byte order mark included', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (text) => decodeUtf8(encodeUtf8(`\ufeff${text}`)) === `\ufeff${text}`,
      ),
    )
  })

  it.each([[[0xff]], [[0xc0, 0xaf]], [[0xed, 0xa0, 0x80]], [[0xe2, 0x82]], [[0xf4, 0x90, 0x80, 0x80]]])(
    'refuses the ill-formed bytes %j',
    (bytes) => {
      expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined()
    },
  )

  it('measures as the encoder writes, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, maxBytes) => {
        expect(fitsUtf8(text, maxBytes)).toBe(encodeUtf8(text).length <= maxBytes)
      }),
      { numRuns },
    )
  })
})
