import { describe, expect, test } from 'vitest'
import { Leases, wheelTickMs } from '../../../packages/countersign/src/core/leases.ts'
import type { Lease, LeaseHolder } from '../../../packages/countersign/src/core/lease.ts'
import type { Grant } from '../../../packages/countersign/src/core/principal.ts'
import type { MarkKind } from '../../../packages/countersign/src/core/records.ts'
import { accept } from '../../../packages/countersign/src/core/verdict.ts'
import { stillClock, type StillClock } from '../support/clock.ts'

interface Registry {
  readonly leases: Leases
  readonly clock: StillClock
  readonly ended: string[]
  readonly told: string[]
  add(id: string, grant?: Partial<Grant>, lifeMs?: number): Lease
}

const nothing: Grant = {
  subject: 'alice',
  roles: [],
  session: undefined,
  token: undefined,
  apiKey: undefined,
  certificate: undefined,
  issuedAtMs: 0,
}

function registry(): Registry {
  const clock = stillClock()
  const ended: string[] = []
  const told: string[] = []
  const leases = new Leases(clock, (lease) => ended.push(`${lease.id} ${lease.reason ?? 'left'}`))
  const holder: LeaseHolder<object> = {
    warn: (_connection, lease, inMs) => void told.push(`warn ${lease.id} ${inMs}`),
    close: (_connection, lease, reason) => void told.push(`close ${lease.id} ${reason}`),
  }
  const add = (id: string, grant: Partial<Grant> = {}, lifeMs = 60_000): Lease => {
    const full = { ...nothing, ...grant }
    const now = clock.now()
    const lease = leases.add(
      { id, untilMs: now + lifeMs, neverAfterMs: Infinity, warnMs: 10_000, graceMs: 5_000, grantedAtMs: now },
      {
        principal: {
          id: full.subject,
          roles: full.roles,
          realm: undefined,
          method: 'm',
          provider: 'p',
          claims: {},
        },
        grant: full,
      },
    )
    lease.hold(holder, {})
    return lease
  }
  return { leases, clock, ended, told, add }
}

describe('the registry of leases', () => {
  test('has one timer while there are leases, and none otherwise', () => {
    const { leases, clock, add } = registry()
    expect(clock.timers).toBe(0)
    const [one, two] = [add('1'), add('2')]
    expect(clock.timers).toBe(1)
    one.leave()
    expect(clock.timers).toBe(1)
    two.leave()
    expect(leases.size).toBe(0)
    // It ends at its own next turn: where connections come and go it is not set for each.
    clock.advance(wheelTickMs)
    expect(clock.timers).toBe(0)
  })

  test('warns, then closes when nobody refreshed', () => {
    const { clock, told, ended, add } = registry()
    expect(add('1').open()).toBe(true)
    clock.advance(50_000 + wheelTickMs)
    expect(told).toEqual(['warn 1 10000'])
    clock.advance(15_000 + 2 * wheelTickMs)
    expect(told).toEqual(['warn 1 10000', 'close 1 lease_expired'])
    expect(ended).toEqual(['1 lease_expired'])
  })

  test('finds by id and by subject, one or several', () => {
    const { leases, add } = registry()
    const [one, two, three] = [add('1'), add('2'), add('3')]
    const other = add('4', { subject: 'bob' })
    expect(leases.find('2')).toBe(two)
    expect(leases.find('9')).toBeUndefined()
    expect(leases.list('alice')).toEqual([one, two, three])
    expect(leases.list('bob')).toEqual([other])
    expect(leases.list('carol')).toEqual([])
    expect(leases.list()).toHaveLength(4)
    for (const lease of [one, three, two, other]) lease.leave()
    expect(leases.list('alice')).toEqual([])
    expect(leases.list()).toEqual([])
  })

  test.each([
    ['subject', 'eve', { subject: 'eve' }],
    ['session', 's', { session: 's' }],
    ['token', 't', { token: 't' }],
    ['apiKey', 'k', { apiKey: 'k' }],
    ['certificate', 'c', { certificate: 'c' }],
    ['role', 'admin', { roles: ['user', 'admin'] }],
    ['lease', 'hit', {}],
  ] as const)('ends by %s exactly those that are named', (kind: MarkKind, value, grant) => {
    const { leases, add, ended } = registry()
    const hit = add('hit', grant)
    const spared = add('spared')
    expect(leases.revoke({ kind, value, atMs: 0, reason: 'revoked' })).toBe(1)
    expect(ended).toEqual(['hit revoked'])
    expect([hit.ended, spared.ended]).toEqual([true, false])
    expect(leases.revoke({ kind, value, atMs: 0, reason: 'revoked' })).toBe(0)
  })

  test('ends a lease that is registered but not open, and it cannot be opened any more', () => {
    const { leases, add } = registry()
    const lease = add('1')
    leases.revoke({ kind: 'subject', value: 'alice', atMs: 0, reason: 'logged_out' })
    expect(lease.open()).toBe(false)
    expect(lease.reason).toBe('logged_out')
  })

  test('ends everything when it closes', () => {
    const { leases, add, ended, clock } = registry()
    add('1')
    add('2', { subject: 'bob' })
    leases.close()
    expect(ended).toEqual(['1 shutting_down', '2 shutting_down'])
    expect(clock.timers).toBe(0)
    leases.close()
  })

  test('does not lose a lease when an older one of the same id ends', () => {
    const { leases, add } = registry()
    const older = add('1')
    const newer = add('1', { subject: 'bob' })
    older.leave()
    expect(leases.find('1')).toBe(newer)
  })
})

describe('a lease', () => {
  const fresh = (untilMs: number, roles: readonly string[]): ReturnType<typeof accept> =>
    accept({
      principal: { id: 'alice', roles, realm: undefined, method: 'm', provider: 'p', claims: {} },
      grant: { ...nothing, roles },
      untilMs,
    })

  test('takes over roles and end of a fresh credential', () => {
    const { add, clock } = registry()
    const lease = add('1')
    lease.open()
    lease.renew(fresh(clock.now() + 90_000, ['admin']), clock.now())
    expect(lease).toMatchObject({
      untilMs: clock.now() + 90_000,
      principal: { roles: ['admin'] },
      grant: { roles: ['admin'] },
    })
  })

  test('that has ended takes over nothing', () => {
    const { add, clock } = registry()
    const lease = add('1')
    lease.leave()
    lease.renew(fresh(clock.now() + 90_000, ['admin']), clock.now())
    expect(lease.principal.roles).toEqual([])
    lease.leave()
  })

  test('that nobody holds ends in silence', () => {
    const { leases, clock, told } = registry()
    const lease = leases.add(
      {
        id: '1',
        untilMs: clock.now(),
        neverAfterMs: Infinity,
        warnMs: 0,
        graceMs: 0,
        grantedAtMs: clock.now(),
      },
      {
        principal: { id: 'a', roles: [], realm: undefined, method: 'm', provider: 'p', claims: {} },
        grant: nothing,
      },
    )
    expect(lease.open()).toBe(false)
    expect(told).toEqual([])
  })
})
