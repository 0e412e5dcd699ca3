import { createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { Challenge, Platform } from '../../../packages/countersign/src/core/ports.ts'
import type { Salting } from '../../../packages/countersign/src/core/records.ts'
import {
  accounts,
  functionAuthenticator,
  wampcra,
  wampcraUsers,
  type WampcraUser,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { noon } from '../support/conversation.ts'
import { expectAccepted, expectAlike, helloOf, stage, type Held, type Reply } from './wamp-support.ts'

const { derive } = nodePlatform()
const from = wampHello()
const listedUsers = (users: Record<string, WampcraUser>): ReturnType<typeof wampcra> =>
  wampcra({ from, sources: [wampcraUsers(users, derive)] })

/** The key as clients derive it, and as only somebody who misread the specification does. */
function keyOf(secret: string, extra: Challenge['extra'], raw = false): string | Buffer {
  const { salt, iterations, keylen } = extra as Partial<Salting>
  if (salt === undefined) return secret
  const bytes = pbkdf2Sync(secret, salt, iterations ?? 1_000, keylen ?? 32, 'sha256')
  return raw ? bytes : bytes.toString('base64')
}

const signing =
  (secret: string, raw = false): Reply =>
  ({ extra }) =>
    createHmac('sha256', keyOf(secret, extra, raw))
      .update(String(extra['challenge']))
      .digest('base64')

/** Signs with this very text. */
const withKey =
  (key: string): Reply =>
  ({ extra }) =>
    createHmac('sha256', key).update(String(extra['challenge'])).digest('base64')

const peter: WampcraUser = {
  secret: 'prq7+YkJ1/KlW1X0YczMHw==',
  salt: 'salt123',
  iterations: 100,
  keylen: 16,
  role: 'frontend',
}
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }
const login = (users: Record<string, WampcraUser>, reply: Reply, authid = 'peter'): Promise<Held> =>
  stage().hold(listedUsers(users), helloOf('wampcra', { authid }), reply)

describe('trap 1, the key of a salted secret', () => {
  test('is the base64 text of the derived bytes', async () => {
    expectAccepted(await login({ peter: { ...peter, secret: 'secret3' } }, signing('secret3')))
  })

  test('is not the derived bytes themselves', async () => {
    expect(await login({ peter: { ...peter, secret: 'secret3' } }, signing('secret3', true))).toMatchObject(
      denied,
    )
  })
})

describe('trap 2, a salted secret', () => {
  test('may be the derived key: who knows the password is let in', async () => {
    expectAccepted(await login({ peter }, signing('secret1')))
  })

  test('may be the password, whatever it looks like', async () => {
    expectAccepted(await login({ peter }, signing(peter.secret)))
    expectAccepted(await login({ peter: { ...peter, secret: 'secret1' } }, signing('secret1')))
  })

  test('is no key by itself where it cannot be a derived one', async () => {
    expect(await login({ peter: { ...peter, secret: 'secret1' } }, withKey('secret1'))).toMatchObject(denied)
  })

  test('is derived once, at load', async () => {
    const counting = vi.fn<Platform['derive']>(derive)
    const users = wampcraUsers({ peter, joe: { secret: 'secret2' } }, counting)
    await users.ready
    const method = wampcra({ from, sources: [users] })
    for (let at = 0; at < 3; at++)
      expectAccepted(await stage().hold(method, helloOf('wampcra'), signing('secret1')))
    expect(counting).toHaveBeenCalledTimes(1)
  })

  test('has a thousand iterations and 32 bytes where only a salt is given', async () => {
    const held = await login(
      { peter: { secret: 'secret1', salt: 'salt123', role: 'a' } },
      withKey('64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc='),
    )
    expectAccepted(held)
    expect(held.challenges[0]?.extra).toMatchObject({ salt: 'salt123', iterations: 1_000, keylen: 32 })
  })
})

describe('listed users', () => {
  test('who are asked for before their keys are there wait for them', async () => {
    let release: (key: Uint8Array) => void = () => undefined
    const method = wampcra({
      from,
      sources: [wampcraUsers({ peter }, async () => new Promise((resolve) => (release = resolve)))],
    })
    const waiting = stage().hold(method, helloOf('wampcra'), signing('secret1'))
    release(pbkdf2Sync(peter.secret, 'salt123', 100, 16, 'sha256'))
    expectAccepted(await waiting)
  })

  test('whose keys cannot be derived are an outage, for everyone', async () => {
    const users = wampcraUsers({ peter }, async () => Promise.reject(new Error('no threads')))
    await expect(users.ready).rejects.toThrow(OutageError)
    const method = wampcra({ from, sources: [users] })
    for (const authid of ['peter', 'nobody']) {
      await expect(stage().hold(method, helloOf('wampcra', { authid }))).rejects.toThrow(OutageError)
    }
  })

  test('get the name and the role that the list gives them', async () => {
    const held = await login({ peter: { ...peter, authid: 'Peter Pan' } }, signing('secret1'))
    expect(expectAccepted(held).principal).toEqual({
      id: 'Peter Pan',
      roles: ['frontend'],
      realm: undefined,
      method: 'wampcra',
      provider: 'static',
      claims: { authid: 'Peter Pan' },
    })
  })

  test('without a role get the default one, or cannot join', async () => {
    const users = { peter: { secret: 'secret1' } }
    expect(await login(users, signing('secret1'))).toMatchObject({ verdict: { reason: 'no_such_role' } })
    const sources = [wampcraUsers(users, derive)]
    const method = wampcra({ from, sources, defaultRole: 'guest' })
    const held = await stage().hold(method, helloOf('wampcra'), signing('secret1'))
    expect(expectAccepted(held).principal.roles).toEqual(['guest'])
  })

  test.each([
    [{ secret: '' }],
    [{ secret: 'a', salt: 'b', iterations: 0 }],
    [{ secret: 'a', salt: 'b', keylen: 7 }],
    [{ secret: 'a', salt: 'b', keylen: 65 }],
    [{ secret: 'a', salt: 'b', iterations: 1.5 }],
  ])('are refused as an option: %j', (user) => {
    expect(() => wampcraUsers({ peter: user }, derive)).toThrow(
      'invalid_option' in user ? '' : /secret|whole number/,
    )
  })

  test('called like members of objects are users like others', async () => {
    for (const authid of ['__proto__', 'constructor', 'toString']) {
      expect(await login({ peter }, signing('secret1'), authid)).toMatchObject(denied)
    }
  })
})

describe('the challenge of a session', () => {
  test('names the session that will be', async () => {
    const { challenges } = await login({ peter }, signing('secret1'))
    const challenge = JSON.parse(String(challenges[0]?.extra['challenge'])) as Record<string, unknown>
    expect(challenge).toMatchObject({
      session: 4_711,
      authid: 'peter',
      timestamp: new Date(noon).toISOString(),
    })
    expect(Object.keys(challenge).toSorted()).toEqual(
      ['authid', 'authmethod', 'authprovider', 'authrole', 'nonce', 'session', 'timestamp'].toSorted(),
    )
  })

  test('survives any name', async () => {
    const authid = 'pe"t\\er\n'
    const { challenges } = await login({ [authid]: { secret: 'x' } }, signing('x'), authid)
    expect(JSON.parse(String(challenges[0]?.extra['challenge']))).toMatchObject({ authid })
  })

  test('is answered once: its signature is none for the next one', async () => {
    let first = ''
    const keep: Reply = (challenge) => (first = signing('secret1')(challenge) as string)
    expectAccepted(await login({ peter }, keep))
    expect(await login({ peter }, () => first)).toMatchObject(denied)
  })
})

describe('a name that nobody has', () => {
  test.each([
    ['plain', { peter: { secret: 'secret1', role: 'a' } }],
    ['salted', { peter }],
  ])('cannot be told from a wrong signature where users are %s', async (_what, users) => {
    expectAlike(await login(users, signing('wrong')), await login(users, signing('wrong'), 'petra'))
  })

  test('cannot be told where an authenticator answers with passwords that have to be derived', async () => {
    const known = { peter: { secret: 'secret1', salt: 'salt123', iterations: 10, keylen: 32, role: 'a' } }
    const ask = functionAuthenticator((_realm, authid) => {
      if (authid !== 'peter') throw new Error('no such user')
      return known.peter
    })
    const method = wampcra({ from, sources: [ask] })
    const place = stage()
    const wrong = await place.hold(method, helloOf('wampcra'), signing('wrong'))
    expectAlike(wrong, await place.hold(method, helloOf('wampcra', { authid: 'petra' }), signing('wrong')))
    expect(wrong.asked).toContain('derive')
    expectAccepted(await place.hold(method, helloOf('wampcra'), signing('secret1')))
  })
})

describe('several sources', () => {
  const place = stage()
  const method = wampcra({
    from,
    sources: [
      wampcraUsers({ peter: { secret: 'of the list', role: 'a' } }, derive),
      functionAuthenticator((_realm, authid) => {
        if (authid === 'banned') throw new Error('banned')
        return authid === 'paul'
          ? { secret: 'of the function', role: 'b', realm: 'realm2', extra: { x: 1 } }
          : null
      }),
      accounts(),
    ],
  })
  const of = (authid: string, secret: string): Promise<Held> =>
    place.hold(method, helloOf('wampcra', { authid }), signing(secret))

  test('are asked in order, and the first who knows the name decides', async () => {
    for (const authid of ['peter', 'mary', 'banned']) {
      await place.records.putChallengeSecret({
        authid,
        secret: 'of the records',
        salting: undefined,
        subject: `account ${authid}`,
        roles: ['c'],
        session: 'login-1',
        uses: 'one',
        issuedAtMs: noon - 1,
        expiresAtMs: noon + 1_000,
      })
    }
    expect(expectAccepted(await of('peter', 'of the list')).principal.provider).toBe('static')
    expect(await of('peter', 'of the records')).toMatchObject(denied)
    const paul = expectAccepted(await of('paul', 'of the function'))
    expect(paul.principal).toMatchObject({ realm: 'realm2', roles: ['b'], provider: 'function' })
    expect(paul.principal.claims).toEqual({ authid: 'paul', authextra: { x: 1 } })
    const mary = expectAccepted(await of('mary', 'of the records'))
    expect(mary.principal).toMatchObject({
      id: 'account mary',
      claims: { authid: 'mary' },
      provider: 'records',
    })
    expect(mary.grant).toMatchObject({ session: 'login-1', token: 'mary' })
    expect(await of('mary', 'of the records')).toMatchObject(denied)
  })

  test('end with the first denial', async () => {
    expect(await of('banned', 'of the records')).toMatchObject(denied)
  })

  test('are needed', () => {
    expect(() => wampcra({ from, sources: [] })).toThrow('at least one')
  })
})

test('a hello without a name leaves the word to another method', async () => {
  const held = await stage().hold(listedUsers({ peter }), helloOf('wampcra', { authid: undefined }))
  expect(held).toMatchObject({ verdict: { reason: 'missing_credential' }, asked: [] })
})

test('what the client says about itself is in no acceptance', async () => {
  const hello = helloOf('wampcra', {
    join: { authextra: { transport: 'forged', admin: true }, authrole: 'admin' },
  })
  const held = await stage().hold(listedUsers({ peter }), hello, signing('secret1'))
  expect(JSON.stringify(expectAccepted(held))).not.toMatch(/forged|admin|secret|prq7/)
})
