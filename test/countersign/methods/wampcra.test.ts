import { createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  challengeFrames,
  memory,
  type Records,
  type Salting,
} from '../../../packages/countersign/src/index.ts'
import { wampcra } from '../../../packages/countersign/src/methods/index.ts'
import type { Challenge } from '../../../packages/countersign/src/core/ports.ts'
import type { Decision } from '../../../packages/countersign/src/core/knock.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { converse, hello, recognised, shown, token } from '../support/conversation.ts'
import {
  expectAcceptance,
  expectRefusal,
  knockAndListen,
  openGuard,
  peerTurn,
  say,
  type Opened,
} from '../support/guard.ts'

const method = wampcra({ from: challengeFrames() })
const open = (records: Records = memory()): Opened => openGuard({ accept: [method], records })
const helloOf = (authid: string): string =>
  JSON.stringify({ type: 'hello', authid, methods: ['scram-sha-256', 'wampcra'] })

/** Signs as every WAMP client does: the base64 text of the derived bytes is the key. */
function signer(secret: string): (challenge: Challenge) => string {
  return ({ extra }) => {
    const { challenge, salt, iterations, keylen } = extra as { challenge: string } & Partial<Salting>
    const key =
      salt === undefined
        ? secret
        : pbkdf2Sync(secret, salt, iterations ?? 1_000, keylen ?? 32, 'sha256').toString('base64')
    return createHmac('sha256', key).update(challenge).digest('base64')
  }
}

async function challengeFor(opened: Opened, authid: string): Promise<Challenge> {
  const turn = await knockAndListen(opened.guard)
  const next = peerTurn(await turn.answer({ text: helloOf(authid), now: opened.clock.now() }))
  if (next.say === undefined) throw new Error('no challenge')
  next.leave(opened.guard.refusal({} as never, 'authentication_timeout'))
  return next.say
}

async function login(opened: Opened, authid: string, secret: string): Promise<Decision> {
  return say(opened, await knockAndListen(opened.guard), helloOf(authid), signer(secret))
}

const salting: Salting = { salt: 'salt123', iterations: 100, keylen: 16 }

describe('the key of a secret', () => {
  test.each([
    [
      'secret1',
      { salt: 'salt123', iterations: 1_000, keylen: 32 },
      '64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc=',
    ],
    ['secret1', { salt: 'salt123', iterations: 100, keylen: 16 }, 'prq7+YkJ1/KlW1X0YczMHw=='],
    [
      'L3L1YUE8Txlw',
      { salt: 'salt123', iterations: 1_000, keylen: 32 },
      'qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=',
    ],
    [
      'secretKey',
      { salt: 'secretSalt', iterations: 1_000, keylen: 32 },
      'PjhbMq82TzEZgl7/qKoUrk2ZdYl3sBciwBVSnE7ZCYM=',
    ],
    [
      'secretKey',
      { salt: 'secretSalt', iterations: 500, keylen: 32 },
      't/+iDiMZLt/mFSzbtq7vJHdExA3FtBu0LukzpTFYBpI=',
    ],
    ['secretKey', { salt: 'secretSalt', iterations: 2_000, keylen: 16 }, 'ER8wnMRXtdNgY8tJ37FkhQ=='],
    [
      'pässwörd€',
      { salt: 'sält', iterations: 1_000, keylen: 32 },
      'o6HJqMh7ouzkZ0+DBZqR5LngHdEmCa5CLHvfHM2qLVU=',
    ],
    [
      'secret',
      { salt: 'somesalt', iterations: 1_000, keylen: 32 },
      'vqJqygf2tor+2oXl6lWino6yb6bhsvOKyvQv/Gi94uE=',
    ],
    [
      'secret3',
      { salt: 'salt123', iterations: 1_000, keylen: 32 },
      'dBKgPDNMnF0Pwg6sxu7bYUomIXFNfNAgUSOSc/tHnuw=',
    ],
  ])('%s with %j is what published clients derive', async (secret, salt, key) => {
    const opened = open()
    await opened.guard.issue.challengeSecret({ subject: 'peter', authid: 'peter', secret, salting: salt })
    expect((await opened.records.findChallengeSecret('peter'))?.secret).toBe(key)
  })
})

