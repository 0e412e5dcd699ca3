import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  acceptClaims,
  judgeTimes,
  readClaims,
  type ClaimRules,
  type JwtClaims,
} from '../../../packages/countersign/src/methods/jwt-claims.ts'
import type { Json, JsonObject } from '../../../packages/countersign/src/wire/json.ts'
import { audience, issuer, now, seconds } from './jwt-support.ts'

const rules: ClaimRules = {
  audiences: new Set([audience]),
  subject: 'sub',
  roles: 'roles',
  realm: undefined,
  toleranceMs: 5_000,
  maxAgeMs: 86_400_000,
  names: 'plain',
}

const good: JsonObject = { iss: issuer, aud: audience, sub: 'user-17', exp: seconds + 600 }

function read(
  changes: Readonly<Record<string, Json>>,
  other: Partial<ClaimRules> = {},
): JwtClaims | undefined {
  return readClaims({ ...good, ...changes }, { ...rules, ...other })
}

function timesOf(changes: Readonly<Record<string, Json>>): string | undefined {
  const claims = read(changes)
  return claims === undefined ? undefined : judgeTimes(claims, rules, now)
}

describe('claims', () => {
  test.each<readonly [string, Readonly<Record<string, Json>>]>([
    ['an empty subject', { sub: '' }],
    ['a subject that is no text', { sub: 17 }],
    ['a subject of 257 characters', { sub: 'a'.repeat(257) }],
    ['an issuer that is no text', { iss: 1 }],
    ['an empty jti', { jti: '' }],
    ['a jti that is no text', { jti: 1 }],
    ['roles that are one text', { roles: 'super admin' }],
    ['roles that are no texts', { roles: ['a', 1] }],
    ['an empty role', { roles: ['a', ''] }],
    ['129 roles', { roles: Array.from({ length: 129 }, String) }],
    ['roles that are an object', { roles: { admin: true } }],
    ['an audience among numbers', { aud: [audience, 1] }],
    ['no audience in the list', { aud: [] }],
    ['an audience that is an object', { aud: { chat: true } }],
    ['an exp that is a text', { exp: String(seconds + 600) }],
    ['an exp that is null', { exp: null }],
    ['an exp before the epoch', { exp: -1 }],
    ['an exp beyond all dates', { exp: 1e300 }],
    ['an iat that is a text', { iat: '1' }],
    ['an nbf that is a text', { nbf: '1' }],
  ])('are refused for %s', (_name, changes) => {
    expect(read(changes)).toBeUndefined()
  })

  test('need an exp', () => {
    const { exp: _exp, ...endless } = good
    expect(readClaims(endless, rules)).toBeUndefined()
  })

  test('give a session only where sid is a text', () => {
    expect(read({ sid: 's' })?.session).toBe('s')
    expect(read({ sid: 1 })?.session).toBeUndefined()
  })

  test('give roles from a list, or from a scope when it is named', () => {
    expect(read({})?.roles).toEqual([])
    expect(read({ roles: ['a', 'b c'] })?.roles).toEqual(['a', 'b c'])
    expect(read({ scope: 'a b' }, { roles: 'scope' })?.roles).toEqual(['a', 'b'])
    expect(read({ scp: ['a', 'b'] }, { roles: 'scp' })?.roles).toEqual(['a', 'b'])
    expect(read({ scope: '' }, { roles: 'scope' })?.roles).toEqual([])
    expect(read({ scope: 'a  b' }, { roles: 'scope' })).toBeUndefined()
    expect(read({ groups: 'a b' }, { roles: 'groups' })).toBeUndefined()
  })

  test('give subject and realm from the claims that are named', () => {
    const names = { subject: 'email', realm: 'tenant' }
    expect(read({ email: 'a@example.com', tenant: 't' }, names)).toMatchObject({
      subject: 'a@example.com',
      realm: 't',
    })
    expect(read({ email: 'a@example.com' }, names)).toMatchObject({ realm: undefined })
    expect(read({ email: 'a@example.com', tenant: 1 }, names)).toBeUndefined()
    expect(read({}, names)).toBeUndefined()
  })

  test('without iat count as issued before every revocation', () => {
    const claims = read({})
    expect(claims && acceptClaims(claims, rules).grant.issuedAtMs).toBe(0)
  })

  test('name what they rest upon as the issuer does, or with its name before it', () => {
    const claims = read({ sid: 's-1', jti: 't-1' })
    expect(claims && acceptClaims(claims, rules)).toMatchObject({
      principal: { id: 'user-17' },
      grant: { subject: 'user-17', session: 's-1', token: 't-1' },
    })
    expect(claims && acceptClaims(claims, { names: 'issuer' })).toMatchObject({
      principal: { id: 'user-17', provider: issuer },
      grant: { subject: `${issuer} user-17`, session: `${issuer} s-1`, token: `${issuer} t-1` },
    })
    const bare = read({})
    expect(bare && acceptClaims(bare, { names: 'issuer' }).grant).toMatchObject({
      session: undefined,
      token: undefined,
    })
  })
})

describe('times', () => {
  test.each<readonly [string, Readonly<Record<string, Json>>, string]>([
    ['now', {}, 'live'],
    ['fractions of a second', { exp: seconds + 0.5, iat: seconds - 0.5 }, 'live'],
    ['exp within the leeway', { exp: seconds - 4.999 }, 'live'],
    ['exp past the leeway', { exp: seconds - 5 }, 'expired'],
    ['nbf within the leeway', { nbf: seconds + 5 }, 'live'],
    ['nbf past the leeway', { nbf: seconds + 5.001 }, 'invalid'],
    ['iat within the leeway', { iat: seconds + 5 }, 'live'],
    ['iat in the future', { iat: seconds + 5.001 }, 'invalid'],
    ['an end before the beginning', { iat: seconds - 10, exp: seconds - 10 }, 'invalid'],
    ['a life of a day', { iat: seconds - 10, exp: seconds - 10 + 86_400 }, 'live'],
    ['a longer life', { iat: seconds - 10, exp: seconds - 9 + 86_400 }, 'invalid'],
    ['a day left, without iat', { exp: seconds + 86_400 }, 'live'],
    ['more than a day left, without iat', { exp: seconds + 86_401 }, 'invalid'],
  ])('say of %s: %s', (_name, changes, expected) => {
    expect(timesOf(changes)).toBe(expected)
  })

  test('never call a token live that ended before the leeway or begins after it', () => {
    const at = fc.oneof(
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.double({ noNaN: true, min: -1e13, max: 1e13 }),
    )
    fc.assert(
      fc.property(at, fc.option(at), fc.option(at), (exp, iat, nbf) => {
        const shift = (by: number | null, name: string): Record<string, Json> =>
          by === null ? {} : { [name]: seconds + by }
        const claims = { ...shift(exp, 'exp'), ...shift(iat, 'iat'), ...shift(nbf, 'nbf') }
        if (timesOf(claims) !== 'live') return
        expect(exp).toBeGreaterThan(-5.002)
        expect(exp).toBeLessThanOrEqual(86_405)
        expect(Math.max(iat ?? 0, nbf ?? 0)).toBeLessThanOrEqual(5.002)
      }),
      { numRuns: Number(process.env.COUNTERSIGN_FUZZ_RUNS ?? 10_000) },
    )
  })
})
