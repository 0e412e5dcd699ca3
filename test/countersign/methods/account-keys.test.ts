import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { challengeFrames, wampHello, type Records } from '../../../packages/countersign/src/index.ts'
import type { Challenge } from '../../../packages/countersign/src/core/ports.ts'
import {
  accounts,
  cryptosign,
  cryptosignPrincipals,
  scram,
  scramPrincipals,
  wampTls,
} from '../../../packages/countersign/src/methods/index.ts'
import {
  ed25519Signer,
  scramKeys,
  type ScramKeyOptions,
} from '../../../packages/countersign/src/platform/node.ts'
import {
  issuedAtMs,
  sampleAccount,
  samplePublicKey,
  sampleScramKey,
  sampleSecret,
} from '../../../packages/countersign/src/testing/index.ts'
import { noon } from '../support/conversation.ts'
import {
  expectAccepted,
  expectAlike,
  helloOf,
  stage,
  type Held,
  type Reply,
  type Stage,
} from './wamp-support.ts'

const from = wampHello()
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }
const nonce = 'rOprNGfwEbeRWgbNEkqO'

/** Puts SCRAM keys of a password, as a command would. */
async function enableScram(
  records: Records,
  password: string,
  { username = 'alice', ...options }: Partial<ScramKeyOptions> & { readonly username?: string } = {},
): Promise<void> {
  const keys = await scramKeys(password, { kdf: 'pbkdf2', iterations: 5_000, ...options })
  const { kdf, iterations, memory, salt, 'stored-key': storedKey, 'server-key': serverKey } = keys
  const row = { username, kdf, iterations, memory, salt, storedKey, serverKey, changedAtMs: issuedAtMs }
  await records.putScramKey(row)
}

/** What a client of `wamp-scram` answers. */
function proves(password: string, name = 'alice'): Reply {
  return ({ extra }: Challenge) => {
    const { nonce: both, salt, iterations } = extra as { nonce: string; salt: string; iterations: number }
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256')
    const signed = `n=${name},r=${nonce},r=${both},s=${salt},i=${iterations},c=biws,r=${both}`
    const clientKey = createHmac('sha256', salted).update('Client Key').digest()
    const storedKey = createHash('sha256').update(clientKey).digest()
    const signature = createHmac('sha256', storedKey).update(signed).digest()
    const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))
    return { text: Buffer.from(proof).toString('base64'), extra: { nonce: both } }
  }
}

const scramMethod = scram({ from, sources: [accounts()] })
const joinBy = (
  place: Stage,
  authid: string,
  reply: Reply = proves('pencil'),
  name = 'wamp-scram',
): Promise<Held> => place.hold(scramMethod, helloOf(name, { authid, join: { authextra: { nonce } } }), reply)

/** A place with the account of alice, who has SCRAM keys. */
async function scramStage(): Promise<Stage> {
  const place = stage()
  await place.records.putAccount(sampleAccount())
  await enableScram(place.records, 'pencil')
  return place
}

