/** The suite: bounds of what waits, and credentials that come in the first message. */
import { expect, test } from 'vitest'
import { memory, type Reason } from '../../../packages/countersign/src/index.ts'
import { handshakeOf, pageOrigin, wrapped } from '../support/guard.ts'
import { expectRefused, until } from '../support/sockets.ts'
import {
  callAt,
  callSilently,
  expectGreeted,
  expectGreetedByMessage,
  expectNobody,
  pathOf,
  say,
  ticketOf,
  type Open,
} from './suite-site.ts'

/** What is waited for, and for how long. */
export function bounds(open: Open): void {
  test('answers 503 while the waiting room is full, and lets in again when it is not', async () => {
    let free = (): void => undefined
    const gate = new Promise<void>((resolve) => (free = resolve))
    const slow = wrapped(memory(), async (name, ask) => {
      if (name.startsWith('take') || name.startsWith('redeem')) await gate
      return ask()
    })
    const site = await open({
      records: slow,
      limits: { pool: { total: 2, perSource: 2, perSubnet: 2, talking: 1 } },
    })
    const [first, second] = [
      callAt(site, { path: await pathOf(site) }),
      callAt(site, { path: await pathOf(site) }),
    ]
    await until(() => site.guard.pool.size === 2)
    const third = callAt(site, { path: await pathOf(site) })
    expect(await third.outcome).toMatchObject({ kind: 'http', status: 503, body: 'Overloaded' })
    free()
    await Promise.all([first.outcome, second.outcome])
    await expectGreeted(site, callAt(site, { path: await pathOf(site) }))
  })

  test('answers 408 when the verdict does not fall in time', async () => {
    const never = wrapped(memory(), async (_name, ask) => {
      await new Promise((resolve) => setTimeout(resolve, 400))
      return ask()
    })
    const site = await open({ records: never, limits: { deadlineMs: 100 } })
    const caller = callAt(site, { path: '/chat?ticket=cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })
    expect(await caller.outcome).toMatchObject({ kind: 'http', status: 408 })
    expectNobody(site)
  })
}

/** @param parts what of it this framework has */
export function firstMessages(
  open: Open,
  { routes, behind }: { readonly routes: boolean; readonly behind: boolean },
): void {
  test('lets in by the first message, and delivers what came behind it, in order', async () => {
    const site = await open()
    const caller = await callSilently(site)
    expectNobody(site)
    caller.socket.send(site.speech.first(await ticketOf(site)))
    if (behind) say(site, caller, 'one', 'two', 'three')
    const visit = await expectGreetedByMessage(site, caller)
    if (!behind) say(site, caller, 'one', 'two', 'three')
    await until(() => visit.heard.length === 3)
    say(site, caller, 'four')
    await until(() => visit.heard.length === 4)
    expect(visit.heard).toEqual(['one', 'two', 'three', 'four'])
  })

  test('closes on a wrong one, and the application never hears of it', async () => {
    const site = await open()
    const caller = await callSilently(site)
    caller.socket.send(site.speech.first('cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'))
    expect(await caller.closed).toEqual({ code: 3000, reason: 'invalid_credential' })
    expectNobody(site)
  })

  test('hides the secret from the application', async () => {
    const site = await open()
    const caller = await callSilently(site)
    const secret = await ticketOf(site)
    caller.socket.send(site.speech.first(secret))
    const visit = await expectGreetedByMessage(site, caller)
    expect(visit.seen).not.toContain(secret)
    expect(visit.seen).toContain('room=1')
    expect(visit.heard).toEqual([])
  })

  test.each<[string, string, string]>([
    ['from a page of another origin', 'https://evil.example', 'forbidden_origin'],
    ['for a host that is not its own', pageOrigin, 'wrong_host'],
  ])('is not even listened to %s', async (_what, page, reason) => {
    const site = await open(reason === 'wrong_host' ? { hosts: ['chat.example.com'] } : {})
    await expectRefused(callAt(site, { path: site.speech.path, page }), reason as Reason)
    expectNobody(site)
  })

  test('refuses a ticket that is spent, and one whose time is over, and one that is none at all', async () => {
    const site = await open()
    const spent = await ticketOf(site)
    const first = await callSilently(site)
    first.socket.send(site.speech.first(spent))
    await expectGreetedByMessage(site, first)
    const { ticket: old } = await site.guard.issue.ticket({ subject: 'alice', ttlMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    for (const [token, reason] of [
      [spent, 'invalid_credential'],
      [old, 'expired_credential'],
    ] as const) {
      const caller = await callSilently(site)
      caller.socket.send(site.speech.first(token))
      expect(await caller.closed).toEqual({ code: 3000, reason })
    }
    expect(site.visits).toHaveLength(1)
    expect(first.socket.readyState).toBe(first.socket.OPEN)
  })

  test('is renewed over HTTP as any other, and closed at the end of its lease', async () => {
    const site = await open()
    const caller = await callSilently(site)
    caller.socket.send(site.speech.first(await ticketOf(site, 300)))
    const visit = await expectGreetedByMessage(site, caller)
    const before = visit.lease.untilMs
    const { ticket: again } = await site.guard.issue.ticket({
      subject: 'alice',
      roles: ['member'],
      leaseMs: 600,
    })
    expect(
      await site.guard.refresh(visit.lease.id, handshakeOf({ target: `/?ticket=${again}` })),
    ).toBeUndefined()
    expect(visit.lease.untilMs).toBeGreaterThan(before)
    expect(await caller.closed).toEqual({ code: 3000, reason: 'lease_expired' })
    expect(site.guard.now()).toBeGreaterThan(before)
  })

  test('closes on silence, and on more than may be said before it', async () => {
    const site = await open({ limits: { deadlineMs: 150, maxBytes: 1_024 } })
    const silent = await callSilently(site)
    expect(await silent.closed).toEqual({ code: 3008, reason: 'authentication_timeout' })
    const loud = await callSilently(site)
    loud.socket.send('x'.repeat(4_096))
    expect(await loud.closed).toEqual({ code: 1009, reason: 'message_too_big' })
    expectNobody(site)
  })

  if (routes)
    test('closes at a path that the application does not serve', async () => {
      const site = await open()
      const caller = await callSilently(site, '/elsewhere')
      caller.socket.send(site.speech.first(await ticketOf(site)))
      await caller.closed
      expect(site.visits).toEqual([])
      await until(() => site.guard.leases().length === 0)
    })

  test('closes by a revocation as any other', async () => {
    const site = await open()
    const caller = await callSilently(site)
    caller.socket.send(site.speech.first(await ticketOf(site)))
    await expectGreetedByMessage(site, caller)
    await site.guard.revoke({ subject: 'alice' })
    expect(await caller.closed).toEqual({ code: 3003, reason: 'revoked' })
  })

  test('is sent away by 1001 when the server closes', async () => {
    const site = await open()
    const caller = await callSilently(site)
    await until(() => site.guard.pool.size === 1)
    await site.close()
    expect(await caller.closed).toEqual({ code: 1001, reason: 'shutting_down' })
    await until(() => site.guard.pool.size === 0)
  })
}
