import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { hashRawSync } from '@node-rs/argon2'
import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { challengeFrames } from '../../../packages/countersign/src/index.ts'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import type { Challenge } from '../../../packages/countersign/src/core/ports.ts'
import {
  accounts,
  functionAuthenticator,
  scram,
  scramPrincipals,
  type ScramPrincipal,
} from '../../../packages/countersign/src/methods/index.ts'
import { authMessage, channelInput, saslPrep } from '../../../packages/countersign/src/wire/scram-text.ts'
import { scramKeys } from '../../../packages/countersign/src/platform/node.ts'
import { noon } from '../support/conversation.ts'
import { numRuns } from '../support/guard.ts'
import { expectAccepted, expectAlike, helloOf, stage, type Held, type Reply } from './wamp-support.ts'

const from = wampHello()
const hmac = (key: string | Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }

/** What a client says of itself, and how its text differs from the specification's. */
interface Client {
  readonly name: string
  readonly nonce: string
  readonly channel: string
  readonly salted: (extra: Challenge['extra']) => string | Uint8Array
}

/** Everything that a client computes, by its own hand. */
function compute(
  client: Client,
  extra: Challenge['extra'],
): { readonly proof: string; readonly verifier: string } {
  const { nonce, salt, iterations } = extra as { nonce: string; salt: string; iterations: number }
  const signed = [
    `n=${client.name},r=${client.nonce}`,
    `r=${nonce},s=${salt},i=${iterations}`,
    `c=${client.channel},r=${nonce}`,
  ].join(',')
  const salted = client.salted(extra)
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(sha256(clientKey), signed)
  return {
    proof: Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64'),
    verifier: hmac(hmac(salted, 'Server Key'), signed).toString('base64'),
  }
}

const pbkdf2 =
  (password: string) =>
  ({ salt, iterations }: Challenge['extra']): Uint8Array =>
    pbkdf2Sync(password, Buffer.from(String(salt), 'base64'), Number(iterations), 32, 'sha256')

const user: Client = {
  name: 'user',
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  channel: 'biws',
  salted: pbkdf2('pencil'),
}

const repeating =
  (client: Client, extra: Record<string, unknown> = {}): Reply =>
  (challenge) => ({
    text: compute(client, challenge.extra).proof,
    extra: { nonce: challenge.extra['nonce'], channel_binding: null, cbind_data: null, ...extra },
  })

const published: ScramPrincipal = {
  kdf: 'pbkdf2',
  iterations: 4_096,
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64').toString('hex'),
  'stored-key': '586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6',
  'server-key': 'c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5',
  role: 'frontend',
}
const short: ScramPrincipal = {
  ...published,
  salt: Buffer.from('aBc+fx0NAVA=', 'base64').toString('hex'),
  'stored-key': 'd1f0abec4618f18c284b455032d112ed804607b0e510b7c2b0521e3af953ce47',
  'server-key': '',
}
const serverNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const method = scram({ from, sources: [scramPrincipals({ user: published })] })
const helloFrom = (client: Client, name = 'wamp-scram', authextra: Record<string, unknown> = {}) =>
  helloOf(name, { authid: 'user', join: { authextra: { nonce: client.nonce, ...authextra } } })

describe('the vector of RFC 7677', () => {
  test('is spoken word for word', async () => {
    const held = await stage(undefined, () => serverNonce).hold(method, helloFrom(user), (challenge) => ({
      text: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      extra: { nonce: challenge.extra['nonce'], channel_binding: null, cbind_data: null },
    }))
    expect(held.challenges).toEqual([
      {
        method: 'wamp-scram',
        extra: {
          nonce: 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
          salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
          kdf: 'pbkdf2',
          iterations: 4_096,
          memory: null,
        },
      },
    ])
    expect(expectAccepted(held).principal).toEqual({
      id: 'user',
      roles: ['frontend'],
      realm: undefined,
      method: 'wamp-scram',
      provider: 'static',
      claims: {
        authid: 'user',
        authextra: { verifier: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=' },
      },
    })
  })

  test('has the keys that the password yields', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    const { role, ...keys } = published
    expect(await scramKeys('pencil', { kdf: 'pbkdf2', iterations: 4_096, salt })).toEqual(keys)
    expect(role).toBe('frontend')
    expect(pbkdf2Sync('pencil', salt, 4_096, 32, 'sha256').toString('hex')).toBe(
      'c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d',
    )
  })
})

