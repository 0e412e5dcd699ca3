import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { memory, type Mark } from '../../../packages/countersign/src/index.ts'
import { fakeClock, type FakeClock } from '../../../packages/countersign/src/testing/index.ts'
import { wrapped } from '../support/guard.ts'
import { expectRefused, until } from '../support/sockets.ts'
import { betterAuthSite } from './site-better-auth.ts'
import { callbackSite } from './site-callback.ts'
import { expressSite, fastifySite, fileStore, memoryStore } from './site-connect.ts'
import { guardSite, type Site, type SiteOptions } from './site.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-sessions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Sites by name, each made anew for a test. */
const sites: readonly (readonly [string, (options: SiteOptions) => Site | Promise<Site>])[] = [
  ['express-session in memory', (options) => expressSite(memoryStore(), options)],
  ['express-session in files', (options) => expressSite(fileStore(mkdtempSync(join(folder, 'f-'))), options)],
  ['@fastify/session', (options) => fastifySite(options)],
  ['Better Auth over SQLite', (options) => betterAuthSite(folder, options)],
  ['Better Auth in secondary storage', (options) => betterAuthSite(folder, options, new Map())],
  ['callbacks', (options) => callbackSite(options)],
]

const loggedOut = { code: 3003, reason: 'logged_out' }

/** Moves on by an interval in small steps, so that look-ups come back between them. */
async function passInterval(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    clock.advance(250)
    // Stores are real and take real time: on a busy disk a look-up must still end within its interval.
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}

