import { expect, test } from 'vitest'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { anonymous } from '../../../packages/countersign/src/methods/index.ts'
import { hello, recognised, shown, token } from '../support/conversation.ts'
import { expectAccepted, helloOf, stage } from './wamp-support.ts'

const from = wampHello()

test('everyone gets a fresh name, never the one that was asked for, and the role of the configuration', async () => {
  const asked = helloOf('anonymous', {
    authid: 'admin',
    join: { authrole: 'admin', authextra: { transport: 'forged' } },
  })
  const one = expectAccepted(await stage().hold(anonymous({ from }), asked))
  const two = expectAccepted(await stage().hold(anonymous({ from, role: 'public' }), asked))
  expect(one.principal).toMatchObject({
    roles: ['anonymous'],
    realm: undefined,
    method: 'anonymous',
    provider: 'static',
  })
  expect(two.principal.roles).toEqual(['public'])
  expect(one.principal.id).toMatch(/^[\w-]{20}$/)
  expect(two.principal.id).not.toBe(one.principal.id)
  expect(JSON.stringify([one, two])).not.toMatch(/admin|forged/)
})

test('everyone gets the name and the realm that are configured', async () => {
  const method = anonymous({ from, authid: 'guest', realm: 'lobby' })
  expect(expectAccepted(await stage().hold(method, helloOf('anonymous'))).principal).toMatchObject({
    id: 'guest',
    realm: 'lobby',
    claims: { authid: 'guest' },
  })
})

test('recognises a hello that names it, and nothing else', () => {
  const method = anonymous({ from })
  expect(recognised(method, { hello, token: token('a'), anonymous: helloOf('anonymous') })).toEqual([
    'anonymous',
  ])
  expect(method.judge(shown()).next().value).toMatchObject({ kind: 'deny' })
})