describe('the vectors with nonces in base64', () => {
  const nonce = 'egVDf3DMJh0='
  const both = 'egVDf3DMJh0=SBmkFIh7sSo='
  const salt = Buffer.from('aBc+fx0NAVA=', 'base64')

  test.each([
    [
      'wamp-scram',
      'L1uwjEEL7BdbtlWMKxNcQ1A/CmNjct+7xdAguB/rpnA=',
      'AyTAljdPHv74Zx+gn+6DqiFnl4XOZUXpC7k/pSkjBOg=',
      'verifier',
    ],
    [
      'scram',
      'gxhBmdiKPWN4bQdkBh54u8lYPxCa8kVSpamruiv9sEo=',
      'aPQrsQ6p6DLHw4hBMrZMUMs5jKIeULIduxZ0drUyJcc=',
      'scram_server_signature',
    ],
  ])('hold for %s', async (name, proof, verifier, member) => {
    const keys = await scramKeys('pencil', { kdf: 'pbkdf2', iterations: 4_096, salt })
    expect(keys['stored-key']).toBe(short['stored-key'])
    const listed = scram({ from, sources: [scramPrincipals({ user: { ...keys, role: 'a' } })] })
    const hello = helloOf(name, { authid: 'user', join: { authextra: { nonce } } })
    const held = await stage(undefined, () => 'SBmkFIh7sSo=').hold(listed, hello, () => ({
      text: proof,
      extra: { nonce: both },
    }))
    expect(held.challenges[0]?.extra['nonce']).toBe(both)
    expect(expectAccepted(held).principal.claims['authextra']).toEqual({ [member]: verifier })
  })
})

describe('the primitives', () => {
  const [password, salt] = ['p4ssw0rd', '1234567890abcdef']

  test('are those of published clients', () => {
    const argon2 = {
      algorithm: 2,
      timeCost: 32,
      memoryCost: 512,
      parallelism: 1,
      outputLen: 32,
      salt: Buffer.from(salt),
    }
    expect(hashRawSync(password, argon2).toString('hex')).toBe(
      'ee4a8acf9d5958354fb79a95ae20692d05e42591ba49fae85eb6700e8b0ed293',
    )
    expect(pbkdf2Sync(password, salt, 8, 32, 'sha256').toString('hex')).toBe(
      'f6991a28c75f43751e0d75499fd7b8649f659118ddc1d61cee5883af547d15f5',
    )
  })

  test.each([
    [
      '3bc3ca01dd1d501ca1c22e1c5d7d16fe',
      'e796c2f0a51770303ee4616bc630a66774d51a55003154aff2a54ec7c4ac0e38',
      '8de7864c316f3c2356fd76cfdab696db55bc70e680fe5180e2f731e2345acca2',
    ],
    [
      'ae1f0d2f422757809077785e660b62c6',
      '5f19358ff6f38e267b6ef1ea1d862514ec4e8745a84682259fd3894be09febb5',
      '0d8e7e9222a7c0e54c9e979aa342115699ff5696c45dc379b5ee241338a5861d',
    ],
  ])(
    'make the keys of the dialect with salt %s',
    async (saltText, stored, server) => {
      const cost = {
        kdf: 'argon2id-13',
        iterations: 4_096,
        memory: 512,
        salt: Buffer.from(saltText, 'hex'),
      } as const
      expect(await scramKeys('secret123', cost)).toEqual({
        kdf: 'argon2id-13',
        iterations: 4_096,
        memory: 512,
        salt: saltText,
        'stored-key': stored,
        'server-key': server,
      })
    },
    60_000,
  )

  test('of the specification are others than those of the dialect, from one password and salt', async () => {
    const salt = Buffer.from('3bc3ca01dd1d501ca1c22e1c5d7d16fe', 'hex')
    const keys = await scramKeys('secret123', { kdf: 'argon2id13', iterations: 4_096, memory: 512, salt })
    expect(keys['stored-key']).toMatch(/^822b1b59[0-9a-f]+2531$/)
    expect(keys['server-key']).toMatch(/^ad22253a[0-9a-f]+6fe0$/)
  }, 60_000)
})

