import { createHash, createHmac, generateKeyPairSync, pbkdf2Sync, randomBytes, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { challengeFrames } from '../../../packages/countersign/src/index.ts'
import {
  cryptosign,
  cryptosignPrincipals,
  functionAuthenticator,
  scram,
  scramPrincipals,
} from '../../../packages/countersign/src/methods/index.ts'
import {
  call,
  expectAccepted,
  expectRefused,
  openGuarded,
  until,
  type Caller,
  type Door,
} from '../support/sockets.ts'

const hmac = (key: string | Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

const from = challengeFrames()
const salt = randomBytes(16)
const saltedOf = (password: string): Buffer => pbkdf2Sync(password, salt, 4_096, 32, 'sha256')
const user = {
  kdf: 'pbkdf2',
  iterations: 4_096,
  salt: salt.toString('hex'),
  'stored-key': sha256(hmac(saltedOf('pencil'), 'Client Key')).toString('hex'),
  'server-key': hmac(saltedOf('pencil'), 'Server Key').toString('hex'),
  role: 'member',
} as const

const pair = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
type Pair = typeof pair
const publicKeyOf = ({ publicKey }: Pair): string =>
  Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')

const openDoor = (): Promise<Door> =>
  openGuarded({
    accept: [
      scram({ from, sources: [scramPrincipals({ user })] }),
      cryptosign({
        from,
        sources: [cryptosignPrincipals({ sensor: { authorized_keys: [publicKeyOf(pair)] } })],
      }),
    ],
  })

interface Question {
  readonly caller: Caller
  readonly method: string
  readonly extra: Readonly<Record<string, unknown>>
}

/** Opens a socket and a conversation on it. */
async function asked(door: Door, hello: Readonly<Record<string, unknown>>): Promise<Question> {
  const caller = call(door)
  await caller.outcome
  caller.socket.send(JSON.stringify({ type: 'hello', ...hello }))
  await until(() => caller.frames.length > 0)
  const { type, ...question } = read(caller, 0)
  expect(type).toBe('challenge')
  return { caller, method: String(question['method']), extra: Object(question['extra']) as Question['extra'] }
}

function read(caller: Caller, at: number): Record<string, unknown> {
  return JSON.parse(caller.frames[at] ?? '') as Record<string, unknown>
}

function answer(caller: Caller, signature: string, extra?: Readonly<Record<string, unknown>>): void {
  caller.socket.send(JSON.stringify({ type: 'authenticate', signature, extra }))
}

async function expectDenied(door: Door, caller: Caller): Promise<void> {
  await expectRefused(caller, 'invalid_credential')
  expect(read(caller, 1)).toEqual({ type: 'auth_invalid', reason: 'invalid_credential' })
  expect(caller.frames).toHaveLength(2)
  expect(door.guests).toEqual([])
}

describe('scram-sha-256 over challenge frames', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO'
  const hello = { authid: 'user', methods: ['scram-sha-256'], nonce }

  /** What a client with this password computes. */
  function compute(password: string, extra: Question['extra']): { proof: string; verifier: string } {
    const { nonce: whole, salt: shown, iterations } = extra
    const signed = `n=user,r=${nonce},r=${String(whole)},s=${String(shown)},i=${String(iterations)},c=biws,r=${String(whole)}`
    const clientKey = hmac(saltedOf(password), 'Client Key')
    const signature = hmac(sha256(clientKey), signed)
    return {
      proof: Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64'),
      verifier: hmac(hmac(saltedOf(password), 'Server Key'), signed).toString('base64'),
    }
  }

  test('lets in who knows the password, and proves that the server keeps its keys', async () => {
    const door = await openDoor()
    const { caller, method, extra } = await asked(door, hello)
    expect(method).toBe('scram-sha-256')
    const { proof, verifier } = compute('pencil', extra)
    answer(caller, proof)
    const { lease } = await expectAccepted(door, caller, 'user')
    await until(() => caller.frames.length === 2)
    expect(read(caller, 1)).toEqual({
      type: 'auth_ok',
      expires_in: expect.any(Number) as number,
      lease: lease.id,
      extra: { verifier },
    })
  })

  test('refuses another password', async () => {
    const door = await openDoor()
    const { caller, extra } = await asked(door, hello)
    answer(caller, compute('pen', extra).proof)
    await expectDenied(door, caller)
  })

  test('refuses the answer to another challenge', async () => {
    const door = await openDoor()
    const heard = await asked(door, hello)
    const { caller } = await asked(door, hello)
    answer(caller, compute('pencil', heard.extra).proof)
    await expectDenied(door, caller)
  })

  test('asks an unknown name alike each time, and refuses it in the same words', async () => {
    const door = await openDoor()
    const known = await asked(door, hello)
    const [first, second] = [
      await asked(door, { ...hello, authid: 'nobody' }),
      await asked(door, { ...hello, authid: 'nobody' }),
    ]
    const shapeOf = ({ extra: { nonce: whole, salt: shown, ...rest } }: Question): unknown => ({
      ...rest,
      lengths: [String(whole).length, String(shown).length],
    })
    expect(shapeOf(first)).toEqual(shapeOf(known))
    expect(first.extra['salt']).toBe(second.extra['salt'])
    answer(first.caller, compute('pencil', first.extra).proof)
    await expectDenied(door, first.caller)
  })
})

describe('cryptosign over challenge frames', () => {
  const hello = { authid: 'sensor', methods: ['cryptosign'] }

  /** Signature and signed message, as hex. */
  function signed({ privateKey }: Pair, { extra }: Question): string {
    const message = Buffer.from(String(extra['challenge']), 'hex')
    return Buffer.concat([sign(null, message, privateKey), message]).toString('hex')
  }

  test('lets in who has the key', async () => {
    const door = await openDoor()
    const question = await asked(door, hello)
    answer(question.caller, signed(pair, question), { pubkey: publicKeyOf(pair) })
    await expectAccepted(door, question.caller, 'sensor')
    await until(() => question.caller.frames.length === 2)
    expect(Object.keys(read(question.caller, 1))).toEqual(['type', 'expires_in', 'lease'])
  })

  test.each<[string, (question: Question) => readonly [string, Record<string, unknown>?]]>([
    ['another key', (question) => [signed(stranger, question), { pubkey: publicKeyOf(stranger) }]],
    [
      'another key under the name of the right one',
      (question) => [signed(stranger, question), { pubkey: publicKeyOf(pair) }],
    ],
    ['a signature without a key', (question) => [signed(pair, question)]],
  ])('refuses %s', async (_what, reply) => {
    const door = await openDoor()
    const question = await asked(door, hello)
    answer(question.caller, ...reply(question))
    await expectDenied(door, question.caller)
  })

  test('refuses the answer to another challenge', async () => {
    const door = await openDoor()
    const heard = await asked(door, hello)
    const question = await asked(door, hello)
    answer(question.caller, signed(pair, heard), { pubkey: publicKeyOf(pair) })
    await expectDenied(door, question.caller)
  })

  test('asks an unknown name alike, and refuses it in the same words', async () => {
    const door = await openDoor()
    const [known, unknown] = [await asked(door, hello), await asked(door, { ...hello, authid: 'nobody' })]
    const shapeOf = ({ extra }: Question): unknown => ({
      ...extra,
      challenge: String(extra['challenge']).length,
    })
    expect(shapeOf(unknown)).toEqual(shapeOf(known))
    answer(unknown.caller, signed(pair, unknown), { pubkey: publicKeyOf(pair) })
    await expectDenied(door, unknown.caller)
  })

  test('tells the client what the authenticator has for it', async () => {
    const authenticator = functionAuthenticator(() => ({
      pubkey: publicKeyOf(pair),
      authid: 'sensor',
      role: 'device',
      extra: { greenhouse: 7 },
    }))
    const door = await openGuarded({ accept: [cryptosign({ from, sources: [authenticator] })] })
    const question = await asked(door, hello)
    answer(question.caller, signed(pair, question), { pubkey: publicKeyOf(pair) })
    await expectAccepted(door, question.caller, 'sensor')
    await until(() => question.caller.frames.length === 2)
    expect(read(question.caller, 1)).toMatchObject({ type: 'auth_ok', extra: { greenhouse: 7 } })
  })
})
