import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { challengeFrames } from '../../../packages/countersign/src/index.ts'
import { wampBearer, wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import {
  cryptosign,
  cryptosignPrincipals,
  functionAuthenticator,
  scram,
  secondFactor,
  ticketPrincipals,
  wampcra,
  wampcraUsers,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { expectRefusal, expectAcceptance, handshakeOf, openGuard, peerTurn } from '../support/guard.ts'
import { expectAccepted, expectAlike, helloOf, stage, type Held, type Reply } from './wamp-support.ts'

const { derive } = nodePlatform()
const password = wampcra({
  from: wampHello(),
  sources: [
    wampcraUsers({ peter: { secret: 'secret1', role: 'a' }, paul: { secret: 'secret1', role: 'a' } }, derive),
  ],
})
const code = wampTicket({
  from: wampBearer(),
  sources: [
    ticketPrincipals({ peter: { ticket: '123456', role: 'ignored' }, paul: { ticket: '654321', role: 'b' } }),
  ],
})
const method = secondFactor(password, code)
const reply =
  (secret: string, ticket: string): Reply =>
  ({ method: name, extra }) =>
    name === 'ticket'
      ? ticket
      : createHmac('sha256', secret).update(String(extra['challenge'])).digest('base64')
const login = (secret: string, ticket: string, authid = 'peter'): Promise<Held> =>
  stage().hold(method, helloOf('wampcra', { authid }), reply(secret, ticket))
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }

describe('two factors', () => {
  test('let in whoever has both, as the first has proved them', async () => {
    const held = await login('secret1', '123456')
    expect(held.challenges.map(({ method: name }) => name)).toEqual(['wampcra', 'ticket'])
    expect(expectAccepted(held).principal).toMatchObject({ id: 'peter', roles: ['a'], method: 'wampcra' })
  })

  test('are asked for one after the other, whatever was answered: no one can be tried alone', async () => {
    const wrongFirst = await login('wrong', '123456')
    const wrongSecond = await login('secret1', 'wrong')
    expect(wrongFirst).toMatchObject(denied)
    expect(wrongSecond).toMatchObject(denied)
    expect(wrongFirst.challenges.map(({ method: name }) => name)).toEqual(['wampcra', 'ticket'])
    expectAlike(wrongFirst, await login('wrong', 'wrong', 'nobody'))
  })

  test('must be of one subject', async () => {
    const other = wampTicket({
      from: wampBearer(),
      sources: [functionAuthenticator(() => ({ authid: 'paul', role: 'b' }))],
    })
    const held = await stage().hold(secondFactor(password, other), helloOf('wampcra'), reply('secret1', 'x'))
    expect(held).toMatchObject(denied)
  })

  test('are asked of nobody where the first names no one', async () => {
    const keys = cryptosign({ from: wampHello(), sources: [cryptosignPrincipals({})] })
    const hello = helloOf('cryptosign', {
      authid: undefined,
      join: { authextra: { pubkey: 'ab'.repeat(32) } },
    })
    const held = await stage().hold(secondFactor(keys, code), hello)
    expect(held).toMatchObject(denied)
    expect(held.challenges.map(({ method: name }) => name)).toEqual(['cryptosign', 'ticket'])
  })

  test('are asked for under the name by which the client knows the second', async () => {
    const proofs = scram({ from: wampHello() })
    const hello = helloOf('wampcra', {
      offered: ['wampcra', 'wamp-scram'],
      join: { authextra: { nonce: 'n' } },
    })
    const held = await stage().hold(secondFactor(password, proofs), hello)
    expect(held.challenges.map(({ method: name }) => name)).toEqual(['wampcra', 'wamp-scram'])
  })

  test('end at once where nothing was judged yet', async () => {
    const held = await stage().hold(method, helloOf('wampcra', { authid: undefined }))
    expect(held).toMatchObject({ verdict: { reason: 'missing_credential' }, challenges: [] })
  })

  test('open where the second may be told', () => {
    expect(method.from).toEqual([wampBearer()])
    expect(method.name).toBe('wampcra')
  })

  test('open where the first may be told, if it is the one that is', () => {
    expect(secondFactor(code, password).from).toEqual([wampBearer()])
  })

  test('must be two, and open in one place', () => {
    expect(() => secondFactor(password, password)).toThrow('two methods')
    expect(() => secondFactor(wampcra({ from: challengeFrames() }), code)).toThrow('same places')
  })
})

describe('through a guard', () => {
  const opened = openGuard({ accept: [method] })
  const join = async (ticket: string) => {
    const say = reply('secret1', ticket)
    let turn = await opened.guard.join(handshakeOf(), helloOf('wampcra', { methods: ['unknown', 'wampcra'] }))
    for (let at = 0; at < 2; at++) {
      const { say: challenge, answer } = peerTurn(turn)
      turn = await answer({
        text: String(say(challenge ?? { method: '', extra: {} })),
        now: opened.clock.now(),
      })
    }
    if (turn.kind !== 'done') throw new Error('more than two rounds')
    return turn.value
  }

  test('both rounds are turns of the peer, and the lease is the first method\u2019s', async () => {
    expectAcceptance(await join('123456'), 'peter')
    expectRefusal(await join('wrong'), 'invalid_credential')
    expect(JSON.stringify(opened.journal)).not.toMatch(/secret1|123456/)
  })

  test('nothing is asked for on cleartext off loopback: the second would be overheard', async () => {
    const turn = await opened.guard.join(handshakeOf({ remoteAddress: '203.0.113.7' }), helloOf('wampcra'))
    expect(turn).toMatchObject({ kind: 'done', value: { reason: 'insecure_transport' } })
  })
})
