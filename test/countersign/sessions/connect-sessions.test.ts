import { describe, expect, test, vi } from 'vitest'
import expressSession from 'express-session'
import { cookie, firstMessage, grantOf, type Accept } from '../../../packages/countersign/src/index.ts'
import { applicationSession } from '../../../packages/countersign/src/methods/index.ts'
import { expressSessions } from '../../../packages/countersign/src/sessions/express-session.ts'
import { fakeClock } from '../../../packages/countersign/src/testing/index.ts'
import {
  expectAcceptance,
  expectRefusal,
  knock,
  knockAndListen,
  openGuard,
  pageOrigin,
  say,
  handshakeOf,
} from '../support/guard.ts'
import { expectRefused } from '../support/sockets.ts'
import { breakable, expressSite, fastifySite, memoryStore, secrets, signed } from './site-connect.ts'
import { guardSite, post, type Site } from './site.ts'

const loggedOut = { code: 3003, reason: 'logged_out' }
const with_ = (site: Site, value: string): Record<string, string> => ({
  cookie: `${site.cookieName}=${value}`,
})

describe.each<[string, () => Site | Promise<Site>]>([
  ['express-session', () => expressSite(memoryStore(), { clock: fakeClock(Date.now()) })],
  ['@fastify/session', () => fastifySite({ clock: fakeClock(Date.now()) })],
])('a session of %s', (name, make) => {
  test('ends its sockets when it is regenerated, as at a login', async () => {
    const site = await make()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller } = await guarded.enter(value)
    await post(site.server, '/regenerate', with_(site, value))
    expect(await caller.closed).toEqual(loggedOut)
  })

  test('ends its sockets when nobody is logged in any more, and lets in again who logs in', async () => {
    const site = await make()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller } = await guarded.enter(value)
    await post(site.server, '/become', with_(site, value))
    expect(await caller.closed).toEqual(loggedOut)
    await expectRefused(guarded.open(value), 'invalid_credential')
    await post(site.server, '/become?user=alice', with_(site, value))
    const { lease } = await guarded.enter(value)
    expect(lease.principal.id).toBe('alice')
  })

  test('ends the sockets of one user when another logs in to it', async () => {
    const site = await make()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller } = await guarded.enter(value)
    await post(site.server, '/become?user=bob', with_(site, value))
    expect(await caller.closed).toEqual(loggedOut)
    const { lease } = await guarded.enter(value)
    expect(lease.principal.id).toBe('bob')
  })

  test('lets nobody in before the guard is coupled, or after', async () => {
    const site = await make()
    const uncoupled = { ...site, sessions: { ...site.sessions, couple: () => () => undefined } }
    const guarded = await guardSite(uncoupled)
    const shown = await site.login('alice')
    await expectRefused(guarded.open(shown), 'internal')
    site.sessions.couple(guarded.guard)()
    await expectRefused(guarded.open(shown), 'internal')
    expect(guarded.journal.some(({ detail }) => detail === 'MisuseError')).toBe(true)
  })

  test('signed by a secret that is older, but still listed, is good; by another it is not', async () => {
    const site = await make()
    const guarded = await guardSite(site)
    const sid = site.secretOf(await site.login('alice'))
    const prefix = name === 'express-session' ? 's:' : ''
    await guarded.enter(encodeURIComponent(prefix + signed(sid, secrets[1] ?? '')))
    const other = encodeURIComponent(prefix + signed(sid, 'a secret of somebody else, long enough'))
    await expectRefused(guarded.open(other), 'invalid_credential')
  })
})

/** Sessions of a store, without a server around them. */
interface Bare {
  readonly store: expressSession.Store
  readonly state: ReturnType<typeof breakable>
  readonly sessions: ReturnType<typeof expressSessions<expressSession.SessionData>>
  readonly opened: ReturnType<typeof openGuard>
  readonly clock: ReturnType<typeof fakeClock>
  put(sid: string, session: Partial<expressSession.SessionData>): Promise<void>
  enter(sid: string): ReturnType<typeof knock>
}

