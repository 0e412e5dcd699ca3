import { beforeAll, describe, expect, test } from 'vitest'
import { authorization, firstMessage, subprotocol } from '../../../packages/countersign/src/index.ts'
import { isThenable } from '../../../packages/countersign/src/core/drive.ts'
import { jwks } from '../../../packages/countersign/src/methods/jwt.ts'
import {
  expectAcceptance,
  expectRefusal,
  handshakeOf,
  knock,
  knockAndListen,
  openGuard,
  say,
  type Opened,
} from '../support/guard.ts'
import { jwtWith, pairOf, signed, type Pair } from './jwt-support.ts'

let pair: Pair

beforeAll(async () => {
  pair = await pairOf('Ed25519')
})

function opened(options: Parameters<typeof jwtWith>[1] = {}): Opened {
  return openGuard({ accept: [jwtWith(pair, options)] })
}

/** A token that the guard's clock calls fresh. */
function tokenAt({ clock }: Opened, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const seconds = Math.floor(clock.now() / 1000)
  return signed(pair, { claims: { iat: seconds, exp: seconds + 600, ...claims } })
}

const bearing = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

describe('a guard with JWTs', () => {
  test('accepts one again without any promise, until its subject is revoked', async () => {
    const door = opened()
    const token = await tokenAt(door)
    expectAcceptance(await knock(door.guard, bearing(token)), 'user-17')
    expect(isThenable(door.guard.knock(handshakeOf(bearing(token))))).toBe(false)
    await door.guard.revoke({ subject: 'user-17' })
    expectRefusal(await knock(door.guard, bearing(token)), 'invalid_credential')
  })

  test.each(['token', 'session'] as const)('refuses one whose %s was revoked', async (kind) => {
    const door = opened()
    const token = await tokenAt(door, { jti: 'id-1', sid: 'id-1' })
    expectAcceptance(await knock(door.guard, bearing(token)), 'user-17')
    await door.guard.revoke(kind === 'token' ? { token: 'id-1' } : { session: 'id-1' })
    expectRefusal(await knock(door.guard, bearing(token)), 'invalid_credential')
  })

  test('ends a lease whose token is of a clock that is ahead', async () => {
    const door = opened()
    const seconds = Math.floor(door.clock.now() / 1000)
    const { lease } = expectAcceptance(
      await knock(door.guard, bearing(await tokenAt(door, { iat: seconds + 4 }))),
      'user-17',
    )
    lease.open()
    await door.guard.revoke({ subject: 'user-17' })
    expect(lease.reason).toBe('revoked')
  })

  test('hears one as first message and reads one among the subprotocols', async () => {
    const door = opened({ from: [firstMessage(), subprotocol()] })
    const token = await tokenAt(door)
    const turn = await knockAndListen(door.guard)
    expectAcceptance(await say(door, turn, token), 'user-17')
    const offered = `countersign.v1, countersign.bearer.${token}`
    expectAcceptance(await knock(door.guard, { subprotocol: offered }), 'user-17')
  })

  test('answers internal when keys are out of reach, and journals no token', async () => {
    const unreachable = (): Promise<Response> => Promise.reject(new TypeError('no route'))
    const door = opened({ keys: jwks({ url: 'https://id.example.com/jwks', fetch: unreachable }) })
    const token = await tokenAt(door)
    expectRefusal(await knock(door.guard, bearing(token)), 'internal')
    expect(door.journal).toContainEqual(expect.objectContaining({ kind: 'error', detail: 'OutageError' }))
    expect(JSON.stringify(door.journal)).not.toContain(token.slice(-40))
  })

  test('tells an expired one from a wrong one', async () => {
    const door = opened({ from: authorization('Bearer') })
    const token = await tokenAt(door)
    door.clock.advance(605_000)
    expectRefusal(await knock(door.guard, bearing(token)), 'expired_credential')
    expectRefusal(await knock(door.guard, bearing(`${token.slice(0, -4)}AAAA`)), 'invalid_credential')
  })
})
