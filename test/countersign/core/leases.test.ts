import { describe, expect, test } from 'vitest'
import { Leases, wheelTickMs } from '../../../packages/countersign/src/core/leases.ts'
import type { Lease, LeaseHolder } from '../../../packages/countersign/src/core/lease.ts'
import type { Caller } from '../../../packages/countersign/src/core/handshake.ts'
import type { Revocation } from '../../../packages/countersign/src/core/ports.ts'
import type { Grant } from '../../../packages/countersign/src/core/principal.ts'
import { grantOf } from '../../../packages/countersign/src/core/rows.ts'
import type { MarkKind } from '../../../packages/countersign/src/core/records.ts'
import { accept } from '../../../packages/countersign/src/core/verdict.ts'
import { sampleMark } from '../../../packages/countersign/src/testing/rows.ts'
import { addressRules } from '../../../packages/countersign/src/wire/range.ts'
import { stillClock, type StillClock } from '../support/clock.ts'

interface Registry {
  readonly leases: Leases
  readonly clock: StillClock
  readonly ended: string[]
  readonly told: string[]
  add(id: string, facts?: Partial<Grant & Caller>, lifeMs?: number): Lease
}

const caller: Caller = { remoteAddress: '192.0.2.1', origin: undefined }

function newsOf(changes: Partial<Revocation>): Revocation {
  return { ...sampleMark({ atMs: 0, ...changes }), sparesNewer: false, ...changes }
}

const nothing: Grant = grantOf({ subject: 'alice', roles: [], issuedAtMs: 0 })

function registry(): Registry {
  const clock = stillClock()
  const ended: string[] = []
  const told: string[] = []
  const leases = new Leases(clock, addressRules, (lease) =>
    ended.push(`${lease.id} ${lease.reason ?? 'left'}`),
  )
  const holder: LeaseHolder<object> = {
    warn: (_connection, lease, inMs) => void told.push(`warn ${lease.id} ${inMs}`),
    close: (_connection, lease, reason) => void told.push(`close ${lease.id} ${reason}`),
  }
  const add = (id: string, facts: Partial<Grant & Caller> = {}, lifeMs = 60_000): Lease => {
    const { remoteAddress = '192.0.2.1', origin, ...grant } = facts
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
        caller: { remoteAddress, origin },
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
    ['serial', '1f', { serial: '1f' }],
    ['issuer', 'https://id.example.com', { issuer: 'https://id.example.com' }],
    ['address', '198.51.100.0/24', { remoteAddress: '::ffff:198.51.100.7' }],
    ['address', '2001:db8::/33', { remoteAddress: '2001:db8:7fff::1' }],
    ['origin', 'https://app.example.com', { origin: 'https://app.example.com' }],
  ] as const)('ends by %s exactly those that are named', (kind: MarkKind, value, grant) => {
    const { leases, add, ended } = registry()
    const hit = add('hit', grant)
    const spared = add('spared')
    const news = newsOf({ kind, value })
    expect(leases.revoke(news)).toBe(1)
    expect(ended).toEqual(['hit revoked'])
    expect([hit.ended, spared.ended]).toEqual([true, false])
    expect(leases.revoke(news)).toBe(0)
  })

  test('ends everything that was issued by an instant, and nothing that was issued since', () => {
    const { leases, add, ended } = registry()
    for (const issuedAtMs of [99, 100, 101]) add(String(issuedAtMs), { issuedAtMs })
    expect(leases.revoke(newsOf({ kind: 'issuedBefore', value: '*', atMs: 100, sparesNewer: true }))).toBe(2)
    expect(ended).toEqual(['99 revoked', '100 revoked'])
  })

  test.each([true, false])('looks at when a credential was issued where it is told to: %s', (sparesNewer) => {
    const { leases, add } = registry()
    const newer = add('1', { issuedAtMs: 101 })
    leases.revoke(newsOf({ value: 'alice', atMs: 100, sparesNewer }))
    expect(newer.ended).toBe(!sparesNewer)
  })

  test('ends whatever descends from a session, whenever it was issued', () => {
    const { leases, add } = registry()
    const newer = add('1', { session: 's', issuedAtMs: 101 })
    leases.revoke(newsOf({ kind: 'session', value: 's', atMs: 100, sparesNewer: true }))
    expect(newer.ended).toBe(true)
  })

  test('with a margin warns first, and ends when it is over', () => {
    const { leases, add, clock, told } = registry()
    const lease = add('1')
    lease.open()
    leases.revoke(newsOf({ value: 'alice', enforceAtMs: clock.now() + 5_000 }))
    expect([told, lease.passes()]).toEqual([['warn 1 5000'], true])
    clock.advance(4_999)
    expect(lease.passes()).toBe(true)
    clock.advance(1)
    expect(lease.passes()).toBe(false)
    expect(told).toEqual(['warn 1 5000', 'close 1 revoked'])
  })

  test('ends a lease that is registered but not open, and it cannot be opened any more', () => {
    const { leases, add } = registry()
    const lease = add('1')
    leases.revoke(newsOf({ value: 'alice', reason: 'logged_out' }))
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

  test('lets nothing pass from its hard end on, between two ticks of the wheel', () => {
    const { add, clock, told } = registry()
    const lease = add('1', {}, 60_001)
    lease.open()
    clock.advance(65_000)
    expect(lease.passes()).toBe(true)
    clock.advance(1)
    expect([lease.passes(), lease.reason]).toEqual([false, 'lease_expired'])
    expect(told).toEqual(['warn 1 9951', 'close 1 lease_expired'])
  })

  test('is watched in time however it was refreshed, and leaves the wheel with its end', () => {
    const { add, clock, told } = registry()
    const lease = add('1', {}, 600_000)
    lease.open()
    for (let round = 0; round < 5; round++) {
      clock.advance(300_000)
      lease.apply({ kind: 'refreshed', untilMs: clock.now() + 310_001, neverAfterMs: Infinity }, clock.now())
    }
    clock.advance(315_000)
    expect(lease.passes()).toBe(true)
    clock.advance(1)
    expect(lease.over()).toBe(true)
    clock.advance(50)
    expect(told.at(-1)).toBe('close 1 lease_expired')
    expect([lease.slot, lease.dueMs]).toEqual([-1, Infinity])
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
        caller,
      },
    )
    expect(lease.open()).toBe(false)
    expect(told).toEqual([])
  })
})