const spec =
  '{"nonce": "LHRTC9zeOIrt_9U3", "authprovider": "userdb", "authid": "peter", "timestamp": "2014-06-22T16:36:25.448Z", ' +
  '"authrole": "user", "authmethod": "wampcra", "session": 3251278072152162}'
const wampy =
  '{"authrole": "commonuser", "authprovider": "static", "authmethod": "wampcra", "timestamp": "2016-05-19T09:30:32.177Z", ' +
  '"session": 6492709588079659, "authid": "joe", "nonce": "Z+UXH9Q8htepjpDYGAuwBQgeQTSX2W9eZrEJLFrr1ohVJVHjzIaxgw7niL6CsAQb"}'
const compact =
  '{"authid":"peter","authrole":"user","authmethod":"wampcra","authprovider":"userdb","session":3251278072152162,' +
  '"nonce":"LHRTC9zeOIrt_9U3","timestamp":"2014-06-22T16:36:25.448Z"}'

const pretty = JSON.stringify(
  {
    authid: 'authid',
    authmethod: 'wampcra',
    authprovider: 'provider',
    authrole: 'authrole',
    nonce: 'VJ/iO7bpl5rCiRGJ7IGuQg==',
    session: 12_345,
    timestamp: '2024-07-09T14:32:29+0500',
  },
  undefined,
  2,
)
const derived = (secret: string, { salt, iterations, keylen }: Salting): string =>
  pbkdf2Sync(secret, salt, iterations, keylen, 'sha256').toString('base64')

describe('the signature of a challenge', () => {
  const { hmac } = nodePlatform()

  test.each([
    ['64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc=', spec, 'gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI='],
    ['L3L1YUE8Txlw', '[1, 2, 3]', '1njQtmmeYO41N5EWEzD2kAjjEKRZ5kPZt/TzpYXOzR0='],
    ['secretKey', wampy, 'pKj6AlpNYn7QKqAZD0WctTVO+nxpSG1kT9muLzbv5Mo='],
    [
      derived('secretKey', { salt: 'secretSalt', iterations: 100, keylen: 16 }),
      wampy,
      'W+wnbw5Uo9rkDIrQf1SSJue4JPzkqWQE89sO4qndUs4=',
    ],
    ['secret', pretty, 'zeKvtzblkhYcLSniqcPEvp3+2uXNkPOSOsR3ZYc9CPw='],
    ['secret1', '{"authid":"joe","session":1}', 'dayDm3FQ/h9F4skKDrgRkGIPzQu7rOPRvFnQTD4YeGw='],
    [
      '64xfzBvZhGDT7PB0bQwDeI8/WR1M9x6Cw5dt0yP9koc=',
      '{"authid":"joe","session":1}',
      '4kmxP6w9+0lo+hkNG1mSFJr9tB4nM/G2E3kLUuqhB5Y=',
    ],
    ['dBKgPDNMnF0Pwg6sxu7bYUomIXFNfNAgUSOSc/tHnuw=', compact, 'wEgPzu/K7eioCevQdR4rdUQhcwqghRAbMNC54PlOq7A='],
  ])('under %s is what published clients send', async (key, challenge, signature) => {
    expect(await hmac(key, challenge)).toBe(signature)
  })

  test('is not made with the derived bytes themselves', async () => {
    const bytes = Buffer.from('dBKgPDNMnF0Pwg6sxu7bYUomIXFNfNAgUSOSc/tHnuw=', 'base64')
    expect(await hmac(bytes, compact)).toBe('WYXKKP1KN2pC5zJL55yay6gydzWAjMq+DkaXs1jLBX0=')
    expect(await hmac(bytes.toString('base64'), compact)).not.toBe(
      'WYXKKP1KN2pC5zJL55yay6gydzWAjMq+DkaXs1jLBX0=',
    )
  })
})

