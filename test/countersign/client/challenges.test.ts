import { once } from 'node:events'
import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { challengeFrames, memory } from '../../../packages/countersign/src/index.ts'
import {
  cryptosign as cryptosignMethod,
  cryptosignPrincipals,
  scram,
  scramPrincipals,
  wampcra as wampcraMethod,
} from '../../../packages/countersign/src/methods/index.ts'
import {
  challengeResponse,
  cryptosign,
  scramSha256,
  secretFromPage,
  wampcra,
  type ChallengeMethod,
  type SecretElement,
} from '../../../packages/countersign/src/client/challenges.ts'
import { UnanswerableChallenge, type Ask } from '../../../packages/countersign/src/client/index.ts'
import { scramKeys } from '../../../packages/countersign/src/platform/node.ts'
import { openGuarded, type Door } from '../support/sockets.ts'
import { connect, type Watched } from './client.ts'

const seed = randomBytes(32)
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
})
const publicKey = Buffer.from(
  createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '',
  'base64url',
).toString('hex')

const from = challengeFrames()
/** What SASLprep changes: a ligature, a soft hyphen, a blank of another width. */
const password = 'of\u00adfi\ufb01ce\u3000ключ'

/** A door that takes all three, as D12 does. */
async function openDoor(): Promise<Door> {
  const records = memory()
  const principals = {
    'alice,=': { ...(await scramKeys(password, { kdf: 'pbkdf2', iterations: 4_096 })), role: 'member' },
    heavy: await scramKeys(password, { kdf: 'argon2id13', iterations: 1, memory: 64 }),
  }
  const sensor = { authorized_keys: [publicKey] }
  const door = await openGuarded({
    records,
    accept: [
      scram({ from, sources: [scramPrincipals(principals)] }),
      cryptosignMethod({ from, sources: [cryptosignPrincipals({ sensor })] }),
      wampcraMethod({ from }),
    ],
  })
  await door.guard.issue.challengeSecret({ subject: 'bob', authid: 'bob', secret: password })
  return door
}

interface Showing {
  readonly authid: string
  readonly secret?: string
  readonly methods: readonly ChallengeMethod[]
}

function visit(door: Pick<Door, 'port'>, { authid, secret = password, methods }: Showing): Watched {
  const carrier = challengeResponse(() => ({ authid, secret }), { methods })
  return connect(door, { carrier, pauses: { minMs: 1 } })
}

const ways: readonly (readonly [string, Showing])[] = [
  ['WAMP-CRA', { authid: 'bob', methods: [wampcra()] }],
  ['SCRAM', { authid: 'alice,=', methods: [scramSha256()] }],
  ['cryptosign', { authid: 'sensor', secret: seed.toString('hex'), methods: [cryptosign()] }],
  [
    'cryptosign by a signer that keeps its key',
    {
      authid: 'sensor',
      secret: '',
      methods: [cryptosign({ publicKey, sign: (message) => sign(null, message, privateKey) })],
    },
  ],
]

describe('the client answers a challenge by', () => {
  test.each(ways)('%s, and renews by another on the open socket', async (_how, showing) => {
    const door = await openDoor()
    const client = visit(door, showing)
    await client.comes('open')
    expect(await client.socket.renew()).toBe(true)
    expect(client.errors).toEqual([])
    await door.guard.revoke({ subject: door.guests[0]?.lease.principal.id ?? '' })
    await client.comes('close 3003 revoked')
    expect(door.guests).toHaveLength(1)
  })

  test.each(ways.slice(0, 3))('%s, and shows a wrong secret once', async (_how, showing) => {
    const door = await openDoor()
    const client = visit(door, { ...showing, secret: randomBytes(32).toString('hex') })
    await client.comes('close 3000 invalid_credential')
    expect(door.refusals()).toEqual(['invalid_credential'])
  })

  test('the first of its methods that the server takes', async () => {
    const door = await openGuarded({ accept: [wampcraMethod({ from })] })
    await door.guard.issue.challengeSecret({ subject: 'bob', authid: 'bob', secret: password })
    const client = visit(door, { authid: 'bob', methods: [cryptosign(), scramSha256(), wampcra()] })
    await client.comes('open')
    expect(door.guests[0]?.lease.principal.method).toBe('wampcra')
  })
})