function bare(options: { readonly recheckEveryMs?: number; readonly maxConcurrent?: number } = {}): Bare {
  const store = new expressSession.MemoryStore()
  const state = breakable(store)
  const clock = fakeClock(Date.now())
  const sessions = expressSessions({
    store,
    secret: secrets,
    subject: ({ user }) => user,
    roles: ({ roles }) => roles ?? [],
    clock,
    ...options,
  })
  const opened = openGuard({ accept: [applicationSession({ from: cookie('sid'), check: sessions.check })] })
  sessions.couple(opened.guard)
  return {
    store,
    state,
    sessions,
    opened,
    clock,
    put: (sid, session) =>
      new Promise((resolve) =>
        store.set(sid, { cookie: new expressSession.Cookie(), ...session }, () => resolve()),
      ),
    enter: (sid) =>
      knock(opened.guard, {
        origin: pageOrigin,
        cookie: `sid=${encodeURIComponent(`s:${signed(sid, secrets[0] ?? '')}`)}`,
      }),
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('sessions of a store', () => {
  test('all end with the store', async () => {
    const { store, opened, put, enter } = bare()
    const leases = []
    for (const sid of ['one', 'two', 'three']) {
      await put(sid, { user: sid })
      leases.push(expectAcceptance(await enter(sid), sid).lease)
    }
    store.clear?.()
    expect(leases.map(({ reason }) => reason)).toEqual(['logged_out', 'logged_out', 'logged_out'])
    expect(opened.guard.leases()).toEqual([])
  })

  test('that were destroyed let nobody in when a late request writes them back', async () => {
    const { store, put, enter } = bare()
    await put('sid', { user: 'alice' })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    store.destroy('sid')
    expect(lease.ended).toBe(true)
    await put('sid', { user: 'alice' })
    expectRefusal(await enter('sid'), 'invalid_credential')
  })

  test('are judged alike when a first message brings the value', async () => {
    const { sessions, put } = bare()
    await put('sid', { user: 'alice' })
    const opened = openGuard({
      accept: [applicationSession({ from: firstMessage(), check: sessions.check })],
    })
    sessions.couple(opened.guard)
    const value = encodeURIComponent(`s:${signed('sid', secrets[0] ?? '')}`)
    const decision = await say(opened, await knockAndListen(opened.guard), value)
    const { lease } = expectAcceptance(decision, 'alice')
    expect(await sessions.current(lease)).toMatchObject({ user: 'alice' })
    expectRefusal(await say(opened, await knockAndListen(opened.guard), `${value}x`), 'invalid_credential')
  })

  test('keep what a write that fails would have changed', async () => {
    const { store, put, enter } = bare()
    await put('sid', { user: 'alice', roles: ['member'] })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    const failing = vi.spyOn(JSON, 'stringify').mockImplementationOnce(() => {
      throw new Error('no room')
    })
    expect(() => store.set('sid', { cookie: new expressSession.Cookie(), user: 'bob' })).toThrow('no room')
    failing.mockRestore()
    await turn()
    expect(lease.ended).toBe(false)
  })

  test('that change while a handshake is judged open with what they have become', async () => {
    const { state, put, enter } = bare()
    await put('sid', { user: 'alice', roles: ['member', 'admin'] })
    state.broken = false
    const entering = enter('sid')
    await put('sid', { user: 'alice', roles: ['member'] })
    const { lease } = expectAcceptance(await entering, 'alice')
    await turn()
    expect(lease.principal.roles).toEqual(['member'])
  })

  test('that change between verdict and registration do not leave another user’s lease open', async () => {
    const { sessions, store, opened, put } = bare()
    await put('sid', { user: 'alice' })
    const value = encodeURIComponent(`s:${signed('sid', secrets[0] ?? '')}`)
    const visitor = await sessions.check(value, { origin: pageOrigin, remoteAddress: '127.0.0.1' })
    store.set('sid', { cookie: new expressSession.Cookie(), user: 'bob' })
    const late = openLease(opened, visitor?.session)
    await turn()
    await turn()
    expect(late).toMatchObject({ ended: true, reason: 'logged_out' })
  })

  test('give their end to the lease: a later one lengthens it, a nearer one shortens it', async () => {
    const { put, enter } = bare()
    const endingIn = (ms: number): Partial<expressSession.SessionData> => {
      const kept = new expressSession.Cookie()
      kept.expires = new Date(start + ms)
      return { user: 'alice', cookie: kept }
    }
    const start = Date.now()
    const clockStart = Date.parse('2030-01-01T00:00:00Z')
    const ahead = clockStart - start
    await put('sid', endingIn(ahead + 600_000))
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    expect(lease.untilMs).toBeLessThanOrEqual(clockStart + 600_000)
    await put('sid', endingIn(ahead + 1_200_000))
    expect(lease.untilMs).toBe(clockStart + 1_200_000)
    await put('sid', endingIn(ahead + 300_000))
    expect(lease.untilMs).toBe(clockStart + 300_000)
  })

  test('get no role back from a request that ends late and moves the end of an older copy', async () => {
    const { store, put, enter } = bare()
    const older = { cookie: new expressSession.Cookie(), user: 'alice', roles: ['admin'] }
    await put('sid', older)
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    await put('sid', { user: 'alice', roles: ['member'] })
    await new Promise<void>((resolve) => store.touch?.('sid', older, () => resolve()))
    expect(lease.principal.roles).toEqual(['member'])
  })

  test('are extended by what an application counts as use, and their leases with them', async () => {
    const { sessions, store, put, enter } = bare()
    const kept = new expressSession.Cookie()
    kept.maxAge = 10 * 365 * 86_400_000
    kept.expires = new Date('2030-01-01T01:00:00Z')
    kept.originalMaxAge = 10 * 365 * 86_400_000
    await put('sid', { user: 'alice', cookie: kept })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    expect(lease.untilMs).toBeLessThanOrEqual(Date.parse('2030-01-01T01:00:00Z'))
    expect(await sessions.extend(lease)).toBe(true)
    expect(lease.untilMs).toBe(lease.neverAfterMs)
    const stored = await new Promise<expressSession.SessionData | null | undefined>((resolve) =>
      store.get('sid', (_error, session) => resolve(session)),
    )
    expect(new Date(stored?.cookie.expires ?? 0).getTime()).toBeGreaterThan(Date.parse('2035-01-01'))
    store.destroy('sid')
    expect(await sessions.extend(lease)).toBe(false)
  })

  test('are not extended where they have no length', async () => {
    const { sessions, put, enter } = bare()
    await put('sid', { user: 'alice' })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    expect(await sessions.extend(lease)).toBe(false)
    expect(lease.ended).toBe(false)
  })

  test('keep their date when roles change, so that a revocation on its way still hits them', async () => {
    const { opened, put, enter } = bare()
    await put('sid', { user: 'alice', roles: ['member'] })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    const { issuedAtMs } = lease.grant
    opened.clock.advance(5_000)
    await put('sid', { user: 'alice', roles: ['admin'] })
    expect(lease.grant).toMatchObject({ roles: ['admin'], issuedAtMs })
  })

  test('notice a role that is gone where another is named twice', async () => {
    const { put, enter } = bare()
    await put('sid', { user: 'alice', roles: ['member', 'admin'] })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    await put('sid', { user: 'alice', roles: ['member', 'member'] })
    expect(lease.principal.roles).not.toContain('admin')
  })

  test('end where the application writes what cannot be read', async () => {
    const { put, enter } = bare()
    await put('sid', { user: 'alice', roles: ['member'] })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    await put('sid', { user: 'alice', roles: 'admin' as never })
    expect(lease.ended).toBe(true)
    expectRefusal(await enter('sid'), 'internal')
  })

  test('answer whoever calls the store as ever: by callback, by nothing, with what it returns', async () => {
    const { store, put, enter } = bare()
    await put('sid', { user: 'alice' })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    const told = await new Promise<readonly unknown[]>((resolve) =>
      store.set(
        'sid',
        { cookie: new expressSession.Cookie(), user: 'alice' },
        (...args: readonly unknown[]) => resolve(args),
      ),
    )
    expect(told).toEqual([undefined])
    expect(store.destroy('sid')).toBeUndefined()
    expect(lease.ended).toBe(true)
  })

  test('a thousand of them are each looked up once an interval, a few at a time and spread over it', async () => {
    const { state, clock, opened, put, enter } = bare({ recheckEveryMs: 5_000, maxConcurrent: 8 })
    for (let at = 0; at < 1_000; at++) {
      await put(`sid-${at}`, { user: `user-${at}` })
      expectAcceptance(await enter(`sid-${at}`), `user-${at}`)
    }
    expect(opened.guard.leases()).toHaveLength(1_000)
    Object.assign(state, { looks: 0, most: 0 })
    const perSlice: number[] = []
    for (let slice = 0; slice < 20; slice++) {
      const before = state.looks
      clock.advance(250)
      while (state.looks < before + 50 || state.running > 0) await turn()
      perSlice.push(state.looks - before)
    }
    expect(state.looks).toBe(1_000)
    expect(Math.max(...perSlice)).toBe(50)
    expect(state.most).toBe(8)
    expect(opened.guard.leases()).toHaveLength(1_000)
  })

  test('are not looked up at all where that is switched off', async () => {
    const { state, clock, put, enter } = bare({ recheckEveryMs: 0 })
    await put('sid', { user: 'alice' })
    expectAcceptance(await enter('sid'), 'alice')
    state.looks = 0
    clock.advance(600_000)
    await turn()
    expect(state.looks).toBe(0)
  })

  test('are not looked up any more once their sockets are gone', async () => {
    const { state, clock, put, enter } = bare()
    await put('sid', { user: 'alice' })
    const { lease } = expectAcceptance(await enter('sid'), 'alice')
    await turn()
    lease.leave()
    state.looks = 0
    clock.advance(60_000)
    await turn()
    expect(state.looks).toBe(0)
  })

  test.each<[string, object]>([
    ['an interval below 100 ms', { recheckEveryMs: 50 }],
    ['a patience shorter than two intervals', { recheckEveryMs: 5_000, staleMs: 9_000 }],
    ['a patience that is no number', { staleMs: Number.NaN }],
    ['no look-up at a time', { maxConcurrent: 0 }],
    ['no secret', { secret: [] }],
    ['an empty secret', { secret: '' }],
  ])('refuse %s', (_what, wrong) => {
    const store = new expressSession.MemoryStore()
    const options = { store, secret: secrets, subject: () => 'alice', ...wrong }
    expect(() => expressSessions(options)).toThrow('sessions:')
  })
})

/** A lease that is registered after its session was judged, as late as a guard may do that. */
function openLease(
  opened: ReturnType<typeof openGuard>,
  session: string | undefined,
): ReturnType<typeof opened.guard.register> {
  const accepted: Accept = {
    kind: 'accept',
    principal: {
      id: 'alice',
      roles: [],
      realm: undefined,
      method: 'application_session',
      provider: 'application',
      claims: {},
    },
    grant: grantOf({ subject: 'alice', roles: [], session, issuedAtMs: opened.clock.now() }),
    untilMs: Infinity,
    neverAfterMs: Infinity,
    lease: undefined,
  }
  return opened.guard.register(accepted, handshakeOf())
}