describe('SCRAM keys of an account', () => {
  test('let its holder in, with the roles and the name of the account', async () => {
    const held = await joinBy(await scramStage(), 'alice')
    const { principal, grant, untilMs } = expectAccepted(held)
    expect(principal).toMatchObject({
      id: 'alice',
      roles: ['member'],
      provider: 'accounts',
      method: 'wamp-scram',
    })
    expect(principal.claims['authid']).toBe('alice')
    expect(grant).toMatchObject({ subject: 'alice', roles: ['member'], token: undefined, issuedAtMs: noon })
    expect(untilMs).toBe(Infinity)
    expect(held.challenges[0]?.extra).toMatchObject({ kdf: 'pbkdf2', iterations: 5_000, memory: null })
  })

  test('are found by the name as it is stored: capitals are another name, with another salt', async () => {
    const place = await scramStage()
    const spelled = async (name: string): Promise<readonly unknown[]> => {
      const { verdict, challenges } = await joinBy(place, name, proves('pencil', name))
      return [verdict.kind, challenges[0]?.extra['salt']]
    }
    const salts = [
      await spelled('alice'),
      await spelled('Alice'),
      await spelled('petra'),
      await spelled('Petra'),
    ]
    expect(new Set(salts).size).toBe(4)
  })

  test('are guessed at slowly', async () => {
    const place = await scramStage()
    for (let at = 0; at < 5; at++) await joinBy(place, 'alice', proves('no'))
    expect(await joinBy(place, 'alice')).toMatchObject({ verdict: { reason: 'too_many_attempts' } })
  })

  test('let nobody in with another password, or while the account is disabled', async () => {
    const place = await scramStage()
    const wrong = await joinBy(place, 'alice', proves('no'))
    expect(wrong).toMatchObject(denied)
    await place.records.putAccount(sampleAccount({ disabled: true }))
    const disabled = await joinBy(place, 'alice')
    expect(disabled).toMatchObject(denied)
    expectAlike(wrong, disabled)
  })

  test('let nobody in once they have ended, or without an account', async () => {
    const place = await scramStage()
    await enableScram(place.records, 'pencil', { username: 'bob' })
    expect(await joinBy(place, 'bob', proves('pencil', 'bob'))).toMatchObject(denied)
    await place.records.endScramKey('alice')
    expect(await joinBy(place, 'alice')).toMatchObject(denied)
  })

  test('are no use to a dialect that derives otherwise', async () => {
    const place = await scramStage()
    await place.records.putScramKey(sampleScramKey({ kdf: 'argon2id-13' }))
    const strict = await joinBy(place, 'alice')
    expect(strict).toMatchObject(denied)
    expect(strict.challenges[0]?.extra['kdf']).not.toBe('argon2id-13')
    expect((await joinBy(place, 'alice', () => '', 'scram')).challenges[0]?.extra['kdf']).toBe('argon2id-13')
  })

  test('stand beside a challenge secret, before it', async () => {
    const place = await scramStage()
    await place.records.putChallengeSecret(
      sampleSecret({ authid: 'alice', secret: 'other', expiresAtMs: Infinity }),
    )
    expect(expectAccepted(await joinBy(place, 'alice')).principal.provider).toBe('accounts')
    await place.records.endScramKey('alice')
    const { provider } = expectAccepted(await joinBy(place, 'alice', proves('other'))).principal
    expect(provider).toBe('records')
  })
})

describe('a name without SCRAM keys', () => {
  test.each(['wamp-scram', 'scram', 'scram-sha-256'])(
    'cannot be told from a wrong proof under %s',
    async (name) => {
      const place = await scramStage()
      await place.records.putAccount(sampleAccount({ username: 'carol' }))
      const wrong = await joinBy(place, 'alice', proves('no'), name)
      expect(wrong).toMatchObject(denied)
      for (const authid of ['petra', 'carol'])
        expectAlike(wrong, await joinBy(place, authid, proves('no', authid), name))
    },
  )

  test('is challenged in the shape of real keys, the same each time', async () => {
    const place = await scramStage()
    await enableScram(place.records, 'pencil', {
      username: 'bob',
      iterations: 7_000,
      salt: Buffer.alloc(24, 1),
    })
    const seen = new Map<unknown, number>()
    for (let at = 0; at < 24; at++) {
      const [first, again] = [await joinBy(place, `x${at}`), await joinBy(place, `x${at}`)]
      const { salt, iterations, kdf } = first.challenges[0]?.extra ?? {}
      expect(again.challenges[0]?.extra).toMatchObject({ salt, iterations, kdf })
      expect(Buffer.from(String(salt), 'base64').length).toBe(iterations === 5_000 ? 16 : 24)
      seen.set(iterations, (seen.get(iterations) ?? 0) + 1)
    }
    expect(new Set(seen.keys())).toEqual(new Set([5_000, 7_000]))
  })

  test('may be challenged as for a challenge secret where there is one', async () => {
    const place = await scramStage()
    await place.records.putChallengeSecret(sampleSecret())
    const rounds = new Set<unknown>()
    for (let at = 0; at < 24; at++)
      rounds.add((await joinBy(place, `x${at}`)).challenges[0]?.extra['iterations'])
    expect(rounds).toEqual(new Set([4_096, 5_000]))
  })
})

test('a name that two sources know is the first one\u2019s', async () => {
  const place = await scramStage()
  const keys = await scramKeys('listed', { kdf: 'pbkdf2', iterations: 4_096 })
  const both = scram({ from, sources: [scramPrincipals({ alice: { ...keys, role: 'a' } }), accounts()] })
  const hello = helloOf('wamp-scram', { authid: 'alice', join: { authextra: { nonce } } })
  expect(expectAccepted(await place.hold(both, hello, proves('listed'))).principal.provider).toBe('static')
  expect(await place.hold(both, hello, proves('pencil'))).toMatchObject(denied)
})

