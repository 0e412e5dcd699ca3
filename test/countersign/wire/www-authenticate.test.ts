import { describe, expect, it } from 'vitest'
import { basicChallenge, bearerChallenge } from '../../../packages/countersign/src/wire/www-authenticate.ts'

describe('WWW-Authenticate', () => {
  it('asks for Basic in UTF-8', () => {
    expect(basicChallenge('lab')).toBe('Basic realm="lab", charset="UTF-8"')
  })

  it('asks for Bearer, with an error only when a token was shown', () => {
    expect(bearerChallenge('lab')).toBe('Bearer realm="lab"')
    expect(bearerChallenge('lab', 'invalid_token')).toBe('Bearer realm="lab", error="invalid_token"')
  })

  it('quotes what a realm may hold', () => {
    expect(basicChallenge('a "b" \\c')).toBe('Basic realm="a \\"b\\" \\\\c", charset="UTF-8"')
  })

  it.each(['a\r\nX: y', '\u00e9', '\u0000'])('throws on the realm %j', (realm) => {
    expect(() => basicChallenge(realm)).toThrow(TypeError)
    expect(() => bearerChallenge(realm)).toThrow(TypeError)
  })
})