describe('the challenge', () => {
  test('names the peer, says nothing about it, and is fresh', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({ subject: 'alice', roles: ['admin'], authid: 'peter' })
    const [one, two] = [await challengeFor(opened, 'peter'), await challengeFor(opened, 'peter')]
    expect(one.method).toBe('wampcra')
    expect(Object.keys(one.extra)).toEqual(['challenge'])
    const text = JSON.parse(String(one.extra['challenge'])) as Record<string, unknown>
    expect(text).toEqual({
      authid: 'peter',
      authrole: 'user',
      authmethod: 'wampcra',
      authprovider: 'countersign',
      nonce: expect.stringMatching(/^[\w-]{32}$/) as string,
      timestamp: new Date(opened.clock.now()).toISOString(),
      session: expect.any(Number) as number,
    })
    expect(two.extra['challenge']).not.toBe(one.extra['challenge'])
  })

  test('has a session number that a WAMP id may have, spread over the whole range', async () => {
    const opened = open()
    const numbers: number[] = []
    for (let at = 0; at < 300; at++) {
      const { challenge } = (await challengeFor(opened, `peer-${at}`)).extra
      numbers.push((JSON.parse(String(challenge)) as { session: number }).session)
    }
    expect(numbers.every((number) => Number.isInteger(number) && number >= 1 && number <= 2 ** 53)).toBe(true)
    expect(new Set(numbers).size).toBe(numbers.length)
    const low = numbers.filter((number) => number < 2 ** 52).length
    expect(low).toBeGreaterThan(90)
    expect(low).toBeLessThan(210)
  })

  test('carries the salting of a salted secret', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({
      subject: 'alice',
      authid: 'peter',
      secret: 'secret1',
      salting,
    })
    expect((await challengeFor(opened, 'peter')).extra).toMatchObject(salting)
  })
})

describe('whoever signs', () => {
  test.each([undefined, salting])('with the secret is accepted (salting %j)', async (how) => {
    const opened = open()
    const options = {
      subject: 'alice',
      roles: ['member'],
      authid: 'peter',
      secret: 'secret1',
      session: 'login-1',
    }
    await opened.guard.issue.challengeSecret(how === undefined ? options : { ...options, salting: how })
    const { lease, reply, method: name } = expectAcceptance(await login(opened, 'peter', 'secret1'), 'alice')
    expect({ reply, name }).toEqual({ reply: 'challenge', name: 'wampcra' })
    expect(lease.grant).toMatchObject({ session: 'login-1', token: 'peter' })
    expectRefusal(await login(opened, 'peter', 'secret2'), 'invalid_credential')
    await opened.guard.revoke({ session: 'login-1' }, 'logged_out')
    expect(lease.reason).toBe('logged_out')
    expectRefusal(await login(opened, 'peter', 'secret1'), 'invalid_credential')
  })

  test('a challenge of before with a signature of before is refused', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({ subject: 'alice', authid: 'peter', secret: 'secret1' })
    let first = ''
    await say(
      opened,
      await knockAndListen(opened.guard),
      helloOf('peter'),
      (challenge) => (first = signer('secret1')(challenge)),
    )
    expectRefusal(
      await say(opened, await knockAndListen(opened.guard), helloOf('peter'), () => first),
      'invalid_credential',
    )
  })

  test('too late is refused, though it signs right', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({
      subject: 'alice',
      authid: 'peter',
      secret: 'secret1',
      ttlMs: 1_000,
    })
    const answer = (challenge: Challenge): string => {
      opened.clock.advance(1_000)
      return signer('secret1')(challenge)
    }
    const turn = await knockAndListen(opened.guard)
    const next = peerTurn(await turn.answer({ text: helloOf('peter'), now: opened.clock.now() }))
    const signed = answer(next.say ?? { method: '', extra: {} })
    expect(await next.answer({ text: signed, now: opened.clock.now() })).toMatchObject({
      value: { reason: 'expired_credential' },
    })
  })

  test('twenty times at once with a secret for one use is accepted once', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({
      subject: 'alice',
      authid: 'peter',
      secret: 'secret1',
      uses: 'one',
    })
    const turns = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const turn = await knockAndListen(opened.guard)
        return peerTurn(await turn.answer({ text: helloOf('peter'), now: opened.clock.now() }))
      }),
    )
    const ends = await Promise.all(
      turns.map(async (turn) =>
        turn.answer({
          text: signer('secret1')(turn.say ?? { method: '', extra: {} }),
          now: opened.clock.now(),
        }),
      ),
    )
    expect(ends.filter((end) => end.kind === 'done' && end.value.kind === 'accepted')).toHaveLength(1)
    expectRefusal(await login(opened, 'peter', 'secret1'), 'invalid_credential')
  })

  test('wrongly again and again has to wait, known or not, before anything is looked up', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({ subject: 'alice', authid: 'peter', secret: 'secret1' })
    for (const authid of ['peter', 'nobody']) {
      for (let at = 0; at < 5; at++) expectRefusal(await login(opened, authid, 'wrong'), 'invalid_credential')
      opened.calls.length = 0
      const turn = await knockAndListen(opened.guard)
      const refusal = expectRefusal(await say(opened, turn, helloOf(authid)), 'too_many_attempts')
      expect(refusal.retryAfterMs).toBe(1_000)
      expect(opened.calls).toEqual([])
    }
  })

  test('wrongly does not spend a secret for one use', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({
      subject: 'alice',
      authid: 'peter',
      secret: 'secret1',
      uses: 'one',
    })
    expectRefusal(await login(opened, 'peter', 'wrong'), 'invalid_credential')
    expectAcceptance(await login(opened, 'peter', 'secret1'), 'alice')
  })
})