describe.each(sites)('sessions of %s', (_name, make) => {
  const open = async (options: Partial<SiteOptions> = {}): Promise<{ site: Site; clock: FakeClock }> => {
    const clock = fakeClock(Date.now())
    return { site: await make({ clock, ...options }), clock }
  }

  test('let in whom the site has logged in, and end the socket within 100 ms of the logout', async () => {
    const { site } = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller } = await guarded.enter(value)
    const loggingOut = site.logout(value)
    let closedMs = 0
    void caller.closed.then(() => (closedMs = performance.now()))
    await loggingOut
    const answeredMs = performance.now()
    expect(await caller.closed).toEqual(loggedOut)
    expect(closedMs - answeredMs).toBeLessThan(100)
    await expectRefused(guarded.open(value), 'invalid_credential')
  })

  test('end every socket of the session when it is destroyed in the store, and leave other users alone', async () => {
    const { site } = await open()
    const guarded = await guardSite(site)
    const [alice, bob] = [await site.login('alice'), await site.login('bob')]
    const first = await guarded.enter(alice)
    const second = await guarded.enter(alice)
    const other = await guarded.enter(bob)
    await site.destroy(alice)
    expect(await first.caller.closed).toEqual(loggedOut)
    expect(await second.caller.closed).toEqual(loggedOut)
    expect(other.lease.ended).toBe(false)
    expect(other.caller.socket.readyState).toBe(other.caller.socket.OPEN)
  })

  test('refuse a value that the site did not sign', async () => {
    const { site } = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { lease } = await guarded.enter(value)
    const at = value.length - 12
    const flipped = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
    for (const tampered of [
      flipped,
      site.secretOf(value) === value ? 'x' : site.secretOf(value),
      `${value}x`,
      's:',
      '.',
      '%',
    ])
      await expectRefused(guarded.open(tampered), 'invalid_credential')
    expect(lease.ended).toBe(false)
  })

  test('are the current ones for a handler, not snapshots', async () => {
    const { site } = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { lease } = await guarded.enter(value)
    await site.write(value, 'first')
    expect(site.noteIn(await site.sessions.current(lease))).toBe('first')
    await site.write(value, 'second')
    expect(site.noteIn(await site.sessions.current(lease))).toBe('second')
    await site.destroyElsewhere(value)
    expect(await site.sessions.current(lease)).toBeUndefined()
    expect(lease).toMatchObject({ ended: true, reason: 'logged_out' })
  })

  test('give live sockets the roles that the user has now', async () => {
    const { site } = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { lease } = await guarded.enter(value)
    await site.setRoles(value, ['editor', 'author'])
    await until(() => lease.principal.roles.includes('author'))
    await site.setRoles(value, ['author'])
    await until(() => !lease.principal.roles.includes('editor'))
    expect(lease.grant.roles).toEqual(['author'])
    expect(lease.ended).toBe(false)
  })

  test('that another process destroys are found by the net within one interval', async () => {
    const { site, clock } = await open()
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller, lease } = await guarded.enter(value)
    await passInterval(clock, 6_000)
    expect(lease.ended).toBe(false)
    await site.destroyElsewhere(value)
    await passInterval(clock, 5_250)
    expect(await caller.closed).toEqual(loggedOut)
  })

  test('keep their sockets through an outage, for as long as it may last, and no longer', async () => {
    const { site, clock } = await open({ staleMs: 20_000 })
    const guarded = await guardSite(site)
    const value = await site.login('alice')
    const { caller, lease } = await guarded.enter(value)
    site.breakStore(true)
    await passInterval(clock, 15_000)
    expect(lease.ended).toBe(false)
    expect(guarded.journal.filter(({ kind }) => kind === 'error')).toHaveLength(1)
    site.breakStore(false)
    await passInterval(clock, 10_000)
    expect(lease.ended).toBe(false)
    site.breakStore(true)
    await passInterval(clock, 30_000)
    expect(await caller.closed).toEqual({ code: 1011, reason: 'internal' })
    await expectRefused(guarded.open(value), 'internal')
  })

  test('that are destroyed at any step of a handshake leave no socket open', async () => {
    const { site } = await open()
    let step = 0
    let steps = 0
    let at = Infinity
    let value = ''
    // Every question to the records is a step; so is the look-up of the session.
    const destroyAt = async (): Promise<void> => {
      steps++
      if (step++ === at) await site.destroy(value)
    }
    const check = site.sessions.check
    const watched: Site = {
      ...site,
      sessions: {
        ...site.sessions,
        async check(shown, caller) {
          await destroyAt()
          const judging = check(shown, caller)
          await destroyAt()
          const answer = await judging
          await destroyAt()
          return answer
        },
      },
    }
    const records = wrapped(memory(), (name, call) =>
      name === 'findMark'
        ? destroyAt()
            .then(call)
            .then(async (mark) => (await destroyAt(), mark))
        : call(),
    )
    const guarded = await guardSite(watched, records)
    const outcomes: string[] = []
    for (at = 0; at <= steps; at++) {
      value = await site.login('alice')
      step = 0
      steps = 0
      const caller = guarded.open(value)
      const opened = caller.outcome.then(({ kind }) => kind)
      // A browser is told by closing: only a greeting, or an end, tells what became of the attempt.
      const greeted = new Promise<string>((resolve) =>
        caller.socket.once('message', () => resolve('greeted')),
      )
      const end = await Promise.race([greeted, caller.closed.then(() => 'closed')])
      outcomes.push(`${await opened}, ${end}, leases: ${guarded.guard.leases().length}`)
      caller.socket.terminate()
    }
    const refused = 'open, closed, leases: 0'
    expect(outcomes).toEqual([refused, refused, refused, refused, refused, 'open, greeted, leases: 1'])
  })

  test('show no secret in grants, marks and the journal', async () => {
    const { site } = await open()
    const marks: unknown[] = []
    const records = memory()
    const putMark = records.putMark.bind(records)
    Reflect.defineProperty(records, 'putMark', { value: (mark: Mark) => (marks.push(mark), putMark(mark)) })
    const guarded = await guardSite(site, records)
    const value = await site.login('alice')
    const { lease, caller } = await guarded.enter(value)
    await site.logout(value)
    await caller.closed
    expect(marks).toHaveLength(1)
    const shown = JSON.stringify([marks, lease.grant, lease.principal, guarded.journal])
    expect(shown).not.toContain(site.secretOf(value))
    expect(shown).not.toContain(value)
  })
})
