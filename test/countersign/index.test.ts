import { describe, expect, test } from 'vitest'
import * as library from '../../packages/countersign/src/index.ts'
import {
  cookie,
  createGuard,
  firstMessage,
  localBus,
  memory,
  path,
  query,
  type GuardOptions,
} from '../../packages/countersign/src/index.ts'
import {
  apiKey,
  applicationSession,
  hmacSecret,
  jwt,
  preauth,
  session,
  ticket,
} from '../../packages/countersign/src/methods/index.ts'
import { expectAcceptance, expectRefusal, knock } from './support/guard.ts'

const accept = [ticket({ from: query() })]
const guardOf = (options: Partial<GuardOptions> = {}): ReturnType<typeof createGuard> =>
  createGuard({ records: memory(), accept, ...options })

describe('the front door', () => {
  test('opens on a guard, the places of credentials, and records in memory; methods have a door of their own', () => {
    expect(Object.keys(library)).toEqual(
      expect.arrayContaining([
        'Guard',
        'MisuseError',
        'OutageError',
        'authorization',
        'challengeFrames',
        'cookie',
        'createGuard',
        'defaultLimits',
        'firstMessage',
        'localBus',
        'memory',
        'path',
        'query',
        'reasons',
        'subprotocol',
        'tls',
      ]),
    )
    for (const name of ['ticket', 'session', 'password', 'jwt']) expect(library).not.toHaveProperty(name)
  })

  test('makes a guard of records and a method alone', async () => {
    const guard = guardOf()
    expect({ name: guard.name, audience: guard.audience, refusals: guard.refusals }).toEqual({
      name: 'default',
      audience: 'default',
      refusals: 'auto',
    })
    const { ticket: text } = await guard.issue.ticket({ subject: 'alice' })
    expectAcceptance(await knock(guard, { target: `/?ticket=${text}` }), 'alice')
    guard.close()
  })

  test('calls a guard by its audience unless it is named', () => {
    expect(guardOf({ audience: 'chat' }).name).toBe('chat')
    expect(guardOf({ audience: 'chat', name: 'Chat room' }).name).toBe('Chat room')
  })

  test('checks lists of origins and hosts when the guard is made', () => {
    expect(() => guardOf({ origins: ['https://a.example/path'] })).toThrow('Origin')
    expect(() => guardOf({ hosts: ['*.example'] })).toThrow('host')
  })

  test('answers to listed hosts and origins only', async () => {
    const guard = guardOf({ hosts: ['a.example'], origins: ['https://*.a.example'] })
    expectRefusal(await knock(guard, { host: 'b.example' }), 'wrong_host')
    expectRefusal(await knock(guard, { host: 'a.example', origin: 'https://b.example' }), 'forbidden_origin')
    expectRefusal(
      await knock(guard, { host: 'A.example', origin: 'https://x.a.example' }),
      'missing_credential',
    )
  })

  test('gives more room before acceptance to guards that take long tokens', () => {
    const key = new Uint8Array(32).fill(1)
    const long = jwt({
      from: firstMessage(),
      issuer: 'i',
      audience: 'a',
      algorithms: ['HS256'],
      keys: hmacSecret(key),
    })
    expect(guardOf().limits.maxBytes).toBe(4_096)
    expect(guardOf({ accept: [long] }).limits.maxBytes).toBe(16_384)
    expect(guardOf({ accept: [long], limits: { maxBytes: 100 } }).limits.maxBytes).toBe(100)
  })

  test.each([
    ['session', session({ from: [firstMessage(), query('token')] })],
    ['api_key', apiKey({ from: query() })],
    ['session', session({ from: path({ prefix: '/connect/' }) })],
    ['application_session', applicationSession({ from: query('sid'), check: () => undefined })],
  ])(
    'refuses to take a credential of the method %s from URLs unless it is told that this is meant',
    (name, method) => {
      const taking = { accept: [...accept, method] }
      expect(() => guardOf(taking)).toThrow(
        expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(name) }),
      )
      expect(guardOf({ ...taking, dangerouslyAllowInQuery: true }).limits.maxBytes).toBe(4_096)
    },
  )

  test('takes tickets from the path', async () => {
    const guard = guardOf({ accept: [ticket({ from: path({ prefix: '/connect/' }) })] })
    const { ticket: text } = await guard.issue.ticket({ subject: 'alice' })
    expectAcceptance(await knock(guard, { target: `/connect/${text}` }), 'alice')
    expectRefusal(await knock(guard, { target: `/connect/${text}` }), 'invalid_credential')
    guard.close()
  })

  test('says its own close codes where it has some, and those of the table elsewhere', () => {
    const codes: Record<string, number> = { invalid_credential: 4401, shutting_down: 1000 }
    const guard = guardOf({ closeCodes: codes })
    codes['invalid_credential'] = 4000
    expect(guard.closeCode('invalid_credential')).toBe(4401)
    expect(guard.closeCode('shutting_down')).toBe(1000)
    expect(guard.closeCode('revoked')).toBe(3003)
    expect(guard.closeCode('wrong_host')).toBe(1008)
    guard.close()
  })

  test.each<[string, Record<string, number>]>([
    ['a code below all', { revoked: 999 }],
    ['a code beyond all', { revoked: 5_000 }],
    ['a code that is never sent', { revoked: 1_006 }],
    ['half a code', { revoked: 4401.5 }],
    ['no code', { revoked: Number.NaN }],
    ['a reason that closes nothing', { forbidden_origin: 4403 }],
    ['a reason that nobody knows', { toString: 4401 }],
  ])('refuses close codes with %s', (_what, closeCodes) => {
    expect(() => guardOf({ closeCodes })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })

  test('lets a CSRF token travel in the URL beside its cookie', () => {
    const pair = preauth({ from: cookie('preauth'), csrf: query('csrf') })
    expect(guardOf({ accept: [pair], origins: ['https://a.example'] }).audience).toBe('default')
  })

  test('lets all guards of the same records hear each other, and only those', async () => {
    const records = memory()
    const [one, two, other] = [guardOf({ records }), guardOf({ records }), guardOf()]
    const leases = await Promise.all(
      [two, other].map(async (guard) => {
        const { ticket: text } = await guard.issue.ticket({ subject: 'alice' })
        return expectAcceptance(await knock(guard, { target: `/?ticket=${text}` }), 'alice').lease
      }),
    )
    await one.revoke({ subject: 'alice' })
    expect(leases.map((lease) => lease.ended)).toEqual([true, false])
    for (const guard of [one, two, other]) guard.close()
  })

  test('takes a bus that is lent', async () => {
    const bus = localBus()
    const heard: unknown[] = []
    bus.subscribe((news) => heard.push(news))
    await guardOf({ bus }).revoke({ role: 'admin' })
    expect(heard).toMatchObject([{ kind: 'role', value: 'admin' }])
  })
})
