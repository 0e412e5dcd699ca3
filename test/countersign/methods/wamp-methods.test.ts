import { describe, expect, test } from 'vitest'
import { wampBearer, wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import {
  accounts,
  anonymous,
  cryptosign,
  cryptosignPrincipals,
  memoryCookies,
  scram,
  secondFactor,
  tlsPrincipals,
  wampcra,
  wampCookie,
  wampTicket,
  wampTls,
} from '../../../packages/countersign/src/methods/index.ts'
import { answeredBytes, decodeHex, sameBytes } from '../../../packages/countersign/src/methods/wamp-bytes.ts'
import { noon, recognised, shown, token } from '../support/conversation.ts'
import {
  expectRefusal,
  expectAcceptance,
  handshakeOf,
  openGuard,
  pageOrigin,
  peerTurn,
} from '../support/guard.ts'
import { expectAccepted, helloOf, stage } from './wamp-support.ts'

const from = wampHello()
const methods: readonly Method[] = [
  anonymous({ from }),
  wampTicket({ from: wampBearer() }),
  wampcra({ from }),
  scram({ from }),
  cryptosign({ from, sources: [cryptosignPrincipals({})] }),
  wampTls({ from, sources: [tlsPrincipals({})] }),
  wampCookie({ from: wampBearer(), store: memoryCookies() }),
  secondFactor(wampcra({ from }), scram({ from })),
]

describe.each(methods.map((method) => [method.name, method] as const))('the method %s', (name, method) => {
  test('recognises a hello that names it, and nothing else', () => {
    const shapes = {
      own: helloOf(name),
      beside: helloOf('', { methods: ['other', name] }),
      other: helloOf('other'),
      token: token('a'),
    }
    expect(recognised(method, shapes)).toEqual(['own', 'beside'])
  })

  test('refuses any other credential without asking anything', () => {
    expect(method.judge(shown()).next()).toMatchObject({
      done: true,
      value: { reason: 'invalid_credential' },
    })
  })
})

describe('a client with several methods', () => {
  const cookies = memoryCookies()
  const opened = openGuard({
    accept: [wampCookie({ from: wampBearer(), store: cookies }), wampcra({ from }), anonymous({ from })],
  })
  const join = (methods: readonly string[], cookie?: string) =>
    opened.guard.join(
      handshakeOf({ origin: pageOrigin, cookie }),
      helloOf('', { methods, authid: undefined }),
    )

  test('whose cookie stands for nobody goes on with its next one', async () => {
    const turn = await join(['cookie', 'wampcra', 'anonymous'], 'cbtid=unknown')
    if (turn.kind !== 'done') throw new Error('anonymous asks nothing')
    expectAcceptance(turn.value, turn.value.kind === 'accepted' ? turn.value.lease.principal.id : '')
  })

  test('of which none may be used here is told so', async () => {
    const turn = await join(['ticket', 'unknown'])
    expect(turn).toMatchObject({ kind: 'done', value: { reason: 'no_matching_method' } })
  })

  test('that has lost its cookie to a revocation is not let in by it', async () => {
    const anonymously = await join(['anonymous'])
    if (anonymously.kind !== 'done' || anonymously.value.kind !== 'accepted') throw new Error('refused')
    const { principal, grant, untilMs } = anonymously.value.lease
    const key = (await import('../../../packages/countersign/src/platform/node.ts'))
      .nodePlatform()
      .hash('value')
    await cookies.remember(await key, { principal, grant, realm: 'realm1', untilMs }, opened.clock.now())
    const back = await join(['cookie'], 'cbtid=value')
    if (back.kind !== 'done') throw new Error('a cookie asks nothing')
    expectAcceptance(back.value, principal.id)
    await opened.guard.revoke({ subject: principal.id })
    const late = await join(['cookie'], 'cbtid=value')
    if (late.kind !== 'done') throw new Error('a cookie asks nothing')
    expectRefusal(late.value, 'invalid_credential')
  })
})

describe('a salted secret of the records through a guard', () => {
  test('is challenged for the session, and journals no secret', async () => {
    const opened = openGuard({ accept: [wampcra({ from, sources: [accounts()] })] })
    await opened.guard.issue.challengeSecret({
      subject: 'alice',
      roles: ['a'],
      authid: 'peter',
      secret: 'secret1',
    })
    const { say, answer } = peerTurn(await opened.guard.join(handshakeOf(), helloOf('wampcra')))
    expect(JSON.parse(String(say?.extra['challenge']))).toMatchObject({ session: 4_711 })
    await answer({ text: 'wrong', now: opened.clock.now() })
    expect(JSON.stringify(opened.journal)).not.toContain('secret1')
  })
})

describe('bytes', () => {
  test('are read from hex of their exact length alone', () => {
    expect(decodeHex('00fF', 2)).toEqual(Uint8Array.of(0, 255))
    for (const text of ['00f', '00ff00', '0g00', 7, undefined]) expect(decodeHex(text, 2)).toBeUndefined()
  })

  test('of the platform are read in either alphabet, or are an outage', () => {
    expect(answeredBytes('+/8=')).toEqual(answeredBytes('-_8'))
    expect(() => answeredBytes('?')).toThrow(OutageError)
  })

  test('are the same where all are', () => {
    const two = Uint8Array.of(1, 2)
    expect(sameBytes(two, Uint8Array.of(1, 2))).toBe(true)
    for (const other of [[1, 3], [1], [1, 2, 3], []])
      expect(sameBytes(Uint8Array.from(other), two)).toBe(false)
  })
})

test('what is over when the answer comes is refused as such', async () => {
  const place = stage()
  await place.records.putChallengeSecret({
    authid: 'peter',
    secret: 'pencil',
    salting: undefined,
    subject: 'alice',
    roles: [],
    session: undefined,
    uses: 'one',
    issuedAtMs: noon - 1,
    expiresAtMs: noon + 1,
  })
  const { createHmac } = await import('node:crypto')
  const sign = (now: number) =>
    place.hold(wampcra({ from, defaultRole: 'r' }), helloOf('wampcra'), ({ extra }) => ({
      text: createHmac('sha256', 'pencil').update(String(extra['challenge'])).digest('base64'),
      now,
    }))
  expect(await sign(noon + 1)).toMatchObject({ verdict: { reason: 'expired_credential' } })
  expect(expectAccepted(await sign(noon)).principal.roles).toEqual(['r'])
})
