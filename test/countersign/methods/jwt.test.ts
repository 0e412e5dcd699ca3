import * as fc from 'fast-check'
import { exportJWK, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { drive } from '../../../packages/countersign/src/core/drive.ts'
import { MisuseError } from '../../../packages/countersign/src/core/errors.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { hmacSecret, jwt, localJwks, type JwtOptions } from '../../../packages/countersign/src/methods/jwt.ts'
import {
  accepted,
  answersOf,
  expired,
  goodClaims,
  invalid,
  issuer,
  judge,
  judgeAtOnce,
  jwtWith,
  macced,
  now,
  pairOf,
  required,
  seconds,
  segment,
  shown,
  signed,
  type Pair,
} from './jwt-support.ts'

const secret = new Uint8Array(32).fill(7)
const otherIssuer = 'https://other.example.com'

let ed: Pair
let rsa: Pair
let method: Method

beforeAll(async () => {
  ed = await pairOf('Ed25519')
  rsa = await pairOf('RS256')
})

beforeAll(() => {
  method = jwtWith(ed)
})

describe('a token of the issuer', () => {
  test.each([
    'Ed25519',
    'EdDSA',
    'ES256',
    'ES384',
    'ES512',
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
  ])('is accepted when signed with %s', async (alg) => {
    const pair = await pairOf(alg)
    expect(await judge(jwtWith(pair), await signed(pair))).toMatchObject({ kind: 'accept' })
  })

  test('is accepted when signed with HS256, without any promise', () => {
    const hmac = jwt({ ...required, algorithms: ['HS256'], keys: hmacSecret(secret) })
    const token = macced({ alg: 'HS256' }, goodClaims, secret)
    expect(judgeAtOnce(hmac, token)).toMatchObject({ kind: 'accept' })
    expect(judgeAtOnce(hmac, macced({ alg: 'HS256' }, goodClaims, 'another secret'))).toEqual(invalid)
    expect(judgeAtOnce(hmac, macced({ alg: 'HS256', kid: 'x' }, goodClaims, secret))).toEqual(invalid)
  })

  test('may name the identifier of a shared secret, and no other', () => {
    const hmac = jwt({ ...required, algorithms: ['HS256'], keys: hmacSecret(secret, { kid: 'k' }) })
    const token = (header: object): string => macced({ alg: 'HS256', ...header }, goodClaims, secret)
    expect(judgeAtOnce(hmac, token({ kid: 'k' }))).toMatchObject({ kind: 'accept' })
    expect(judgeAtOnce(hmac, token({}))).toMatchObject({ kind: 'accept' })
    expect(judgeAtOnce(hmac, token({ kid: 'l' }))).toEqual(invalid)
  })

  test('becomes principal, grant and end of validity', async () => {
    const claims = {
      roles: ['member', 'admin'],
      jti: 'token-1',
      sid: 'session-1',
      org: { id: 4 },
      nbf: seconds,
    }
    const verdict = await accepted(method, await signed(ed, { claims }))
    expect(verdict).toEqual({
      kind: 'accept',
      principal: {
        id: 'user-17',
        roles: ['member', 'admin'],
        realm: undefined,
        method: 'jwt',
        provider: issuer,
        claims: { roles: ['member', 'admin'], sid: 'session-1', org: { id: 4 } },
      },
      grant: {
        subject: 'user-17',
        roles: ['member', 'admin'],
        session: 'session-1',
        token: 'token-1',
        apiKey: undefined,
        certificate: undefined,
        serial: undefined,
        issuer,
        issuedAtMs: now - 10_000,
      },
      untilMs: now + 600_000,
      neverAfterMs: Infinity,
      lease: undefined,
    })
  })

  test('cannot be changed through the principal that it became', async () => {
    const { principal, grant } = await accepted(
      method,
      await signed(ed, { claims: { roles: ['a'], deep: [{ b: [] }] } }),
    )
    const frozen = [principal, principal.roles, principal.claims, principal.claims.deep, grant, grant.roles]
    expect(frozen.every(Object.isFrozen)).toBe(true)
  })

  test('keeps a claim named __proto__ a claim', async () => {
    const payload = `${JSON.stringify(goodClaims).slice(0, -1)},"__proto__":{"roles":["admin"]}}`
    const hmac = jwt({ ...required, algorithms: ['HS256'], keys: hmacSecret(secret) })
    const { principal } = await accepted(hmac, macced({ alg: 'HS256' }, payload, secret))
    expect(principal.roles).toEqual([])
    expect(Object.keys(principal.claims)).toEqual(['__proto__'])
  })

  test('may be of several audiences, of which one is ours', async () => {
    expect(await judge(method, await signed(ed, { claims: { aud: ['mail', 'chat'] } }))).toMatchObject({
      kind: 'accept',
    })
    const several = jwtWith(ed, { audience: ['chat', 'wiki'] })
    expect(await judge(several, await signed(ed, { claims: { aud: 'wiki' } }))).toMatchObject({
      kind: 'accept',
    })
  })

  test('is recognised by its shape alone', () => {
    const recognises = (text: string): boolean => method.recognises({ kind: 'token', text, form: 'bare' })
    expect(recognises('eyJhbGciOiJub25lIn0.e30.')).toBe(true)
    expect(['cst_abc', 'eyJ', 'eyJ.a', 'eyJ.a.b.c', 'a.b.c', '', 'eyJ.a.b.c.d'].some(recognises)).toBe(false)
    expect(method.recognises({ kind: 'basic', username: 'eyJ.a.b', password: '' })).toBe(false)
  })
})

describe('a token is refused', () => {
  const cases: readonly (readonly [string, Parameters<typeof signed>[1]])[] = [
    ['of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['of an issuer that only begins alike', { claims: { iss: `${issuer}/` } }],
    ['without issuer', { claims: { iss: undefined } }],
    ['whose issuer is a list', { claims: { iss: [issuer] } }],
    ['whose issuer is a name that every object has', { claims: { iss: 'constructor' } }],
    ['for another audience', { claims: { aud: 'mail' } }],
    ['without audience', { claims: { aud: undefined } }],
    ['without subject', { claims: { sub: undefined } }],
    ['of the future', { claims: { nbf: seconds + 60 } }],
    ['without end', { claims: { exp: undefined } }],
    ['of another kind', { header: { typ: 'at+jwt' } }],
    ['whose kind is no text', { header: { typ: 7 } }],
    ['whose kind is empty', { header: { typ: '' } }],
    ['with an unknown kid', { header: { kid: 'two' } }],
    ['whose kid is a path', { header: { kid: '../../../../dev/null' } }],
    ['whose kid is SQL', { header: { kid: "x' UNION SELECT 'key" } }],
    ['whose kid is empty', { header: { kid: '' } }],
    ['whose kid is a number', { header: { kid: 1 } }],
    ['whose kid is endless', { header: { kid: 'one'.padEnd(257, 'e') } }],
  ]

  test.each(cases)('%s', async (_name, changes) => {
    expect(await judge(method, await signed(ed, changes))).toEqual(invalid)
  })

  test('that another key has signed under the same kid', async () => {
    expect(await judge(method, await signed(await pairOf('Ed25519')))).toEqual(invalid)
  })

  test('that brings its own key or the address of one', async () => {
    const forger = await pairOf('Ed25519')
    const url = 'http://127.0.0.1:9/keys'
    for (const header of [{ jwk: forger.jwk }, { jku: url }, { x5u: url }, { x5c: ['AAAA'] }]) {
      expect(await judge(method, await signed(forger, { header }))).toEqual(invalid)
      expect(await judge(method, await signed(ed, { header }))).toMatchObject({ kind: 'accept' })
    }
  })

  test.each(['none', 'None', 'NONE', 'nOnE'])('that is signed with %s', async (alg) => {
    const unsigned = `${segment({ alg, kid: 'one' })}.${segment(goodClaims)}.`
    expect(await judge(method, unsigned)).toEqual(invalid)
    expect(await judge(method, `${unsigned}AAAA`)).toEqual(invalid)
  })

  test('that takes the public key for a shared secret', async () => {
    const pem = JSON.stringify(rsa.jwk)
    const forged = [pem, rsa.jwk.n ?? '', Buffer.from(rsa.jwk.n ?? '', 'base64url')]
    for (const key of forged) {
      const token = macced({ alg: 'HS256', kid: 'one' }, goodClaims, key)
      expect(await judge(jwtWith(rsa), token)).toEqual(invalid)
    }
  })

  test('that uses a key with an algorithm other than its own', async () => {
    const both = jwtWith(rsa, { algorithms: ['RS256', 'PS256'] })
    const alg = 'PS256'
    const privateKey = await importJWK(await exportJWK(rsa.privateKey), alg)
    if (privateKey instanceof Uint8Array) throw new Error('an RSA key')
    const token = await signed({ ...rsa, alg, privateKey })
    expect(await judge(both, token)).toEqual(invalid)
    const { alg: _alg, ...silent } = rsa.jwk
    const keys = localJwks({ keys: [silent] })
    expect(await judge(jwtWith(rsa, { keys, algorithms: [alg] }), token)).toMatchObject({ kind: 'accept' })
    expect(await judge(both, await signed(rsa))).toMatchObject({ kind: 'accept' })
  })

  test('that says EdDSA where its key says Ed25519', async () => {
    const both = jwtWith(ed, { algorithms: ['EdDSA', 'Ed25519'] })
    expect(await judge(both, await signed({ ...ed, alg: 'EdDSA' }))).toEqual(invalid)
  })

  test('in every spelling but the canonical one', async () => {
    const token = await signed(ed)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const unsafe = signature.at(-1) ?? ''
    const next = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const respelled = signature.slice(0, -1) + next.charAt(next.indexOf(unsafe) + 1)
    const spellings = [
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      `${header} .${payload}.${signature}`,
      `${header}.${payload.slice(0, 4)} ${payload.slice(4)}.${signature}`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${respelled}`,
      `${header}=.${payload}.${signature}`,
      `${token}.`,
      token.slice(0, -1),
    ]
    for (const spelling of spellings) expect(await judge(method, spelling)).toEqual(invalid)
    expect(await judge(method, token)).toMatchObject({ kind: 'accept' })
  })

  test('that states a member twice', () => {
    const hmac = jwt({ ...required, algorithms: ['HS256'], keys: hmacSecret(secret) })
    const twice = `${JSON.stringify(goodClaims).slice(0, -1)},"sub":"admin"}`
    expect(judgeAtOnce(hmac, macced({ alg: 'HS256' }, twice, secret))).toEqual(invalid)
    expect(judgeAtOnce(hmac, macced('{"alg":"HS256","alg":"HS256"}', goodClaims, secret))).toEqual(invalid)
  })

  test('that is longer than 16 KiB, before it is even hashed', async () => {
    const token = await signed(ed)
    expect(await judge(method, token.padEnd(16_384 + 1, 'A'))).toEqual(invalid)
    const talk = method.judge(shown('A'.repeat(16_385)))
    expect(talk.next()).toEqual({ done: true, value: invalid })
  })

  test('that is no token', async () => {
    const basic = { kind: 'basic', username: 'a', password: 'b' } as const
    const talk = method.judge({ ...shown(''), credential: basic })
    expect(talk.next()).toEqual({ done: true, value: invalid })
  })
})

describe('the time of a token', () => {
  test('ends it, and only a token with a right signature is called expired', async () => {
    const claims = { exp: seconds - 5 }
    expect(await judge(method, await signed(ed, { claims }))).toEqual(expired)
    expect(await judge(method, await signed(await pairOf('Ed25519'), { claims }))).toEqual(invalid)
    expect(await judge(method, await signed(ed, { claims: { ...claims, aud: 'mail' } }))).toEqual(invalid)
  })

  test('is granted a leeway', async () => {
    const token = await signed(ed, { claims: { exp: seconds - 4 } })
    expect(await accepted(method, token)).toMatchObject({ untilMs: now - 4_000 })
    expect(await judge(jwtWith(ed, { clockToleranceMs: 4_000 }), token)).toEqual(expired)
  })
})

describe('the kind of a token', () => {
  test.each(['JWT', 'jwt', 'application/jwt', 'Application/JWT'])('may be %s by default', async (typ) => {
    expect(await judge(method, await signed(ed, { header: { typ } }))).toMatchObject({ kind: 'accept' })
  })

  test.each(['at+jwt', 'AT+JWT', 'application/at+jwt'])(
    'must be there when asked for, as %s',
    async (typ) => {
      for (const asked of ['at+jwt', 'application/at+JWT']) {
        const strict = jwtWith(ed, { typ: asked })
        expect(await judge(strict, await signed(ed, { header: { typ } }))).toMatchObject({ kind: 'accept' })
        expect(await judge(strict, await signed(ed))).toEqual(invalid)
        expect(await judge(strict, await signed(ed, { header: { typ: 'JWT' } }))).toEqual(invalid)
      }
    },
  )
})

describe('two issuers', () => {
  test('with the same kid cannot speak for each other', async () => {
    const [one, two] = [await pairOf('Ed25519', 'same'), await pairOf('Ed25519', 'same')]
    const both = jwt({
      ...required,
      issuer: [issuer, otherIssuer],
      algorithms: ['Ed25519'],
      keys: { [issuer]: localJwks({ keys: [one.jwk] }), [otherIssuer]: localJwks({ keys: [two.jwk] }) },
    })
    const ofTwo = { claims: { iss: otherIssuer } }
    expect(await accepted(both, await signed(one))).toMatchObject({ principal: { provider: issuer } })
    expect(await accepted(both, await signed(two, ofTwo))).toMatchObject({
      principal: { provider: otherIssuer },
    })
    expect(await judge(both, await signed(one, ofTwo))).toEqual(invalid)
    expect(await judge(both, await signed(two))).toEqual(invalid)
  })

  test('may use a secret and public keys, each only its own', async () => {
    const both = jwt({
      ...required,
      issuer: [issuer, otherIssuer],
      algorithms: ['HS256', 'Ed25519'],
      keys: { [issuer]: hmacSecret(secret), [otherIssuer]: localJwks({ keys: [ed.jwk] }) },
    })
    const claims = { iss: otherIssuer }
    expect(await judge(both, macced({ alg: 'HS256' }, goodClaims, secret))).toMatchObject({ kind: 'accept' })
    expect(await judge(both, macced({ alg: 'HS256' }, { ...goodClaims, ...claims }, secret))).toEqual(invalid)
    expect(await judge(both, await signed(ed, { claims }))).toMatchObject({ kind: 'accept' })
    expect(await judge(both, await signed(ed))).toEqual(invalid)
  })
})

describe('a signature', () => {
  test.each(['Ed25519', 'EdDSA', 'ES256', 'RS256', 'PS256'])(
    'of %s is checked without any promise once its key was imported',
    async (alg) => {
      const pair = await pairOf(alg)
      const uncached = jwtWith(pair, { cacheSize: 0 })
      await accepted(uncached, await signed(pair))
      const forged = await signed(await pairOf(alg))
      expect(judgeAtOnce(uncached, await signed(pair))).toMatchObject({ kind: 'accept' })
      expect(judgeAtOnce(uncached, forged)).toEqual(invalid)
    },
  )

  test.each(['ES384', 'ES512'])('of %s is left to the thread pool', async (alg) => {
    const pair = await pairOf(alg)
    const uncached = jwtWith(pair, { cacheSize: 0 })
    const token = await signed(pair)
    await accepted(uncached, token)
    expect(() => judgeAtOnce(uncached, token)).toThrow('the verdict is a promise')
    expect(await judge(uncached, await signed(await pairOf(alg)))).toEqual(invalid)
  })

  test.each(['Ed25519', 'ES256', 'ES384', 'ES512'])(
    'of %s that is too short or too long is refused before a key is looked for',
    async (alg) => {
      const pair = await pairOf(alg)
      const counts = { checks: 0 }
      const token = await signed(pair)
      const at = token.lastIndexOf('.') + 1
      const bytes = Buffer.from(token.slice(at), 'base64url')
      for (const wrong of [bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(1)])]) {
        const respelt = token.slice(0, at) + wrong.toString('base64url')
        expect(judgeAtOnce(jwtWith(pair), respelt, { counts })).toEqual(invalid)
      }
      expect(counts.checks).toBe(0)
    },
  )
})

describe('a method without a cache', () => {
  test('neither hashes nor remembers a token', async () => {
    const counts = { checks: 0 }
    const uncached = jwtWith(ed, { cacheSize: 0 })
    const token = await signed(ed)
    await accepted(uncached, token, { counts })
    await accepted(uncached, token, { counts })
    expect(counts.checks).toBe(2)
    const talk = uncached.judge(shown('eyJ.a.b'))
    expect(talk.next()).toEqual({ done: true, value: invalid })
  })
})

describe('a token that was verified before', () => {
  test('is accepted again without any promise and without a signature check', async () => {
    const counts = { checks: 0 }
    const fresh = jwtWith(ed)
    const token = await signed(ed)
    const first = await accepted(fresh, token, { counts })
    expect(judgeAtOnce(fresh, token, { counts })).toBe(first)
    expect(counts.checks).toBe(1)
  })

  test('is forgotten when it expires', async () => {
    const fresh = jwtWith(ed)
    const token = await signed(ed)
    await accepted(fresh, token)
    expect(judgeAtOnce(fresh, token, { at: now + 604_999 })).toMatchObject({ kind: 'accept' })
    expect(await judge(fresh, token, { at: now + 605_000 })).toEqual(expired)
  })

  test('is never remembered when it was refused', async () => {
    const counts = { checks: 0 }
    const fresh = jwtWith(ed)
    const forged = await signed(await pairOf('Ed25519'))
    expect(await judge(fresh, forged, { counts })).toEqual(invalid)
    expect(await judge(fresh, forged, { counts })).toEqual(invalid)
    expect(counts.checks).toBe(2)
  })

  test('makes room for newer ones, the oldest first', async () => {
    const counts = { checks: 0 }
    const small = jwtWith(ed, { cacheSize: 2 })
    const [one, two, three] = await Promise.all(['1', '2', '3'].map((jti) => signed(ed, { claims: { jti } })))
    if (one === undefined || two === undefined || three === undefined) throw new Error('three tokens')
    for (const token of [one, two, three]) await accepted(small, token, { counts })
    judgeAtOnce(small, three, { counts })
    judgeAtOnce(small, two, { counts })
    expect(counts.checks).toBe(3)
    await accepted(small, one, { counts })
    expect(counts.checks).toBe(4)
  })

  test('is verified each time when nothing shall be remembered', async () => {
    const counts = { checks: 0 }
    const forgetful = jwtWith(ed, { cacheSize: 0 })
    const token = await signed(ed)
    await accepted(forgetful, token, { counts })
    await accepted(forgetful, token, { counts })
    expect(counts.checks).toBe(2)
  })
})

describe('a key', () => {
  test('is found without kid only when no other key fits', async () => {
    const other = await pairOf('Ed25519', 'two')
    const token = await signed(ed, { header: { kid: undefined } })
    const [keys, alone] = [
      [ed.jwk, other.jwk],
      [ed.jwk, rsa.jwk],
    ].map((keys) => localJwks({ keys }))
    if (keys === undefined || alone === undefined) throw new Error('two sources')
    expect(await judge(jwtWith(ed, { keys }), token)).toEqual(invalid)
    expect(await judge(jwtWith(ed, { keys: alone }), token)).toMatchObject({ kind: 'accept' })
  })

  test('is ambiguous when two share kid and algorithm', async () => {
    const keys = localJwks({ keys: [ed.jwk, (await pairOf('Ed25519')).jwk] })
    expect(await judge(jwtWith(ed, { keys }), await signed(ed))).toEqual(invalid)
  })

  test('may share its kid with a key of another kind', async () => {
    const keys = localJwks({ keys: [rsa.jwk, ed.jwk] })
    expect(await judge(jwtWith(ed, { keys }), await signed(ed))).toMatchObject({ kind: 'accept' })
  })

  test('that states no algorithm stands for the only scheme of its kind', async () => {
    const { alg: _alg, ...silent } = rsa.jwk
    const keys = localJwks({ keys: [silent] })
    const token = await signed(rsa)
    expect(await judge(jwtWith(rsa, { keys, algorithms: ['RS256', 'ES256'] }), token)).toMatchObject({
      kind: 'accept',
    })
    expect(await judge(jwtWith(rsa, { keys, algorithms: ['RS256', 'PS256'] }), token)).toEqual(invalid)
  })

  test('that states no algorithm serves both names of Ed25519', async () => {
    const { alg: _alg, ...silent } = ed.jwk
    const both = jwtWith(ed, { keys: localJwks({ keys: [silent] }), algorithms: ['EdDSA', 'Ed25519'] })
    expect(await judge(both, await signed(ed))).toMatchObject({ kind: 'accept' })
    expect(await judge(both, await signed({ ...ed, alg: 'EdDSA' }))).toMatchObject({ kind: 'accept' })
  })

  test.each([
    ['for encryption', { use: 'enc' }],
    ['for other operations', { key_ops: ['encrypt'] }],
    ['that is symmetric', { kty: 'oct', k: 'A'.repeat(43) }],
    ['of an unknown kind', { kty: 'AKP' }],
    ['without its number', { x: undefined }],
    ['whose number is no base64url', { x: '+'.repeat(43) }],
    ['whose number is empty', { x: '' }],
  ])('%s is no key', (_name, change) => {
    expect(() => localJwks({ keys: [{ ...ed.jwk, ...change }] })).toThrow(MisuseError)
  })

  test('of RSA has at least 2048 bits', () => {
    const modulus = (bytes: number[]): object => ({ ...rsa.jwk, n: Buffer.from(bytes).toString('base64url') })
    const ones = (count: number): number[] => Array.from({ length: count }, () => 0xff)
    const short = [ones(128), ones(255), [0x7f, ...ones(255)], [0, 0x7f, ...ones(255)], [0]]
    for (const bytes of short) expect(() => localJwks({ keys: [modulus(bytes)] })).toThrow(MisuseError)
    for (const bytes of [ones(256), [0, ...ones(256)], [1, ...ones(256)]]) {
      expect(localJwks({ keys: [modulus(bytes)] }).kind).toBe('public')
    }
  })

  test('whose point is not on the curve is an outage, not a refusal', async () => {
    const ec = await pairOf('ES256')
    const broken = { ...ec, jwk: { ...ec.jwk, y: 'E'.repeat(43) } }
    await expect(judge(jwtWith(broken), await signed(ec))).rejects.toMatchObject({ code: 'keys_unavailable' })
  })

  test('is used without its private part', async () => {
    const keys = localJwks({ keys: [{ ...ed.jwk, d: 'A'.repeat(43) } as object] })
    expect(await judge(jwtWith(ed, { keys }), await signed(ed))).toMatchObject({ kind: 'accept' })
  })
})

describe('options', () => {
  const bad: readonly (readonly [string, () => Partial<JwtOptions>])[] = [
    ['no algorithm', () => ({ algorithms: [] })],
    ['none', () => ({ algorithms: ['none' as 'HS256'] })],
    ['an unknown algorithm', () => ({ algorithms: ['Ed25519', 'toString' as 'HS256'] })],
    ['HS256 beside public keys', () => ({ algorithms: ['HS256', 'Ed25519'] })],
    ['a secret beside public algorithms', () => ({ keys: hmacSecret(secret) })],
    ['no issuer', () => ({ issuer: [] })],
    ['an empty issuer', () => ({ issuer: '' })],
    ['an empty audience', () => ({ audience: ['chat', ''] })],
    ['an empty typ', () => ({ typ: '' })],
    ['one source for two issuers', () => ({ issuer: [issuer, otherIssuer] })],
    ['keys of another issuer', () => ({ keys: { [otherIssuer]: localJwks({ keys: [ed.jwk] }) } })],
    ['a leeway over a minute', () => ({ clockToleranceMs: 60_001 })],
    ['a negative leeway', () => ({ clockToleranceMs: -1 })],
    ['an endless life', () => ({ maxAgeMs: Infinity })],
    ['half a cache entry', () => ({ cacheSize: 0.5 })],
    ['an unnamed subject', () => ({ claims: { subject: '' } })],
    [
      'an issuer whose keys no algorithm serves',
      () => ({
        issuer: [issuer, otherIssuer],
        algorithms: ['HS256'],
        keys: { [issuer]: hmacSecret(secret), [otherIssuer]: localJwks({ keys: [ed.jwk] }) },
      }),
    ],
  ]

  test.each(bad)('refuse %s', (_name, options) => {
    expect(() => jwtWith(ed, options())).toThrow(MisuseError)
  })

  test('refuse a secret below 32 bytes', () => {
    expect(() => hmacSecret(new Uint8Array(31))).toThrow(MisuseError)
    expect(() => hmacSecret('x'.repeat(40) as unknown as Uint8Array)).toThrow(MisuseError)
  })

  test('keep a secret out of logs and out of the hands of its former owner', () => {
    const bytes = Uint8Array.from(secret)
    const source = hmacSecret(bytes)
    bytes.fill(0)
    expect(source.secret()).toEqual(secret)
    expect(JSON.stringify(source)).not.toContain('7')
  })
})

test('any text gives a verdict and nothing else', () => {
  const hmac = jwt({ ...required, algorithms: ['HS256'], keys: hmacSecret(secret) })
  const json = fc.oneof(
    fc.json(),
    fc.dictionary(fc.constantFrom(...Object.keys(goodClaims), 'roles', 'nbf'), fc.jsonValue()),
  )
  const header = fc.oneof(
    fc.constant({ alg: 'HS256' }),
    json,
    fc.record({ alg: fc.constant('HS256'), kid: fc.jsonValue() }),
  )
  const payload = fc.oneof(
    json,
    fc.jsonValue().map((value) => ({ ...goodClaims, roles: value })),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map((tail) => `eyJ${tail}`),
    fc.tuple(header, payload).map(([first, second]) => macced(first, second, secret)),
  )
  fc.assert(
    fc.property(text, (token) => {
      const verdict = judgeAtOnce(hmac, token)
      expect(['accept', 'deny']).toContain(verdict.kind)
    }),
    { numRuns: Number(process.env.COUNTERSIGN_FUZZ_RUNS ?? 10_000) },
  )
})

test('no byte of a token may change', async () => {
  const token = await signed(ed)
  const places = Array.from({ length: 60 }, (_, index) => Math.floor((index * token.length) / 60))
  for (const place of places) {
    const changed = token.slice(0, place) + (token[place] === 'A' ? 'B' : 'A') + token.slice(place + 1)
    expect(await judge(jwtWith(ed), changed)).toEqual(invalid)
  }
})

test('a port that fails passes through', () => {
  const answers = {
    ...answersOf(),
    hash: (): never => {
      throw new Error('no hash')
    },
  }
  expect(() => drive(method.judge(shown('eyJ.a.b')), answers)).toThrow('no hash')
})
