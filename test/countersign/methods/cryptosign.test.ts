import { describe, expect, test } from 'vitest'
import { challengeFrames } from '../../../packages/countersign/src/index.ts'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import type { Challenge } from '../../../packages/countersign/src/core/ports.ts'
import {
  cryptosign,
  cryptosignPrincipals,
  functionAuthenticator,
  normalisePublicKey,
  type CryptosignPrincipal,
} from '../../../packages/countersign/src/methods/index.ts'
import { ed25519Signer, nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { webcryptoPlatform } from '../../../packages/countersign/src/platform/webcrypto.ts'
import { expectAccepted, expectAlike, helloOf, stage, type Held, type Reply } from './wamp-support.ts'

const from = wampHello()
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const channelId = '62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff'

/** Seed, public key, challenge, signature; then the challenge bound to the channel, and its signature. */
const vectors = [
  {
    seed: '4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510',
    key: '1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d',
    challenge: 'ff'.repeat(32),
    signature:
      'b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0cae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03',
    bound: '9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00',
    boundSignature:
      '9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f',
  },
  {
    seed: 'd511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd',
    key: '6ed32739ff04a6074044ff0b0e3bfc7c856bc9d5f1d25efc57363bda0af3a8b0',
    challenge: 'b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d',
    signature:
      'd4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660f',
    bound: 'd0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282',
    boundSignature:
      '305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a427c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01',
  },
  {
    seed: '6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b',
    key: '28e11f427b82b9a625ee7ac89a7d29326b505f2dc11dd88c1245f83b6da79a85',
    challenge: 'b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2',
    signature:
      '7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1ec184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30b',
    bound: 'd2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d',
    boundSignature:
      'ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608',
  },
] as const
const [, second, third] = vectors

describe.each(vectors)('the published signatures of $key', (vector) => {
  test('are what signers of these seeds make', async () => {
    const signer = ed25519Signer(hex(vector.seed))
    expect(signer.publicKey).toBe(vector.key)
    expect(Buffer.from(await signer.sign(hex(vector.challenge))).toString('hex')).toBe(vector.signature)
    expect(Buffer.from(await signer.sign(hex(vector.bound))).toString('hex')).toBe(vector.boundSignature)
  })

  test.each([
    ['node', nodePlatform()],
    ['webcrypto', webcryptoPlatform()],
  ])('are right on the platform %s, and no others are', async (_name, platform) => {
    const publicKey = hex(vector.key)
    const message = hex(vector.challenge)
    const signature = hex(vector.signature)
    expect(await platform.verifyEd25519({ publicKey, message, signature })).toBe(true)
    expect(await platform.verifyEd25519({ publicKey, message: hex(vector.bound), signature })).toBe(false)
    expect(
      await platform.verifyEd25519({ publicKey: publicKey.map((byte) => byte ^ 1), message, signature }),
    ).toBe(false)
    expect(await platform.verifyEd25519({ publicKey, message, signature: signature.subarray(1) })).toBe(false)
    expect(await platform.verifyEd25519({ publicKey: new Uint8Array(31), message, signature })).toBe(false)
  })

  test('are over challenges bound to the channel by exclusive or', () => {
    const id = hex(channelId)
    const bound = hex(vector.challenge).map((byte, at) => byte ^ (id[at] ?? 0))
    expect(Buffer.from(bound).toString('hex')).toBe(vector.bound)
  })
})

/** Answers as clients do: the signature, then what was signed. */
const answering =
  (seed: string, change: (message: Uint8Array) => Uint8Array = (message) => message): Reply =>
  ({ extra }) =>
    answerTo(seed, change(hex(String(extra['challenge']))))

function answerTo(seed: string, message: Uint8Array): string {
  const signature = ed25519Signer(hex(seed)).sign(message)
  if (!(signature instanceof Uint8Array)) throw new Error('Node signs at once')
  return Buffer.concat([signature, message]).toString('hex')
}

const principals: Record<string, CryptosignPrincipal> = {
  peter: { authorized_keys: [second.key.toUpperCase(), third.key], role: 'backend', realm: 'realm9' },
}
const method = cryptosign({ from, sources: [cryptosignPrincipals(principals)] })
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }

function join(
  reply: Reply,
  authextra: Record<string, unknown> = { pubkey: second.key },
  facts: Parameters<typeof helloOf>[1] = {},
): Promise<Held> {
  return stage().hold(method, helloOf('cryptosign', { ...facts, join: { ...facts.join, authextra } }), reply)
}