describe('trap 10, the dialect of Autobahn', () => {
  const cost = { iterations: 2, memory: 64 } as const
  const argon = (extra: Challenge['extra']): Buffer =>
    hashRawSync('secret123', {
      algorithm: 2,
      timeCost: Number(extra['iterations']),
      memoryCost: Number(extra['memory']),
      parallelism: 1,
      outputLen: 32,
      salt: Buffer.from(String(extra['salt']), 'base64'),
    })
  const asText = (extra: Challenge['extra']): string => argon(extra).toString('base64').replaceAll('=', '')
  const autobahn: Client = { name: 'user', nonce: 'AAAAAAAAAAAAAAAAAAAAAA==', channel: '', salted: asText }
  const strict: Client = { ...autobahn, channel: 'biws', salted: argon }

  test('is spoken under the name `scram`, with exactly the members that its client knows', async () => {
    const keys = await scramKeys('secret123', { kdf: 'argon2id-13', ...cost })
    const listed = scram({ from, sources: [scramPrincipals({ user: { ...keys, role: 'a' } })] })
    const held = await stage().hold(
      listed,
      helloFrom(autobahn, 'scram'),
      ({ extra }) => compute(autobahn, extra).proof,
    )
    const [challenge] = held.challenges
    expect(Object.keys(challenge?.extra ?? {}).toSorted()).toEqual([
      'iterations',
      'kdf',
      'memory',
      'nonce',
      'salt',
    ])
    expect(challenge?.extra['kdf']).toBe('argon2id-13')
    expect(expectAccepted(held).principal.claims['authextra']).toEqual({
      scram_server_signature: compute(autobahn, challenge?.extra ?? {}).verifier,
    })
    const other = await stage().hold(
      listed,
      helloFrom(strict, 'scram'),
      ({ extra }) => compute(strict, extra).proof,
    )
    expect(other).toMatchObject(denied)
  })

  test('has no `memory` where there is none', async () => {
    const { challenges } = await stage().hold(method, helloFrom(autobahn, 'scram'))
    expect(Object.keys(challenges[0]?.extra ?? {}).toSorted()).toEqual(['iterations', 'kdf', 'nonce', 'salt'])
  })

  test('is another thing than argon2id of the specification: keys of one are of no use under the other', async () => {
    const keys = await scramKeys('secret123', { kdf: 'argon2id13', ...cost })
    const listed = scram({ from, sources: [scramPrincipals({ user: { ...keys, role: 'a' } })] })
    const held = await stage().hold(listed, helloFrom(strict), repeating(strict))
    expect(held.challenges[0]?.extra).toMatchObject({ kdf: 'argon2id13', memory: 64 })
    expectAccepted(held)
    expect(
      await stage().hold(listed, helloFrom(autobahn, 'scram'), ({ extra }) => compute(autobahn, extra).proof),
    ).toMatchObject(denied)
  }, 60_000)
})

describe('an answer', () => {
  const hold = (reply: Reply): Promise<Held> => stage().hold(method, helloFrom(user), reply)

  test('that was made with another password is refused', async () => {
    expect(await hold(repeating({ ...user, salted: pbkdf2('pen') }))).toMatchObject(denied)
  })

  test.each([
    ['without the nonce', { nonce: undefined }],
    ['with another nonce', { nonce: user.nonce }],
    ['for a channel that nobody asked for', { channel_binding: 'tls-exporter', cbind_data: 'AAAA' }],
    ['with data of a channel that nobody asked for', { cbind_data: 'AAAA' }],
  ])('%s is refused', async (_what, extra) => {
    expect(await hold(repeating(user, extra))).toMatchObject(denied)
  })

  test('of before is refused', async () => {
    let old = ''
    expectAccepted(
      await hold((challenge) => {
        old = compute(user, challenge.extra).proof
        return { text: old, extra: { nonce: challenge.extra['nonce'] } }
      }),
    )
    expect(await hold(({ extra }) => ({ text: old, extra: { nonce: extra['nonce'] } }))).toMatchObject(denied)
  })

  test.each(['', 'AAAA', '=', 'A'.repeat(44), `${'A'.repeat(43)}=`, 'A'.repeat(1_000)])(
    '%j is refused',
    async (text) => {
      expect(await hold(({ extra }) => ({ text, extra: { nonce: extra['nonce'] } }))).toMatchObject(denied)
    },
  )
})

