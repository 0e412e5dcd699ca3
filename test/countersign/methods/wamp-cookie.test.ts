import { describe, expect, test } from 'vitest'
import { wampBearer } from '../../../packages/countersign/src/carriers/wamp.ts'
import { grantOf } from '../../../packages/countersign/src/core/rows.ts'
import type { Hash } from '../../../packages/countersign/src/core/records.ts'
import type { Remembered } from '../../../packages/countersign/src/core/remembered.ts'
import {
  memoryCookies,
  wampCookie,
  type CookieStore,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { noon } from '../support/conversation.ts'
import { handshakeOf, pageOrigin } from '../support/guard.ts'
import { expectAccepted, helloOf, stage, type Held } from './wamp-support.ts'

const from = wampBearer()
const key = nodePlatform().hash('value') as Hash
const peter: Remembered = {
  principal: {
    id: 'account peter',
    roles: ['frontend'],
    realm: undefined,
    method: 'wampcra',
    provider: 'records',
    claims: { authid: 'peter', authextra: { x: 1 } },
  },
  grant: grantOf({
    subject: 'account peter',
    roles: ['frontend'],
    session: 'login-1',
    issuedAtMs: noon - 5_000,
  }),
  realm: 'realm1',
  untilMs: noon + 10_000,
}

async function storeWith(identity: Remembered = peter): Promise<CookieStore> {
  const store = memoryCookies()
  await store.remember(key, identity, noon - 5_000)
  return store
}

async function resume(
  facts: Parameters<typeof helloOf>[1] = {},
  {
    store,
    cookie = 'a=b; cbtid=value',
    origin = pageOrigin,
  }: { store?: CookieStore; cookie?: string; origin?: string | undefined } = {},
): Promise<Held> {
  const method = wampCookie({ from, store: store ?? (await storeWith()) })
  const handshake = handshakeOf({ cookie, origin: origin === 'none' ? undefined : origin })
  return stage().hold(method, helloOf('cookie', { authid: undefined, ...facts }), undefined, { handshake })
}

const elsewhere = { verdict: { kind: 'deny', reason: 'missing_credential' } }

describe('a cookie that stands for somebody', () => {
  test('brings them back under the grant of then, until the end of then', async () => {
    const { principal, grant, untilMs } = expectAccepted(await resume())
    expect(grant).toBe(peter.grant)
    expect(untilMs).toBe(peter.untilMs)
    expect(principal).toEqual({ ...peter.principal, realm: 'realm1', method: 'cookie', provider: 'cookie' })
  })

  test('keeps the method that the client has listed', async () => {
    const held = await resume({ offered: ['cookie', 'wampcra'] })
    expect(expectAccepted(held).principal).toMatchObject({ method: 'wampcra', provider: 'cookie' })
  })

  test('brings back nobody else, and nowhere else', async () => {
    expectAccepted(await resume({ authid: 'peter' }))
    expectAccepted(await resume({ join: { realm: undefined } }))
    expect(await resume({ authid: 'paul' })).toMatchObject(elsewhere)
    expect(await resume({ join: { realm: 'realm2' } })).toMatchObject(elsewhere)
  })

  test('brings nobody back whose time is over', async () => {
    expect(await resume({}, { store: await storeWith({ ...peter, untilMs: noon }) })).toMatchObject(elsewhere)
  })

  test('is not looked at where no page asks', async () => {
    expect(await resume({}, { origin: 'none' })).toMatchObject({ ...elsewhere, asked: [] })
  })
})

test.each(['', 'other=value', 'cbtid=', 'cbtid=value; cbtid=other', 'cbtid=unknown'])(
  'the cookies %j leave the word to another method',
  async (cookie) => {
    expect(await resume({}, { cookie })).toMatchObject(elsewhere)
  },
)

describe('cookies in memory', () => {
  const other = 'other' as Hash

  test('are forgotten on demand', async () => {
    const store = await storeWith()
    await store.forget(key)
    expect(await store.find(key, noon)).toBeUndefined()
  })

  test('age', async () => {
    const store = memoryCookies({ maxAgeMs: 1_000 })
    await store.remember(key, peter, noon)
    expect(await store.find(key, noon + 999)).toBe(peter)
    expect(await store.find(key, noon + 1_000)).toBeUndefined()
    expect(await store.find(key, noon)).toBeUndefined()
  })

  test('make room, the oldest first', async () => {
    const store = memoryCookies({ maxEntries: 1 })
    await store.remember(key, peter, noon)
    await store.remember(other, peter, noon)
    expect(await store.find(key, noon)).toBeUndefined()
    expect(await store.find(other, noon)).toBe(peter)
  })

  test.each([[{ maxAgeMs: 0 }], [{ maxEntries: 0 }], [{ maxAgeMs: Number.NaN }]])(
    'refuse %j as an option',
    (options) => {
      expect(() => memoryCookies(options)).toThrow('whole number')
    },
  )
})