describe('whoever signs the challenge', () => {
  test('with a key of the principal is let in, as the list says', async () => {
    const held = await join(answering(second.seed))
    expect(held.challenges).toEqual([
      {
        method: 'cryptosign',
        extra: { challenge: expect.stringMatching(/^[0-9a-f]{64}$/) as string, channel_binding: null },
      },
    ])
    expect(expectAccepted(held).principal).toMatchObject({
      id: 'peter',
      roles: ['backend'],
      realm: 'realm9',
      method: 'cryptosign',
      provider: 'static',
    })
    expectAccepted(await join(answering(third.seed), { pubkey: third.key }))
  })

  test('in upper case is let in', async () => {
    const shout: Reply = (challenge) => String(answering(second.seed)(challenge)).toUpperCase()
    expectAccepted(await join(shout, { pubkey: second.key.toUpperCase() }))
  })

  test('with another key than the announced one is refused', async () => {
    expect(await join(answering(third.seed))).toMatchObject(denied)
  })

  test.each([
    ['a byte less', (text: string) => text.slice(2)],
    ['a byte more', (text: string) => `${text}00`],
    ['no hex', (text: string) => `zz${text.slice(2)}`],
    ['nothing', () => ''],
  ])('with %s is refused', async (_what, change) => {
    expect(await join((challenge) => change(String(answering(second.seed)(challenge))))).toMatchObject(denied)
  })
})

describe('trap 9, a signature of another challenge', () => {
  test('is refused, though it is right', async () => {
    expect(await join(() => answerTo(second.seed, hex(second.challenge)))).toMatchObject(denied)
    expect(await join(() => second.signature + second.challenge)).toMatchObject(denied)
  })

  test('is refused where it claims to be over this one', async () => {
    expect(await join(({ extra }) => second.signature + String(extra['challenge']))).toMatchObject(denied)
  })

  test('is refused where an old answer is replayed', async () => {
    let old = ''
    expectAccepted(await join((challenge) => (old = String(answering(second.seed)(challenge)))))
    expect(await join(() => old)).toMatchObject(denied)
  })
})

describe('the key', () => {
  test('stands for whoever names nobody', async () => {
    expect(
      expectAccepted(await join(answering(second.seed), undefined, { authid: undefined })).principal.id,
    ).toBe('peter')
  })

  test('stands for nobody where two principals share it', async () => {
    const shared = cryptosignPrincipals({ ...principals, paul: { authorized_keys: [second.key], role: 'a' } })
    const sharing = cryptosign({ from, sources: [shared] })
    const extra = { join: { authextra: { pubkey: second.key } } }
    const hold = (authid: string | undefined): Promise<Held> =>
      stage().hold(sharing, helloOf('cryptosign', { ...extra, authid }), answering(second.seed))
    expect(await hold(undefined)).toMatchObject(denied)
    expectAccepted(await hold('paul'))
  })

  test.each([[undefined], ['00'], [second.key.slice(2)], [7]])(
    '%s is none: another method is tried',
    async (pubkey) => {
      expect(await join(() => '', { pubkey })).toMatchObject({
        verdict: { reason: 'missing_credential' },
        asked: [],
      })
    },
  )

  test('that nobody has, and a name that nobody has, are told apart from wrong signatures by nothing', async () => {
    const wrong = await join(answering(third.seed))
    expectAlike(wrong, await join(answering(second.seed), undefined, { authid: 'nobody' }))
    expectAlike(wrong, await join(answering(vectors[0].seed), { pubkey: vectors[0].key }))
    expectAlike(
      wrong,
      await join(answering(vectors[0].seed), { pubkey: vectors[0].key }, { authid: undefined }),
    )
    expect(wrong).toMatchObject(denied)
  })

  test.each([[[]], [['00']], [[second.key, 'x'.repeat(64)]]])(
    'list %j is refused as an option',
    (authorized_keys) => {
      expect(() => cryptosignPrincipals({ peter: { authorized_keys } })).toThrow('64 hex digits')
    },
  )
})

describe('channel binding', () => {
  const bound = (type: string): Parameters<typeof join> => [
    answering(second.seed, (message) => message.map((byte, at) => byte ^ (hex(channelId)[at] ?? 0))),
    { pubkey: second.key, channel_binding: type },
    { join: { channels: { 'tls-exporter': channelId, 'tls-unique': channelId } } },
  ]

  test.each(['tls-exporter', 'tls-unique'])('to %s changes what is signed', async (type) => {
    const held = await join(...bound(type))
    expectAccepted(held)
    expect(held.challenges[0]?.extra['channel_binding']).toBe(type)
    const [, ...rest] = bound(type)
    expect(await join(answering(second.seed), ...rest)).toMatchObject(denied)
  })

  test('that this connection has not is answered by none', async () => {
    const held = await join(answering(second.seed), { pubkey: second.key, channel_binding: 'tls-unique' })
    expectAccepted(held)
    expect(held.challenges[0]?.extra['channel_binding']).toBeNull()
  })
})

