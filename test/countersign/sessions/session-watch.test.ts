import { afterEach, describe, expect, test, vi } from 'vitest'
import { accept } from '../../../packages/countersign/src/core/verdict.ts'
import {
  cookie,
  grantOf,
  memory,
  type Accept,
  type ApplicationVisitor,
} from '../../../packages/countersign/src/index.ts'
import { applicationSession } from '../../../packages/countersign/src/methods/index.ts'
import type { FoundSession } from '../../../packages/countersign/src/sessions/coupled-sessions.ts'
import { callbackSessions } from '../../../packages/countersign/src/sessions/index.ts'
import { SessionWatch } from '../../../packages/countersign/src/sessions/session-watch.ts'
import { fakeClock } from '../../../packages/countersign/src/testing/index.ts'
import { expectAcceptance, handshakeOf, knock, openGuard, pageOrigin, wrapped } from '../support/guard.ts'

afterEach(() => void vi.useRealTimers())

/** A guard needs a method; leases are registered by hand here. */
const nobody = applicationSession({ from: cookie('sid'), check: () => undefined })

type Found = FoundSession<string>
const found = (roles: readonly string[]): Found => ({
  data: roles.join(),
  visitor: { subject: 'alice', roles },
})

/** What lets alice in by this session. */
function acceptance(session: string | undefined): Accept {
  const roles = ['member', 'admin']
  return accept({
    principal: {
      id: 'alice',
      roles,
      realm: undefined,
      method: 'application_session',
      provider: 'application',
      claims: {},
    },
    grant: grantOf({ subject: 'alice', roles, session, issuedAtMs: 0 }),
    untilMs: Infinity,
  })
}

/** A watch whose look-ups are answered by hand, and one lease of it. */
function watchByHand(): {
  readonly watch: SessionWatch<string>
  readonly answers: ((found: Found | undefined) => void)[]
  readonly clock: ReturnType<typeof fakeClock>
  enter(): Promise<ReturnType<ReturnType<typeof openGuard>['guard']['register']>>
} {
  const answers: ((found: Found | undefined) => void)[] = []
  const clock = fakeClock(Date.now())
  const watch = new SessionWatch<string>({
    load: () => new Promise((resolve) => answers.push(resolve)),
    idOf: (handle) => `public-${handle}`,
    options: { clock },
  })
  const { guard } = openGuard({ accept: [nobody] })
  watch.couple(guard)
  return {
    watch,
    answers,
    clock,
    async enter() {
      const visitor: ApplicationVisitor | undefined = await watch.admit('sid', () =>
        found(['member', 'admin']),
      )
      if (visitor?.session === undefined) throw new Error('not admitted')
      return guard.register(acceptance(visitor.session), handshakeOf())
    },
  }
}