describe('channel binding', () => {
  const id = 'ab'.repeat(32)
  const data = Buffer.from(id, 'hex')
  const bound: Client = {
    ...user,
    channel: Buffer.concat([Buffer.from('p=tls-exporter,,'), data]).toString('base64'),
  }
  const hold = (
    client: Client,
    extra: Record<string, unknown>,
    channels: object = { 'tls-exporter': id },
  ) => {
    const authextra = { nonce: client.nonce, channel_binding: 'tls-exporter' }
    return stage().hold(
      method,
      helloOf('wamp-scram', { authid: 'user', join: { authextra, channels } }),
      repeating(client, extra),
    )
  }
  const said = { channel_binding: 'tls-exporter', cbind_data: data.toString('base64') }

  test('to tls-exporter is in what both sign', async () => {
    expectAccepted(await hold(bound, said))
    expect(await hold(user, said)).toMatchObject(denied)
    expect(channelInput({ type: 'tls-exporter', data })).toBe(bound.channel)
  })

  test.each([
    ['no data', { ...said, cbind_data: null }],
    ['data of another channel', { ...said, cbind_data: Buffer.alloc(32).toString('base64') }],
    ['no channel', { channel_binding: null, cbind_data: null }],
  ])('with %s in the answer is refused', async (_what, extra) => {
    expect(await hold(bound, extra)).toMatchObject(denied)
  })

  test('that this connection has not is refused at once', async () => {
    expect(await hold(bound, said, {})).toMatchObject({
      verdict: { reason: 'no_matching_method' },
      asked: [],
    })
  })
})

describe('a name that nobody has', () => {
  test.each(['wamp-scram', 'scram', 'scram-sha-256'])(
    'cannot be told from a wrong proof under %s',
    async (name) => {
      for (const sources of [[scramPrincipals({ user: published })], [accounts()]]) {
        const both = scram({ from, sources })
        const place = stage()
        await place.records.putChallengeSecret(secretOf('user'))
        const wrong = (authid: string): Promise<Held> =>
          place.hold(
            both,
            helloOf(name, { authid, join: { authextra: { nonce: user.nonce } } }),
            repeating({ ...user, salted: pbkdf2('no') }),
          )
        const unknown = await wrong('petra')
        expectAlike(await wrong('user'), unknown)
        expect(unknown).toMatchObject(denied)
      }
    },
  )

  test('has the same salt each time, and another one than its neighbour', async () => {
    const saltOf = async (authid: string): Promise<unknown> => {
      const hello = helloOf('wamp-scram', { authid, join: { authextra: { nonce: user.nonce } } })
      return (await stage().hold(method, hello)).challenges[0]?.extra['salt']
    }
    expect(await saltOf('petra')).toBe(await saltOf('petra'))
    expect(await saltOf('petra')).not.toBe(await saltOf('paul'))
  })

  test('is drawn from the shapes that the dialect can speak', async () => {
    const both = scramPrincipals({
      user: published,
      auto: { ...published, kdf: 'argon2id-13', memory: 512, iterations: 7 },
    })
    const listed = scram({ from, sources: [both] })
    for (let at = 0; at < 20; at++) {
      const hello = (name: string) => helloOf(name, { authid: `x${at}`, join: { authextra: { nonce: 'n' } } })
      const { challenges } = await stage().hold(listed, hello('wamp-scram'))
      expect(challenges[0]?.extra).toMatchObject({ kdf: 'pbkdf2', iterations: 4_096 })
    }
  })
})

function secretOf(authid: string) {
  return {
    authid,
    secret: 'pencil',
    salting: undefined,
    subject: 'alice',
    roles: ['member'],
    session: 'login-1',
    uses: 'session',
    issuedAtMs: noon - 1,
    expiresAtMs: noon + 1_000,
  } as const
}

