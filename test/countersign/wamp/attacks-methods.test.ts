import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { wampBearer, wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { deny } from '../../../packages/countersign/src/core/verdict.ts'
import {
  dynamicAuthenticator,
  functionAuthenticator,
  secondFactor,
  ticketPrincipals,
  wampcra,
  wampcraUsers,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { expectAccepted, helloOf, stage, type Held, type Reply, type Stage } from '../methods/wamp-support.ts'

const password = wampcra({
  from: wampHello(),
  sources: [wampcraUsers({ peter: { secret: 'secret1', role: 'a' } }, nodePlatform().derive)],
})
const code = wampTicket({
  from: wampBearer(),
  sources: [ticketPrincipals({ peter: { ticket: '123456', role: 'a' } })],
})
const method = secondFactor(password, code)

/** Answers both rounds. */
function reply(secret: string, ticket: string): Reply {
  return ({ method: name, extra }) =>
    name === 'ticket'
      ? ticket
      : createHmac('sha256', secret).update(String(extra['challenge'])).digest('base64')
}

const login = (on: Stage, secret: string, ticket: string): Promise<Held> =>
  on.hold(method, helloOf('wampcra'), reply(secret, ticket))

const wait = { verdict: { kind: 'deny', reason: 'too_many_attempts' } }

describe('whoever has one factor and guesses the other', () => {
  test('the second one: the first being right clears no failure', async () => {
    const on = stage()
    for (let guess = 0; guess < 5; guess++) await login(on, 'secret1', `${guess}`)
    expect(await login(on, 'secret1', '123456')).toMatchObject(wait)
  })

  test('the first one: the second being right clears no failure', async () => {
    const on = stage()
    for (let guess = 0; guess < 5; guess++) await login(on, `${guess}`, '123456')
    expect(await login(on, 'secret1', '123456')).toMatchObject(wait)
  })

  test('is told the same when the second is locked, whatever the first was', async () => {
    const on = stage()
    for (let guess = 0; guess < 4; guess++) await login(on, 'secret1', `${guess}`)
    await login(on, 'wrong', 'wrong')
    const right = await login(on, 'secret1', 'any')
    const wrong = await login(on, 'wrong', 'any')
    expect(wrong.verdict).toEqual(right.verdict)
    expect(wrong.challenges).toHaveLength(right.challenges.length)
  })

  test('is told nothing by a first factor that has expired', async () => {
    const late: Method = {
      name: 'wampcra',
      from: password.from,
      csrf: undefined,
      recognises: () => true,
      // oxlint-disable-next-line require-yield -- it has nothing to ask
      *judge() {
        return deny('expired_credential')
      },
    }
    const held = await stage().hold(secondFactor(late, code), helloOf('wampcra'), reply('', 'wrong'))
    expect(held.verdict).toMatchObject({ reason: 'invalid_credential' })
    expect(held.challenges).toHaveLength(1)
  })

  test('gets in with both, and what was counted against either is over', async () => {
    const on = stage()
    for (let guess = 0; guess < 4; guess++) await login(on, 'wrong', 'wrong')
    expectAccepted(await login(on, 'secret1', '123456'))
    for (let guess = 0; guess < 4; guess++) await login(on, 'secret1', 'wrong')
    expectAccepted(await login(on, 'secret1', '123456'))
  })
})

describe('a method that is offered many times', () => {
  test('judges one answer: the second of its names gives no second try', async () => {
    const hello = helloOf('ticket', { offered: ['ticket', 'ticket', 'ticket'] })
    const held = await stage().hold(code, hello, () => 'wrong')
    expect(held.challenges).toHaveLength(1)
  })
})

describe('names of members that every object has', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('are nobody: %s', async (authid) => {
    const held = await stage().hold(code, helloOf('ticket', { authid }), () => 'undefined')
    expect(held.verdict).toMatchObject({ reason: 'invalid_credential' })
    const signed = await stage().hold(password, helloOf('wampcra', { authid }), reply('undefined', ''))
    expect(signed.verdict).toMatchObject({ reason: 'invalid_credential' })
  })

  test('in authextra reach an authenticator as members, and change nothing else', async () => {
    const seen: unknown[] = []
    const asks = wampTicket({
      from: wampBearer(),
      sources: [
        functionAuthenticator((_realm, _authid, details) => {
          seen.push(details['authextra'], Reflect.get(details, 'admin'))
          return undefined
        }),
      ],
    })
    const authextra: Record<string, unknown> = JSON.parse('{"__proto__":{"admin":true},"constructor":1}')
    await stage().hold(asks, helloOf('ticket', { join: { authextra } }), () => 'x')
    expect(JSON.stringify(seen)).toBe('[{"__proto__":{"admin":true},"constructor":1},null]')
    expect(Reflect.get({}, 'admin')).toBeUndefined()
  })
})

describe('a client that names facts of its transport', () => {
  test('is not believed by anyone who is asked about it', async () => {
    const asked: unknown[] = []
    const call = async (one: {
      readonly args: readonly unknown[]
    }): Promise<{ kind: 'error'; uri: string }> => {
      asked.push(one.args[2])
      return { kind: 'error', uri: 'com.no' }
    }
    const asks = wampTicket({
      from: wampBearer(),
      sources: [dynamicAuthenticator({ call, procedure: 'com.auth' })],
    })
    const join = { authextra: { transport: { peer: 'tcp4:127.0.0.1:1' } }, transport: { peer: 'unix' } }
    await stage().hold(asks, helloOf('ticket', { join }), () => 'x')
    expect(asked).toMatchObject([{ transport: { peer: 'unix' } }])
  })
})