/** Challenge secrets of real users, salted as each row says. */
async function populated(...saltings: readonly (Salting | undefined)[]): Promise<Opened> {
  const opened = open()
  for (const [at, how] of saltings.entries()) {
    const row = { subject: 'u', authid: `real-${at}`, secret: 'secret1' }
    await opened.guard.issue.challengeSecret(how === undefined ? row : { ...row, salting: how })
  }
  opened.calls.length = 0
  return opened
}

type Shape = Partial<Salting>

const shapeOf = ({ extra }: Challenge): Shape => {
  const { salt, iterations, keylen } = extra as Shape
  return salt === undefined ? {} : { salt, iterations: iterations ?? 0, keylen: keylen ?? 0 }
}

describe('an unknown name', () => {
  test('is challenged as a known one, with the same questions asked', async () => {
    const opened = await populated(undefined)
    await challengeFor(opened, 'nobody')
    const unknown = opened.calls.splice(0)
    await challengeFor(opened, 'real-0')
    expect(opened.calls).toEqual(unknown)
    expectRefusal(await login(opened, 'nobody', 'secret1'), 'invalid_credential')
  })

  test('is refused even to whoever knows the key that its answers are drawn with', async () => {
    const opened = await populated()
    const secret = createHmac('sha256', 'decoy key of the tests')
      .update('wampcra-secret\nnobody')
      .digest('base64')
    expectRefusal(await login(opened, 'nobody', secret), 'invalid_credential')
  })

  test('is challenged without salt where nobody has one, or nobody is there', async () => {
    for (const opened of [await populated(), await populated(undefined)]) {
      expect(shapeOf(await challengeFor(opened, 'nobody'))).toEqual({})
    }
  })

  test('gets the same answer every time, from every node with the same key, and another one than its neighbour', async () => {
    const one = await populated(salting)
    const two = await populated(salting)
    const first = shapeOf(await challengeFor(one, 'nobody'))
    expect(shapeOf(await challengeFor(one, 'nobody'))).toEqual(first)
    expect(shapeOf(await challengeFor(two, 'nobody'))).toEqual(first)
    expect(shapeOf(await challengeFor(one, 'neighbour')).salt).not.toBe(first.salt)
  })

  test('is drawn from the shapes of real ones', async () => {
    const hex = { salt: 'deadbeef01', iterations: 4_000, keylen: 32 }
    const opened = await populated(undefined, salting, hex)
    const shapes = new Map<string, number>()
    for (let at = 0; at < 120; at++) {
      const { salt, iterations, keylen } = shapeOf(await challengeFor(opened, `nobody-${at}`))
      const shape =
        salt === undefined
          ? 'plain'
          : `${/^[0-9a-f]{10}$/.test(salt) ? 'hex ' : ''}${salt.length}/${iterations ?? 0}/${keylen ?? 0}`
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1)
    }
    expect([...shapes.keys()].toSorted()).toEqual(['7/100/16', 'hex 10/4000/32', 'plain'])
    for (const count of shapes.values()) expect(count).toBeGreaterThan(15)
  })

  test.each([
    ['digits', ['12345678', '99887766'], /^\d{8}$/],
    ['hexadecimal', ['00ffee11', 'abcdef01'], /^[0-9a-f]{8}$/],
    ['upper-case hexadecimal', ['00FFEE11'], /^[0-9A-F]{8}$/],
    ['letters and digits', ['salt1234', 'Zz00aaBB'], /^[A-Za-z0-9]{8}$/],
    ['base64url', ['ab-_AB12', 'zzzzzzzz'], /^[\w-]{8}$/],
    ['base64 with its padding', ['ab+/AB==', 'zzzz12=='], /^[A-Za-z0-9+/]{6}==$/],
    ['anything else', ['s;lt 😀.'], /^[A-Za-z0-9+/]{8,}$/],
  ])('has a salt written like real ones in %s', async (_what, salts, like) => {
    const opened = await populated(...salts.map((salt) => ({ salt, iterations: 10, keylen: 32 })))
    const seen = new Set<string>()
    for (let at = 0; at < 40; at++) {
      const { salt } = shapeOf(await challengeFor(opened, `nobody-${at}`))
      expect(salt).toMatch(like)
      for (const char of salt ?? '') seen.add(char)
    }
    expect(seen.size).toBeGreaterThan(9)
  })

  test('has a salt as long as the longest real one', async () => {
    const opened = await populated({ salt: 'ab'.repeat(60), iterations: 10, keylen: 32 })
    const { salt } = shapeOf(await challengeFor(opened, 'nobody'))
    expect(salt).toMatch(/^[0-9a-f]{120}$/)
    expect(salt?.slice(0, 42)).not.toBe(salt?.slice(42, 84))
  })
})