describe('challenge secrets of the records', () => {
  test('that are kept in clear open this door too, on plain sockets and in sessions', async () => {
    const place = stage()
    await place.records.putChallengeSecret(secretOf('user'))
    const plain = scram({ from: challengeFrames() })
    const hello = { ...helloOf('scram-sha-256', { authid: 'user', nonce: user.nonce }), join: undefined }
    const held = await place.hold(plain, hello, ({ extra }) => compute(user, extra).proof)
    const { principal, grant, untilMs } = expectAccepted(held)
    expect(principal).toMatchObject({ id: 'alice', method: 'scram-sha-256', provider: 'records' })
    expect(grant).toMatchObject({ session: 'login-1', token: 'user' })
    expect(untilMs).toBe(noon + 1_000)
    expectAccepted(await place.hold(scram({ from }), helloFrom(user), repeating(user)))
  })

  test('for one use open once', async () => {
    const place = stage()
    await place.records.putChallengeSecret({ ...secretOf('user'), uses: 'one' })
    expectAccepted(await place.hold(scram({ from }), helloFrom(user), repeating(user)))
    expect(await place.hold(scram({ from }), helloFrom(user), repeating(user))).toMatchObject(denied)
  })

  test('of two who show one for one use at once open for one of them', async () => {
    const place = stage()
    await place.records.putChallengeSecret({ ...secretOf('user'), uses: 'one' })
    const twice: Reply = (challenge) => {
      void place.records.takeChallengeSecret('user')
      return repeating(user)(challenge)
    }
    expect(await place.hold(scram({ from }), helloFrom(user), twice)).toMatchObject(denied)
  })

  test('are prepared as passwords are', async () => {
    const place = stage()
    await place.records.putChallengeSecret({ ...secretOf('user'), secret: '\uff50encil' })
    expectAccepted(await place.hold(scram({ from }), helloFrom(user), repeating(user)))
    await place.records.putChallengeSecret({ ...secretOf('user'), secret: 'pen\u0007cil' })
    const raw = { ...user, salted: pbkdf2('pen\u0007cil') }
    expectAccepted(await place.hold(scram({ from }), helloFrom(raw), repeating(raw)))
  })

  test('that are salted do not: only their derived key is known', async () => {
    const place = stage()
    const salting = { salt: 'salt', iterations: 10, keylen: 32 }
    await place.records.putChallengeSecret({ ...secretOf('user'), salting })
    expect(await place.hold(scram({ from }), helloFrom(user), repeating(user))).toMatchObject(denied)
  })
})

describe('the method', () => {
  test.each([undefined, 7, '', 'a,b', 'a b', 'ü', 'x'.repeat(257)])(
    'leaves a hello with the nonce %j to another one',
    async (nonce) => {
      const hello = helloOf('wamp-scram', { authid: 'user', join: { authextra: { nonce } } })
      expect(await stage().hold(method, hello)).toMatchObject({
        verdict: { reason: 'missing_credential' },
        asked: [],
      })
    },
  )

  test('slows guesses by the prepared name', async () => {
    const place = stage()
    const wrong = repeating({ ...user, salted: pbkdf2('no') })
    for (let at = 0; at < 5; at++) await place.hold(method, helloFrom(user), wrong)
    const wide = helloOf('wamp-scram', { authid: '\uff55ser', join: { authextra: { nonce: user.nonce } } })
    expect(await place.hold(method, wide, wrong)).toMatchObject({ verdict: { reason: 'too_many_attempts' } })
  })

  test('shows the outcome of five guesses alone, where more are answered at once, and of no right one among them', async () => {
    const place = stage()
    const wrong = repeating({ ...user, salted: pbkdf2('no') })
    const held = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        place.hold(method, helloFrom(user), at === 7 ? repeating(user) : wrong),
      ),
    )
    expect(held.map(({ verdict }) => ('reason' in verdict ? verdict.reason : verdict.kind))).toEqual([
      ...Array<string>(5).fill('invalid_credential'),
      ...Array<string>(3).fill('too_many_attempts'),
    ])
  })

  test('reads an authenticator\u2019s keys', async () => {
    const ask = functionAuthenticator(() => ({ ...published, role: 'b' }))
    const dynamic = scram({ from, sources: [ask] })
    expect(
      expectAccepted(await stage().hold(dynamic, helloFrom(user), repeating(user))).principal.provider,
    ).toBe('function')
  })

  test.each([
    ['a kdf', { kdf: 'md5' }],
    ['a salt', { salt: 'zz'.repeat(8) }],
    ['a long enough salt', { salt: 'ab'.repeat(7) }],
    ['a stored key', { 'stored-key': 'ab' }],
    ['iterations', { iterations: 0 }],
    ['memory', { kdf: 'argon2id13' }],
  ])('refuses principals without %s', (_what, wrong) => {
    const principal = { ...published, ...wrong } as ScramPrincipal
    expect(() => scramPrincipals({ user: principal })).toThrow(/scram/)
  })
})

