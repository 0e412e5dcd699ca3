import { describe, expect, test } from 'vitest'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { findMark, hear } from '../../../packages/countersign/src/core/ask.ts'
import type { HelloCredential } from '../../../packages/countersign/src/core/credential.ts'
import type { Turn } from '../../../packages/countersign/src/core/drive.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import { grantOf } from '../../../packages/countersign/src/core/rows.ts'
import { accept, deny } from '../../../packages/countersign/src/core/verdict.ts'
import { memory } from '../../../packages/countersign/src/index.ts'
import { handshakeOf, openGuard, peerTurn, wrapped, type Opened } from '../support/guard.ts'

const hello: HelloCredential = {
  kind: 'hello',
  authid: 'joe',
  methods: ['echo'],
  nonce: undefined,
  join: undefined,
}

/** Accepts whoever the answer names, with a role of that name; `throw` breaks it, `no` is refused. */
const echo: Method = {
  name: 'echo',
  from: [wampHello()],
  csrf: undefined,
  recognises: (credential) => credential.kind === 'hello',
  *judge(shown) {
    const { text } = yield* hear({ method: 'echo', extra: {} })
    if (text === 'throw') throw new Error('broken')
    if (text === 'no') return deny('invalid_credential')
    const [id = '', role = 'member'] = text.split('/')
    const grant = grantOf({ subject: id, roles: [role], issuedAtMs: shown.now })
    if (text === 'later') yield* findMark(grant, 'x', shown.handshake)
    const principal = { id, roles: [role], realm: undefined, method: 'echo', provider: 'test', claims: {} }
    return accept({ principal, grant, untilMs: shown.now + 60_000 })
  },
}

async function joined(options: Partial<Parameters<typeof openGuard>[0]> = {}): Promise<Opened> {
  const opened = openGuard({ accept: [echo], limits: { jitter: 0 }, ...options })
  const { guard, clock } = opened
  const turn = peerTurn(await guard.join(handshakeOf(), hello))
  const decided = await turn.answer({ text: 'joe', now: clock.now() })
  if (decided.kind !== 'done' || decided.value.kind !== 'accepted') throw new Error('not accepted')
  decided.value.lease.open()
  return opened
}

/** Opens a renewal and answers its challenge. */
async function rejoined({ guard, clock }: Opened, text: string): Promise<Turn<Reason | undefined>> {
  const lease = guard.leases()[0]
  const turn = await guard.rejoin(lease?.id ?? 'none', handshakeOf(), hello)
  if (turn.kind !== 'peer') return turn
  expect(turn.say).toEqual({ method: 'echo', extra: {} })
  return await turn.answer({ text, now: clock.now() })
}

describe('a lease is renewed by an opening', () => {
  test('of its own holder, who may have another role by now', async () => {
    const opened = await joined()
    const lease = opened.guard.leases()[0]
    opened.clock.advance(30_000)
    expect(await rejoined(opened, 'joe/admin')).toEqual({ kind: 'done', value: undefined })
    expect(lease?.untilMs).toBe(opened.clock.now() + 60_000)
    expect(lease?.principal.roles).toEqual(['admin'])
  })

  test('and by nobody else', async () => {
    const opened = await joined()
    expect(await rejoined(opened, 'ann')).toEqual({ kind: 'done', value: 'forbidden' })
    expect(await rejoined(opened, 'no')).toEqual({ kind: 'done', value: 'invalid_credential' })
    expect(opened.guard.leases()[0]?.principal.id).toBe('joe')
  })

  test('not where it breaks or the records do', async () => {
    const broken = await joined()
    expect(await rejoined(broken, 'throw')).toEqual({ kind: 'done', value: 'internal' })
    let fails = false
    const records = wrapped(memory(), (name, call) => {
      if (fails && name === 'findMark') throw new Error('out of reach')
      return call()
    })
    const opened = await joined({ records })
    fails = true
    expect(await rejoined(opened, 'joe')).toEqual({ kind: 'done', value: 'internal' })
  })

  test('not once it has ended', async () => {
    const opened = await joined()
    await opened.guard.revoke({ subject: 'joe' })
    expect(await rejoined(opened, 'joe')).toEqual({ kind: 'done', value: 'forbidden' })
  })

  test('not when the methods that are offered do not exist', async () => {
    const { guard } = await joined()
    const lease = guard.leases()[0]
    const turn = await guard.rejoin(lease?.id ?? '', handshakeOf(), { ...hello, methods: [] })
    expect(turn).toEqual({ kind: 'done', value: 'no_matching_method' })
  })

  test('not when a method cannot even begin', async () => {
    const opened = await joined()
    const lease = opened.guard.leases()[0]
    const thrower = {
      ...hello,
      get methods(): never {
        throw new Error('broken')
      },
    }
    expect(await opened.guard.rejoin(lease?.id ?? '', handshakeOf(), thrower)).toEqual({
      kind: 'done',
      value: 'internal',
    })
  })

  test('unless its client leaves before the answer', async () => {
    const { guard, clock } = await joined()
    for (const reason of [undefined, 'authentication_timeout'] as const) {
      const turn = await guard.rejoin(guard.leases()[0]?.id ?? '', handshakeOf(), hello)
      if (turn.kind !== 'peer') throw new Error('no challenge')
      turn.leave(reason)
      expect(() => turn.answer({ text: 'joe', now: clock.now() })).toThrow('once')
    }
  })

  test('through a port that answers later', async () => {
    const records = wrapped(memory(), (name, call) =>
      name === 'findMark' ? Promise.resolve().then(call) : call(),
    )
    const opened = await joined({ records })
    expect(await rejoined(opened, 'joe/admin')).toEqual({ kind: 'done', value: undefined })
    expect(await rejoined(opened, 'later')).toEqual({ kind: 'done', value: 'forbidden' })
  })
})
