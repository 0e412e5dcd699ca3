/** Challenge and response in the event `auth`, asked and answered by Socket.IO's own client. */
import { createHash, createHmac, generateKeyPairSync, pbkdf2Sync, randomBytes, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { challengeFrames, firstMessage } from '../../../packages/countersign/src/index.ts'
import {
  cryptosign,
  cryptosignPrincipals,
  scram,
  scramPrincipals,
  ticket,
  wampcra,
  wampcraUsers,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { until } from '../support/sockets.ts'
import { expectIn, modes, openHall, type Caller, type Hall, type Mode } from './socket-io-room.ts'

type Extra = Readonly<Record<string, unknown>>

/** A way to prove oneself, from both sides. */
interface Way {
  readonly authmethod: string
  readonly method: Method
  readonly hello: object
  /** What answers a challenge. */
  answer(extra: Extra): object
}

const from = challengeFrames()
const hmac = (key: string | Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

const salt = randomBytes(16)
const salted = pbkdf2Sync('pencil', salt, 4_096, 32, 'sha256')
const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
const scramUser = {
  kdf: 'pbkdf2',
  iterations: 4_096,
  salt: salt.toString('hex'),
  'stored-key': storedKey.toString('hex'),
  'server-key': hmac(salted, 'Server Key').toString('hex'),
  role: 'member',
} as const

const pair = generateKeyPairSync('ed25519')
const pubkey = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')

const ways: readonly Way[] = [
  {
    authmethod: 'wampcra',
    method: wampcra({
      from,
      sources: [wampcraUsers({ peter: { secret: 'secret1', role: 'member' } }, nodePlatform().derive)],
    }),
    hello: { methods: ['wampcra'] },
    answer: ({ challenge }) => ({ signature: hmac('secret1', String(challenge)).toString('base64') }),
  },
  {
    authmethod: 'scram-sha-256',
    method: scram({ from, sources: [scramPrincipals({ peter: scramUser })] }),
    hello: { methods: ['scram-sha-256'], nonce: 'rOprNGfwEbeRWgbNEkqO' },
    answer: ({ nonce, salt: shown, iterations }) => {
      const signed = `n=peter,r=rOprNGfwEbeRWgbNEkqO,r=${String(nonce)},s=${String(shown)},i=${String(iterations)},c=biws,r=${String(nonce)}`
      const key = hmac(salted, 'Client Key')
      const signature = hmac(storedKey, signed)
      const proof = Buffer.from(key.map((byte, at) => byte ^ (signature[at] ?? 0)))
      return { signature: proof.toString('base64') }
    },
  },
  {
    authmethod: 'cryptosign',
    method: cryptosign({
      from,
      sources: [cryptosignPrincipals({ peter: { authorized_keys: [pubkey], role: 'member' } })],
    }),
    hello: { methods: ['cryptosign'], pubkey },
    answer: ({ challenge }) => {
      const message = Buffer.from(String(challenge), 'hex')
      const signature = Buffer.concat([sign(null, message, pair.privateKey), message]).toString('hex')
      return { signature, extra: { pubkey } }
    },
  },
]

/** An application's own method: its tickets are given to who has answered a challenge, and say so. */
function earnedBy(authmethod: string): Method {
  const inner = ticket({ from: firstMessage() })
  return {
    ...inner,
    *judge(shown) {
      const verdict = yield* inner.judge(shown)
      if (verdict.kind !== 'accept') return verdict
      return { ...verdict, principal: { ...verdict.principal, method: authmethod, provider: 'static' } }
    },
  }
}

async function withPeter(mode: Mode, accept: readonly Method[]): Promise<{ hall: Hall; peter: Caller }> {
  const hall = await openHall({ accept: [...accept] })
  const peter = hall.call(mode, { auth: { ticket: await hall.ticketFor('peter') } })
  await expectIn(peter, mode)
  return { hall, peter }
}

const ask = ({ client }: Caller, what: object): Promise<Record<string, unknown>> =>
  client.emitWithAck('auth', what)

describe.each(modes)('a challenge in the event auth, over %s', (mode) => {
  it.each(ways)(
    'by $authmethod renews a lease that came so',
    async ({ authmethod, method, hello, answer }) => {
      const { hall, peter } = await withPeter(mode, [earnedBy(authmethod), method])
      const lease = hall.guests[0]?.data.lease
      hall.clock.advance(600_000)
      const challenge = await ask(peter, { authid: 'peter', ...hello })
      expect(challenge).toMatchObject({ type: 'challenge', method: authmethod })
      const said = await ask(peter, answer(Object(challenge['extra'])))
      expect(said).toMatchObject({ type: 'auth_ok', lease: lease?.id })
      expect(Number(said['expires_in'])).toBeGreaterThan(300)
      hall.clock.advance(600_000)
      hall.io.emit('still here')
      await until(() => peter.events.length > 0)
      expect(hall.heard).toEqual([])
    },
  )

  it.each(ways)('by $authmethod renews none by a wrong answer', async ({ authmethod, method, hello }) => {
    const { hall, peter } = await withPeter(mode, [earnedBy(authmethod), method])
    await ask(peter, { authid: 'peter', ...hello })
    const said = await ask(peter, { signature: 'AAAA' })
    expect(said).toEqual({ type: 'auth_invalid', reason: 'invalid_credential' })
    expect(hall.guests[0]?.data.lease.ended).toBe(false)
    expect(hall.heard).toEqual([])
  })

  it.each(ways)('by $authmethod takes over no lease that came otherwise', async (way) => {
    const { hall, peter } = await withPeter(mode, [ticket({ from: firstMessage() }), way.method])
    const challenge = await ask(peter, { authid: 'peter', ...way.hello })
    const said = await ask(peter, way.answer(Object(challenge['extra'])))
    expect(said).toEqual({ type: 'auth_invalid', reason: 'forbidden' })
    expect(hall.guests[0]?.data.lease.principal.method).toBe('ticket')
    expect(hall.guests[0]?.data.lease.ended).toBe(false)
  })

  it('that nobody made is not answered: it breaks the protocol and ends the lease', async () => {
    const { hall, peter } = await withPeter(mode, [ticket({ from: firstMessage() })])
    peter.client.emit('auth', { signature: 'AAAA' })
    await until(() => peter.fate.length > 1)
    expect(peter.events).toEqual([['auth_end', { reason: 'protocol_violation', advice: 'fix' }]])
    expect(hall.guard.leases()).toEqual([])
  })

  it('does not let in who shows a name in a CONNECT', async () => {
    const hall = await openHall({ accept: ways.map(({ method }) => method) })
    const peter = hall.call(mode, { auth: { authid: 'peter', methods: ['wampcra'] } })
    await until(() => peter.fate.length > 0)
    expect(peter.fate).toEqual(['refused: missing_credential'])
  })
})