describe('a router with a key', () => {
  const router = ed25519Signer(hex(vectors[0].seed))
  const proving = cryptosign({ from, sources: [cryptosignPrincipals(principals)], router })
  const challengeOf = async (
    authextra: Record<string, unknown>,
    channels = {},
  ): Promise<Challenge['extra']> => {
    const hello = helloOf('cryptosign', {
      join: { channels, authextra: { pubkey: second.key, ...authextra } },
    })
    return (await stage().hold(proving, hello)).challenges[0]?.extra ?? {}
  }

  test('signs what the client challenges it with', async () => {
    const extra = await challengeOf({ challenge: vectors[0].challenge })
    expect(extra).toMatchObject({
      pubkey: router.publicKey,
      signature: vectors[0].signature + vectors[0].challenge,
    })
  })

  test('signs it for the channel', async () => {
    const extra = await challengeOf(
      { challenge: vectors[0].challenge, channel_binding: 'tls-unique' },
      { 'tls-unique': channelId },
    )
    expect(extra['signature']).toBe(vectors[0].boundSignature + vectors[0].bound)
  })

  test.each([[undefined], ['ff'], [null]])('signs nothing for the challenge %s', async (challenge) => {
    expect(Object.keys(await challengeOf({ challenge }))).toEqual(['challenge', 'channel_binding'])
  })

  test('must have one that is one', () => {
    const wrong = { ...router, publicKey: 'ff' }
    expect(() => cryptosign({ from, sources: [cryptosignPrincipals({})], router: wrong })).toThrow(
      '64 hex digits',
    )
  })
})

describe('an authenticator', () => {
  test('is told the key, and answers with the one that it knows', async () => {
    const hello0 = helloOf('cryptosign', { join: { authextra: { pubkey: second.key } } })
    const asked: unknown[] = []
    const ask = functionAuthenticator((realm, authid, details) => {
      asked.push([realm, authid, details['pubkey']])
      return { pubkey: second.key, role: 'backend', authid: 'found out' }
    })
    const dynamic = cryptosign({ from, sources: [ask] })
    const hello = helloOf('cryptosign', { authid: undefined, join: { authextra: { pubkey: second.key } } })
    const held = await stage().hold(dynamic, hello, answering(second.seed))
    expect(expectAccepted(held).principal.id).toBe('found out')
    expect(asked).toEqual([['realm1', null, second.key]])
    const several = cryptosign({
      from,
      sources: [functionAuthenticator(() => ({ authorized_keys: [third.key, second.key], role: 'a' }))],
    })
    expectAccepted(await stage().hold(several, hello0, answering(second.seed)))
    const nobody = cryptosign({ from, sources: [functionAuthenticator(() => null)] })
    expect(await stage().hold(nobody, hello0, answering(second.seed))).toMatchObject(denied)
    const other = helloOf('cryptosign', { join: { authextra: { pubkey: third.key } } })
    expect(await stage().hold(dynamic, other, answering(third.seed))).toMatchObject(denied)
  })
})

test('on a plain socket the key comes beside the signature', async () => {
  const plain = cryptosign({ from: challengeFrames(), sources: [cryptosignPrincipals(principals)] })
  const hello = { ...helloOf('cryptosign'), join: undefined }
  const reply: Reply = (challenge) => ({
    text: String(answering(second.seed)(challenge)),
    extra: { pubkey: second.key },
  })
  expectAccepted(await stage().hold(plain, hello, reply))
  expect(await stage().hold(plain, hello, answering(second.seed))).toMatchObject(denied)
})

test('a principal without a role gets the default one', async () => {
  const sources = [cryptosignPrincipals({ peter: { authorized_keys: [second.key] } })]
  const hello = helloOf('cryptosign', { join: { authextra: { pubkey: second.key } } })
  const held = await stage().hold(
    cryptosign({ from, sources, defaultRole: 'd' }),
    hello,
    answering(second.seed),
  )
  expect(expectAccepted(held).principal.roles).toEqual(['d'])
})

test('an authenticator that finds no name breaks the contract', async () => {
  const sources = [functionAuthenticator(() => ({ pubkey: second.key }))]
  const hello = helloOf('cryptosign', { authid: undefined, join: { authextra: { pubkey: second.key } } })
  await expect(stage().hold(cryptosign({ from, sources }), hello)).rejects.toThrow('authid')
})

test.each(['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(31)}`])(
  'a key under which anyone can sign is refused as an option: %s',
  (key) => {
    expect(normalisePublicKey(key)).toBeUndefined()
    expect(() => cryptosignPrincipals({ peter: { authorized_keys: [key] } })).toThrow('64 hex digits')
  },
)