/** A server that answers `hello` with these texts, one after the other, whatever is said. */
async function impostor(answers: (hello: { readonly nonce: string }) => readonly object[]): Promise<{
  readonly port: number
  readonly heard: string[]
}> {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const heard: string[] = []
  wss.on('connection', (socket) => {
    let texts: readonly object[] | undefined
    let at = 0
    socket.on('message', (data: Buffer) => {
      const said = data.toString()
      heard.push(said)
      texts ??= answers(JSON.parse(said) as { nonce: string })
      socket.send(JSON.stringify(texts[at++]))
    })
  })
  await once(wss, 'listening')
  onTestFinished(() => {
    for (const socket of wss.clients) socket.terminate()
    wss.close()
  })
  return { port: (wss.address() as AddressInfo).port, heard }
}

const salt = randomBytes(16).toString('base64')
const challenge = (extra: object, method = 'scram-sha-256'): object => ({ type: 'challenge', method, extra })

describe('the client does not answer', () => {
  test.each<[string, (nonce: string) => object, string]>([
    [
      'argon2id',
      (nonce) => ({ nonce: `${nonce}x`, salt, kdf: 'argon2id13', iterations: 2, memory: 64 }),
      'argon2id',
    ],
    [
      'a nonce of somebody else',
      () => ({ nonce: 'x'.repeat(48), salt, kdf: 'pbkdf2', iterations: 4_096 }),
      'nonce',
    ],
    ['its own nonce alone', (nonce) => ({ nonce, salt, kdf: 'pbkdf2', iterations: 4_096 }), 'nonce'],
    [
      'a nonce that ends the attribute',
      (nonce) => ({ nonce: `${nonce},s=`, salt, kdf: 'pbkdf2', iterations: 4_096 }),
      'nonce',
    ],
    [
      'too little work',
      (nonce) => ({ nonce: `${nonce}x`, salt, kdf: 'pbkdf2', iterations: 4_095 }),
      'iterations',
    ],
    ['endless work', (nonce) => ({ nonce: `${nonce}x`, salt, kdf: 'pbkdf2', iterations: 1e9 }), 'iterations'],
    [
      'a salt that is none',
      (nonce) => ({ nonce: `${nonce}x`, salt: '!'.repeat(24), kdf: 'pbkdf2', iterations: 4_096 }),
      'salt',
    ],
    [
      'a salt without end',
      (nonce) => ({ nonce: `${nonce}x`, salt: 'A'.repeat(4_000), kdf: 'pbkdf2', iterations: 4_096 }),
      'salt',
    ],
  ])('%s, says why, and stops', async (_what, extra, why) => {
    const server = await impostor(({ nonce }) => [challenge(extra(nonce))])
    const client = visit(server, { authid: 'alice', methods: [scramSha256()] })
    await client.comes('close 1002 unanswerable_challenge')
    expect(client.errors).toEqual([expect.any(UnanswerableChallenge)])
    expect(client.errors[0]?.message).toContain(why)
    expect(server.heard).toHaveLength(1)
  })

  test.each<[string, object, string]>([
    ['a challenge of another length', { challenge: 'ab', channel_binding: null }, '32 bytes'],
    ['one that is no text', { challenge: 7 }, '32 bytes'],
    [
      'one that is bound to a channel',
      { challenge: 'ab'.repeat(32), channel_binding: 'tls-unique' },
      'channel',
    ],
  ])('with its key %s', async (_what, extra, why) => {
    const server = await impostor(() => [challenge(extra, 'cryptosign')])
    const client = visit(server, { authid: 'sensor', secret: seed.toString('hex'), methods: [cryptosign()] })
    await client.comes('close 1002 unanswerable_challenge')
    expect(client.errors[0]?.message).toContain(why)
    expect(server.heard).toHaveLength(1)
  })

  test('with a secret that is no key', async () => {
    const client = visit(await openDoor(), { authid: 'sensor', methods: [cryptosign()] })
    await client.comes('close 1002 unanswerable_challenge')
    expect(client.errors[0]?.message).toContain('no seed')
    expect(client.errors[0]?.message).not.toContain(password)
  })

  test('by a method that it does not offer', async () => {
    const server = await impostor(() => [challenge({ challenge: '{}' }, 'wampcra')])
    const client = visit(server, { authid: 'alice', methods: [scramSha256()] })
    await client.comes('close 1002 unanswerable_challenge')
    expect(server.heard).toHaveLength(1)
  })

  test('the real door where keys are of argon2id', async () => {
    const client = visit(await openDoor(), { authid: 'heavy', methods: [scramSha256()] })
    await client.comes('close 1002 unanswerable_challenge')
    expect(client.errors[0]?.message).toContain('argon2id')
  })
})

