import { describe, expect, test } from 'vitest'
import { query } from '../../../packages/countersign/src/index.ts'
import type { Lease } from '../../../packages/countersign/src/core/lease.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import {
  expectAcceptance,
  expectRefusal,
  handshakeOf,
  knock,
  openGuard,
  type Opened,
} from '../support/guard.ts'

function opened(): Opened {
  return openGuard({ accept: [ticket({ from: query('ticket') })] })
}

async function targetOf({ guard }: Opened, session?: string): Promise<string> {
  const facts = session === undefined ? {} : { session }
  const issued = await guard.issue.ticket({ subject: 'alice', ...facts })
  return `/?ticket=${issued.ticket}`
}

async function openLease(door: Opened, session?: string): Promise<Lease> {
  const { lease } = expectAcceptance(
    await knock(door.guard, { target: await targetOf(door, session) }),
    'alice',
  )
  lease.open()
  return lease
}

describe('a revocation of what was issued before an instant', () => {
  test('ends leases of before, and leaves younger ones', async () => {
    const door = opened()
    const before = await openLease(door)
    const instant = door.clock.now()
    door.clock.advance(1)
    const after = await openLease(door)
    door.clock.advance(5_000)
    await door.guard.revoke({ subject: 'alice' }, 'logged_out', { issuedBeforeMs: instant })
    expect([before.reason, after.reason]).toEqual(['logged_out', undefined])
  })

  test('refuses credentials of before, and takes younger ones', async () => {
    const door = opened()
    const before = await targetOf(door)
    const instant = door.clock.now()
    door.clock.advance(1)
    const after = await targetOf(door)
    await door.guard.revoke({ subject: 'alice' }, 'revoked', { issuedBeforeMs: instant })
    expectRefusal(await knock(door.guard, { target: before }), 'invalid_credential')
    expectAcceptance(await knock(door.guard, { target: after }), 'alice')
  })

  test('leaves a lease that was refreshed with a younger credential', async () => {
    const door = opened()
    const lease = await openLease(door)
    const instant = door.clock.now()
    door.clock.advance(1)
    const fresh = handshakeOf({ target: await targetOf(door) })
    expect(await door.guard.refresh(lease.id, fresh)).toBeUndefined()
    await door.guard.revoke({ subject: 'alice' }, 'logged_out', { issuedBeforeMs: instant })
    expect(lease.ended).toBe(false)
  })

  test('may be as far ahead as clocks are', async () => {
    const door = opened()
    const issuedBeforeMs = door.clock.now() + 3_000
    await door.guard.revoke({ subject: 'alice' }, 'revoked', { issuedBeforeMs, clockToleranceMs: 5_000 })
    door.clock.advance(3_000)
    expectRefusal(await knock(door.guard, { target: await targetOf(door) }), 'invalid_credential')
    door.clock.advance(1)
    await openLease(door)
  })

  test('is never later than now', async () => {
    const door = opened()
    await door.guard.revoke({ subject: 'alice' }, 'revoked', { issuedBeforeMs: door.clock.now() + 60_000 })
    door.clock.advance(1)
    await openLease(door)
  })

  test('ends a session that is named, however young', async () => {
    const door = opened()
    const instant = door.clock.now()
    door.clock.advance(1_000)
    const lease = await openLease(door, 's1')
    await door.guard.revoke({ session: 's1' }, 'logged_out', { issuedBeforeMs: instant })
    expect(lease.reason).toBe('logged_out')
  })

  test.each([{ issuedBeforeMs: Number.NaN }, { clockToleranceMs: -1 }, { clockToleranceMs: 60_001 }])(
    'is refused for %j',
    async (timing) => {
      const door = opened()
      await expect(door.guard.revoke({ subject: 'alice' }, 'revoked', timing)).rejects.toThrow('revoke: ')
      expect(door.calls).toEqual([])
    },
  )
})