describe('the WAMP-CRA method', () => {
  test('recognises a hello that names it', () => {
    expect(
      recognised(method, {
        hello,
        'another hello': { ...hello, methods: ['scram-sha-256'] } as typeof hello,
        token: token('a'),
      }),
    ).toEqual(['hello'])
    expect(converse(method.judge(shown()))).toMatchObject({ kind: 'deny', reason: 'invalid_credential' })
  })

  test('slows guesses, by name and source, for names that exist and for others alike', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({ subject: 'peter', authid: 'peter', secret: 'letmein' })
    for (const name of ['peter', 'nobody']) {
      for (let at = 0; at < 5; at++) expectRefusal(await login(opened, name, 'wrong'), 'invalid_credential')
      const turn = await knockAndListen(opened.guard)
      const refused = expectRefusal(await say(opened, turn, helloOf(name)), 'too_many_attempts')
      expect(refused.retryAfterMs).toBe(1_000)
    }
    const elsewhere = await knockAndListen(opened.guard, { remoteAddress: '127.0.0.2' })
    expectAcceptance(await say(opened, elsewhere, helloOf('peter'), signer('letmein')), 'peter')
  })

  test('counts no guess where nothing was answered', async () => {
    const opened = open()
    await opened.guard.issue.challengeSecret({ subject: 'peter', authid: 'peter', secret: 'letmein' })
    for (let at = 0; at < 20; at++) await challengeFor(opened, 'peter')
    expectAcceptance(await login(opened, 'peter', 'letmein'), 'peter')
  })
})