describe('a server that lets in', () => {
  const good = ({ nonce }: { nonce: string }): object =>
    challenge({ nonce: `${nonce}x`, salt, kdf: 'pbkdf2', iterations: 4_096 })

  test.each<[string, (hello: { nonce: string }) => readonly object[]]>([
    ['without having asked', () => [{ type: 'auth_ok', expires_in: 900 }]],
    ['without its own proof', (hello) => [good(hello), { type: 'auth_ok', expires_in: 900 }]],
    [
      'with a proof of another password',
      (hello) => [good(hello), { type: 'auth_ok', extra: { verifier: randomBytes(32).toString('base64') } }],
    ],
  ])('%s is left, and nothing is said to it', async (_how, answers) => {
    const server = await impostor(answers)
    const client = visit(server, { authid: 'alice', methods: [scramSha256()] })
    client.socket.send('for the real one')
    await client.comes('close 1002 unanswerable_challenge')
    expect(client.heard).not.toContain('open')
    expect(client.errors.map((error) => error.message)).toContainEqual(
      expect.stringContaining('proves nothing'),
    )
    expect(server.heard.join('\n')).not.toContain('for the real one')
  })
})

describe('a secret in the page', () => {
  const ask: Ask = { purpose: 'connect', refused: undefined, signal: new AbortController().signal }

  /** A document with one element. */
  function pageWith(element: Partial<SecretElement> = {}) {
    let block: SecretElement | null = {
      nodeName: 'SCRIPT',
      type: 'application/json',
      textContent: '\n  {"authid":"csa_1","secret":"s3cret"}\n',
      remove: () => void (block = null),
      ...element,
    }
    return {
      getElementById: (id: string): SecretElement | null => (id === 'countersign-secret' ? block : null),
      has: () => block !== null,
    }
  }

  test('is taken at once, removed, and serves for every connection of this page', () => {
    const document = pageWith()
    const getSecret = secretFromPage({ document })
    expect(document.has()).toBe(false)
    expect(getSecret(ask)).toEqual({ authid: 'csa_1', secret: 's3cret' })
    expect(getSecret({ ...ask, refused: 'lease_expired' })).toEqual({ authid: 'csa_1', secret: 's3cret' })
  })

  test('that was refused is not given again', () => {
    const getSecret = secretFromPage({ document: pageWith() })
    expect(() => getSecret({ ...ask, refused: 'invalid_credential' })).toThrow('was refused')
  })

  test.each<[string, Partial<SecretElement>]>([
    ['an element that is no script', { nodeName: 'DIV' }],
    ['a script that runs', { type: '' }],
    ['a block that is no JSON', { textContent: 'authid=a' }],
    ['a block without a secret', { textContent: '{"authid":"a","secret":""}' }],
    ['an empty block', { textContent: null }],
  ])('is not in %s', (_what, element) => {
    const getSecret = secretFromPage({ document: pageWith(element) })
    expect(() => getSecret(ask)).toThrow('the page has no secret')
  })

  test('is nowhere where there is no page', () => {
    expect(() => secretFromPage()(ask)).toThrow('the page has no secret')
    expect(() => secretFromPage({ id: 'other', document: pageWith() })(ask)).toThrow('the page has no secret')
  })

  test('opens the door that it was made for, until its login ends', async () => {
    const door = await openGuarded({ accept: [wampcraMethod({ from })] })
    const login = await door.guard.issue.session({ subject: 'alice' })
    const { authid, secret } = await door.guard.issue.challengeSecret({ subject: 'alice', session: login.id })
    const document = pageWith({ textContent: JSON.stringify({ authid, secret }) })
    const client = connect(door, { carrier: challengeResponse(secretFromPage({ document })) })
    await client.comes('open')
    await door.guard.revoke({ session: login.id }, 'logged_out')
    await client.comes('close 3003 logged_out')
  })
})