describe('a name', () => {
  test.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['a\u00a0b', 'a b'],
  ])('%j is prepared as RFC 4013 says: %j', (name, prepared) => {
    expect(saslPrep(name)).toBe(prepared)
  })

  test.each(['\u0007', '', '\u00ad', 'a\ue000', 'a\u200e', '\ud800'])('%j is none', (name) => {
    expect(saslPrep(name)).toBeUndefined()
  })

  test('cannot reach into the rest of the message', async () => {
    const name = 'user,r=x=y'
    const client: Client = { ...user, name: 'user=2Cr=3Dx=3Dy' }
    const listed = scram({ from, sources: [scramPrincipals({ [name]: published })] })
    const hello = helloOf('wamp-scram', { authid: name, join: { authextra: { nonce: user.nonce } } })
    expectAccepted(await stage().hold(listed, hello, repeating(client)))
  })

  test('is prepared once and for all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const prepared = saslPrep(name)
        expect(prepared === undefined ? undefined : saslPrep(prepared)).toBe(prepared)
      }),
      { numRuns },
    )
  })
})

test('the message that both sign is that of RFC 5802', () => {
  expect(
    authMessage({
      name: 'user',
      clientNonce: user.nonce,
      nonce: user.nonce + serverNonce,
      salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
      iterations: 4_096,
      channel: channelInput(undefined),
    }),
  ).toBe(
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
      's=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  )
})

test('somebody whom an authenticator does not know is refused', async () => {
  const nobody = scram({ from, sources: [functionAuthenticator(() => null)], defaultRole: 'd' })
  expect(await stage().hold(nobody, helloFrom(user), repeating(user))).toMatchObject(denied)
})

test('a principal without a role gets the default one, and the name that the list gives', async () => {
  const { role, ...roleless } = published
  expect(role).toBe('frontend')
  const sources = [scramPrincipals({ user: { ...roleless, authid: 'User' } })]
  const held = await stage().hold(
    scram({ from, sources, defaultRole: 'd' }),
    helloFrom(user),
    repeating(user),
  )
  expect(expectAccepted(held).principal).toMatchObject({ id: 'User', roles: ['d'] })
})

test('a name that may not be one is nobody\u2019s, and is told so like others', async () => {
  const of = (authid: string): Promise<Held> => {
    const hello = helloOf('wamp-scram', { authid, join: { authextra: { nonce: user.nonce } } })
    return stage().hold(method, hello, repeating(user))
  }
  expectAlike(await of('a\u0007'), await of('nobody'))
})

test('a channel of a kind that is not spoken here is refused at once', async () => {
  const authextra = { nonce: user.nonce, channel_binding: 'tls-unique' }
  const hello = helloOf('wamp-scram', { join: { authextra, channels: { 'tls-unique': 'ab'.repeat(32) } } })
  expect(await stage().hold(method, hello)).toMatchObject({ verdict: { reason: 'no_matching_method' } })
})

test('of several names the first that is spoken counts', async () => {
  const hello = { ...helloFrom(user), methods: ['other', 'wamp-scram', 'scram'] }
  expect((await stage().hold(method, hello)).challenges[0]?.method).toBe('wamp-scram')
})