describe('a watch', () => {
  test('takes no old answer that comes after newer news', async () => {
    const { watch, answers, enter } = watchByHand()
    const lease = await enter()
    const looking = watch.current(lease)
    watch.stored('sid', { subject: 'alice', roles: ['member'] })
    answers[0]?.(found(['member', 'admin']))
    await looking
    expect(lease.principal.roles).toEqual(['member'])
  })

  test('takes the newer of two answers that overtake each other', async () => {
    const { watch, answers, enter } = watchByHand()
    const lease = await enter()
    const [first, second] = [watch.current(lease), watch.current(lease)]
    answers[1]?.(found(['member']))
    answers[0]?.(found(['member', 'admin']))
    await Promise.all([first, second])
    expect(lease.principal.roles).toEqual(['member'])
  })

  test('takes an answer that was under way when the end of the session was moved', async () => {
    const { watch, answers, enter } = watchByHand()
    const lease = await enter()
    const looking = watch.current(lease)
    watch.extended('sid', Date.parse('2040-01-01'))
    answers[0]?.(undefined)
    await looking
    expect(lease.reason).toBe('logged_out')
    watch.extended('sid', Date.parse('2050-01-01'))
    expect(lease.ended).toBe(true)
  })

  test('serves several guards, each for as long as it is coupled', async () => {
    const { watch, answers, enter } = watchByHand()
    const other = openGuard({ accept: [nobody] }).guard
    const stop = watch.couple(other)
    const lease = await enter()
    const foreign = other.register(acceptance(lease.grant.session), handshakeOf())
    watch.stored('sid', { subject: 'alice', roles: ['guest'] })
    expect([lease, foreign].map(({ principal }) => principal.roles)).toEqual([['guest'], ['guest']])
    stop()
    watch.destroyed('sid')
    expect([lease, foreign].map(({ ended }) => ended)).toEqual([true, false])
    expect(answers).toEqual([])
  })

  test('answers nothing to a lease whose session is destroyed while it is looked up', async () => {
    const { watch, answers, enter } = watchByHand()
    const lease = await enter()
    const looking = watch.current(lease)
    watch.destroyed('sid')
    answers[0]?.(found(['member']))
    expect(await looking).toBeUndefined()
    expect(lease.reason).toBe('logged_out')
  })

  test('does not wait for ever for a store that never answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { watch, enter } = watchByHand()
    const lease = await enter()
    const messages: unknown[] = []
    const failed = (error: unknown): void =>
      void messages.push(error instanceof Error ? error.message : error)
    void watch.current(lease).catch(failed)
    void watch.admit('other', () => new Promise(() => undefined)).catch(failed)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(messages).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(messages).toEqual(['sessions: no answer in time', 'sessions: no answer in time'])
    expect(watch.knows('other')).toBe(false)
  })

  test('remembers no session that proved nothing, and forgets those without sockets', async () => {
    const { watch, clock, enter } = watchByHand()
    expect(await watch.admit('unknown', () => undefined)).toBeUndefined()
    expect(watch.knows('unknown')).toBe(false)
    const lease = await enter()
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(30_000)
    expect(watch.knows('sid')).toBe(true)
    lease.leave()
    clock.advance(35_000)
    expect(watch.knows('sid')).toBe(false)
  })

  test('keeps a destroyed session out though the mark cannot be written, and tells the journal', async () => {
    const records = wrapped(memory(), (name, call) => {
      if (name === 'putMark') throw new Error('the disk is full')
      return call()
    })
    const { guard, journal } = openGuard({ accept: [nobody], records })
    const watch = new SessionWatch<string>({
      load: async () => undefined,
      idOf: (handle) => handle,
      options: { clock: fakeClock(Date.now()) },
    })
    watch.couple(guard)
    expect(await watch.admit('sid', () => found(['member']))).toBeDefined()
    watch.destroyed('sid')
    watch.stored('sid', { subject: 'alice', roles: ['member'] })
    expect(await watch.admit('sid', () => found(['member']))).toBeUndefined()
    await new Promise((resolve) => setImmediate(resolve))
    expect(journal.filter(({ kind }) => kind === 'error')).toHaveLength(1)
  })

  test('stays with what it is, whatever is destroyed that it does not know', () => {
    const { watch } = watchByHand()
    watch.destroyed('unknown')
    watch.stored('unknown', { subject: 'alice' })
    expect(watch.knows('unknown')).toBe(false)
  })
})

describe('sessions of callbacks', () => {
  test('stay as they are while the answer is that they are good, and end with any other', async () => {
    let answer: boolean | undefined = true
    const asked: unknown[] = []
    const sessions = callbackSessions({
      check: () => ({ subject: 'alice', roles: ['member'], session: 'login-7' }),
      stillGood: (...args) => (asked.push(args), answer),
    })
    const method = applicationSession({ from: cookie('sid'), check: sessions.check })
    const { guard } = openGuard({ accept: [method] })
    sessions.couple(guard)
    const decision = await knock(guard, { origin: pageOrigin, cookie: 'sid=secret' })
    const { lease } = expectAcceptance(decision, 'alice')
    await sessions.changed('login-7')
    expect(await sessions.current(lease)).toMatchObject({ subject: 'alice', roles: ['member'] })
    expect(lease).toMatchObject({ ended: false, principal: { roles: ['member'] } })
    expect(asked).toEqual([
      ['login-7', lease],
      ['login-7', lease],
    ])
    answer = undefined
    await sessions.changed('login-7')
    expect(lease.reason).toBe('logged_out')
    await sessions.changed('unknown')
    expect(asked).toHaveLength(3)
  })

  test('must have names, by which they can be asked for again', async () => {
    const { guard } = openGuard({ accept: [nobody] })
    const sessions = callbackSessions({ check: () => ({ subject: 'alice' }), stillGood: () => true })
    sessions.couple(guard)
    const asking = sessions.check('value', { origin: undefined, remoteAddress: '127.0.0.1' })
    await expect(asking).rejects.toThrow('names no session')
  })
})
