import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { afterAll, describe, expect, test } from 'vitest'
import { cookie } from '../../../packages/countersign/src/index.ts'
import { applicationSession } from '../../../packages/countersign/src/methods/index.ts'
import { betterAuthSessions } from '../../../packages/countersign/src/sessions/better-auth.ts'
import { fakeClock } from '../../../packages/countersign/src/testing/index.ts'
import { expectRefusal, knock, openGuard, pageOrigin } from '../support/guard.ts'
import { expectRefused } from '../support/sockets.ts'
import { betterAuthSite, type BetterAuthSite } from './site-better-auth.ts'
import { guardSite, setCookieOf } from './site.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-better-auth-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const loggedOut = { code: 3003, reason: 'logged_out' }
const open = (): Promise<BetterAuthSite> => betterAuthSite(folder, { clock: fakeClock(Date.now()) })

describe('Better Auth ends the sockets', () => {
  test('of a session that its user revokes from another one', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const [lost, kept] = [await site.login('alice'), await site.login('alice')]
    const first = await guarded.enter(lost)
    const second = await guarded.enter(kept)
    await site.call('/revoke-session', { token: site.secretOf(lost) }, kept)
    expect(await first.caller.closed).toEqual(loggedOut)
    expect(second.lease.ended).toBe(false)
  })

  test('of all other sessions of a user who revokes them', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const [lost, kept] = [await site.login('alice'), await site.login('alice')]
    const first = await guarded.enter(lost)
    const second = await guarded.enter(kept)
    await site.call('/revoke-other-sessions', {}, kept)
    expect(await first.caller.closed).toEqual(loggedOut)
    expect(second.lease.ended).toBe(false)
  })

  test('of a user who changes the password and revokes what was opened with the former one', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller } = await guarded.enter(value)
    const former = 'a password of these tests'
    const change = { currentPassword: former, newPassword: 'another password', revokeOtherSessions: true }
    const fresh = setCookieOf(await site.call('/change-password', change, value), site.cookieName)
    expect(await caller.closed).toEqual(loggedOut)
    await guarded.enter(fresh)
  })

  test('of a user who is banned, and lets them in no more', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const [chief, value] = [await site.login('chief'), await site.login('mallory')]
    await site.makeAdmin(chief)
    const { caller } = await guarded.enter(value)
    const other = await guarded.enter(chief)
    await site.call('/admin/ban-user', { userId: await site.idOf(value) }, chief)
    expect(await caller.closed).toEqual(loggedOut)
    await expectRefused(guarded.open(value), 'invalid_credential')
    expect(other.lease.ended).toBe(false)
  })

  test('of a user who is removed', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const [chief, value] = [await site.login('chief'), await site.login('mallory')]
    await site.makeAdmin(chief)
    const { caller } = await guarded.enter(value)
    await site.call('/admin/remove-user', { userId: await site.idOf(value) }, chief)
    expect(await caller.closed).toEqual(loggedOut)
  })
})

describe('a cookie of Better Auth', () => {
  test('with the token of somebody else and no signature opens nothing, and ends nothing', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { lease } = await guarded.enter(value)
    const token = site.secretOf(value)
    for (const forged of [
      `${token}.`,
      `${token}.${'A'.repeat(43)}%3D`,
      `${token}.x%3B%20better-auth.session_data=1`,
    ])
      await expectRefused(guarded.open(forged), 'invalid_credential')
    expect(lease.ended).toBe(false)
    expect(site.noteIn(await site.sessions.current(lease))).toBe('alice')
  })

  test('is looked up, though Better Auth keeps a copy of its session in another cookie', async () => {
    const site = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    await site.destroyElsewhere(value)
    await expectRefused(guarded.open(value), 'invalid_credential')
  })

  test('lets nobody in where Better Auth was not given the plugin: nothing would end the socket', async () => {
    const sessions = betterAuthSessions()
    const auth = betterAuth({
      baseURL: 'http://localhost',
      secret: 'a secret of these tests, long enough for it',
      database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
      logger: { disabled: true },
      telemetry: { enabled: false },
    })
    const check = sessions.check
    const opened = openGuard({ accept: [applicationSession({ from: cookie('sid'), check })] })
    sessions.couple(opened.guard, auth)
    expectRefusal(await knock(opened.guard, { origin: pageOrigin, cookie: 'sid=a.b' }), 'internal')
    expect(opened.journal.some(({ detail }) => detail === 'MisuseError')).toBe(true)
    const other = { ...auth }
    expect(() => sessions.couple(opened.guard, other)).toThrow('one instance')
  })
})