const signers = [1, 2, 3].map((seed) => ed25519Signer(new Uint8Array(32).fill(seed)))
const [first, second, stranger] = signers as [(typeof signers)[0], (typeof signers)[0], (typeof signers)[0]]
type Signer = typeof first

function signs(signer: Signer): Reply {
  return ({ extra }) => {
    const message = Buffer.from(String(extra['challenge']), 'hex')
    const signature = signer.sign(message)
    if (!(signature instanceof Uint8Array)) throw new Error('Node signs at once')
    return { text: Buffer.concat([signature, message]).toString('hex'), extra: { pubkey: signer.publicKey } }
  }
}

const cryptosignMethod = cryptosign({ from, sources: [accounts()] })
const joinWith = (place: Stage, signer: Signer, authid?: string, pubkey = signer.publicKey): Promise<Held> =>
  place.hold(
    cryptosignMethod,
    helloOf('cryptosign', { authid, join: { authextra: { pubkey } } }),
    signs(signer),
  )

/** A place with two keys of alice, and none of bob. */
async function keyStage(): Promise<Stage> {
  const place = stage()
  for (const username of ['alice', 'bob']) await place.records.putAccount(sampleAccount({ username }))
  for (const { publicKey } of [first, second])
    await place.records.addPublicKey(samplePublicKey({ publicKey }))
  return place
}

describe('public keys of an account', () => {
  test('let their holder in, with the roles and the name of the account', async () => {
    const place = await keyStage()
    for (const signer of [first, second]) {
      const { principal, grant, untilMs } = expectAccepted(await joinWith(place, signer, 'alice'))
      expect(principal).toMatchObject({
        id: 'alice',
        roles: ['member'],
        provider: 'accounts',
        method: 'cryptosign',
      })
      expect(grant).toMatchObject({ subject: 'alice', issuedAtMs: noon })
      expect(untilMs).toBe(Infinity)
    }
  })

  test('stand for whoever names nobody, or writes the name or the key in other letters', async () => {
    const place = await keyStage()
    expect(expectAccepted(await joinWith(place, first)).principal.id).toBe('alice')
    expectAccepted(await joinWith(place, first, 'ALICE', first.publicKey.toUpperCase()))
  })

  test('let nobody in as another, while the account is disabled, or once they have ended', async () => {
    const place = await keyStage()
    const asBob = await joinWith(place, first, 'bob')
    expect(asBob).toMatchObject(denied)
    await place.records.endPublicKey('alice', second.publicKey)
    expectAlike(asBob, await joinWith(place, second, 'alice'))
    await place.records.putAccount(sampleAccount({ disabled: true }))
    expectAlike(asBob, await joinWith(place, first, 'alice'))
    expectAlike(await joinWith(place, stranger), await joinWith(place, first))
  })

  test('that nobody has cannot be told from wrong signatures', async () => {
    const place = await keyStage()
    const hello = helloOf('cryptosign', { authid: 'alice', join: { authextra: { pubkey: first.publicKey } } })
    const wrong = await place.hold(cryptosignMethod, hello, signs(stranger))
    expect(wrong).toMatchObject(denied)
    for (const authid of ['alice', 'bob', 'nobody'])
      expectAlike(wrong, await joinWith(place, stranger, authid))
    expectAlike(wrong, await joinWith(place, stranger))
  })

  test('come beside the signature on plain sockets, where the name is all that is known before', async () => {
    const place = await keyStage()
    const plain = cryptosign({ from: challengeFrames(), sources: [accounts()] })
    const hold = (authid: string | undefined, signer: Signer): Promise<Held> =>
      place.hold(plain, { ...helloOf('cryptosign', { authid }), join: undefined }, signs(signer))
    expectAccepted(await hold('Alice', second))
    const wrong = await hold('alice', stranger)
    expect(wrong).toMatchObject(denied)
    for (const authid of ['bob', 'nobody', undefined]) expectAlike(wrong, await hold(authid, first))
  })

  test('are asked for where a list knows neither name nor key', async () => {
    const place = await keyStage()
    const listed = cryptosignPrincipals({ peter: { authorized_keys: [stranger.publicKey], role: 'a' } })
    const both = cryptosign({ from, sources: [listed, accounts()] })
    const hello = helloOf('cryptosign', { authid: 'alice', join: { authextra: { pubkey: first.publicKey } } })
    expectAccepted(await place.hold(both, hello, signs(first)))
  })
})

test('the account database knows no client certificates', () => {
  expect(() => wampTls({ from, sources: [accounts()] })).toThrow('account database')
})
