/** The suite: how sockets that were let in go on, and how they end. */
import { expect, test } from 'vitest'
import type { Handshake, Reason } from '../../../packages/countersign/src/index.ts'
import { handshakeOf } from '../support/guard.ts'
import { expectRefused, frame, rawRequest, until, upgradeLines } from '../support/sockets.ts'
import {
  callAt,
  expectGreeted,
  expectGreetedRaw,
  pathOf,
  say,
  ticketOf,
  type Open,
  type Site,
} from './suite-site.ts'

/** How a lease goes on, and how it ends. */
export function endings(open: Open): void {
  test.each<[string, Reason, (site: Site) => Promise<void>]>([
    ['a revocation', 'revoked', (site) => site.guard.revoke({ subject: 'alice' })],
    ['a logout', 'logged_out', (site) => site.guard.revoke({ subject: 'alice' }, 'logged_out')],
  ])('closes at %s with code and reason, and delivers nothing after it', async (_how, reason, end) => {
    const site = await open()
    const caller = callAt(site, { path: await pathOf(site) })
    const visit = await expectGreeted(site, caller)
    await end(site)
    say(site, caller, 'late')
    await expectRefused(caller, reason)
    expect(visit.heard).toEqual([])
    expect(visit.lease.ended).toBe(true)
    expect(site.guard.leases()).toEqual([])
  })

  test('closes at the end of the lease, and delivers nothing after it', async () => {
    const site = await open()
    const caller = callAt(site, { path: await pathOf(site, 250) })
    const visit = await expectGreeted(site, caller)
    await expectRefused(caller, 'lease_expired')
    expect(visit.lease.ended).toBe(true)
  })

  test('gives the grace that it is set to, and no more', async () => {
    const site = await open({ limits: { graceMs: 300 } })
    const caller = callAt(site, { path: await pathOf(site, 150) })
    const visit = await expectGreeted(site, caller)
    await until(() => site.guard.now() > visit.lease.untilMs + 50)
    say(site, caller, 'in grace')
    await until(() => visit.heard.length === 1)
    await expectRefused(caller, 'lease_expired')
    expect(site.guard.now()).toBeGreaterThanOrEqual(visit.lease.untilMs + 300)
  })

  test('goes on when the lease is refreshed over HTTP, with a credential of its own subject alone', async () => {
    const site = await open()
    const caller = callAt(site, { path: await pathOf(site, 400) })
    const visit = await expectGreeted(site, caller)
    const before = visit.lease.untilMs
    const { ticket: bobs } = await site.guard.issue.ticket({ subject: 'bob' })
    const from = (text: string): Handshake => handshakeOf({ target: `/?ticket=${text}` })
    expect(await site.guard.refresh(visit.lease.id, from(bobs))).toBe('forbidden')
    expect(await site.guard.refresh(visit.lease.id, from(await ticketOf(site)))).toBeUndefined()
    await until(() => site.guard.now() > before + 50)
    say(site, caller, 'still here')
    await until(() => visit.heard.length === 1)
    await site.guard.revoke({ subject: 'alice' })
    await expectRefused(caller, 'revoked')
  })

  test('closes the socket that is meant, and no other', async () => {
    const site = await open()
    const one = callAt(site, { path: await pathOf(site) })
    const visit = await expectGreeted(site, one)
    const other = callAt(site, { path: await pathOf(site) })
    const staying = await expectGreeted(site, other)
    await site.guard.revoke({ lease: visit.lease.id })
    await expectRefused(one, 'revoked')
    say(site, other, 'still here')
    await until(() => staying.heard.length === 1)
  })

  test('delivers nothing of a packet that arrives with the end', async () => {
    const site = await open()
    const target = await pathOf(site)
    const offered = site.speech.protocols.map((name) => `Sec-WebSocket-Protocol: ${name}`)
    const raw = rawRequest(site.port, upgradeLines(target, offered))
    const visit = await expectGreetedRaw(site, raw)
    const more = Array.from({ length: 50 }, () => frame(site.speech.say('more')))
    raw.socket.write(Buffer.concat([frame(site.speech.say('first')), ...more]))
    visit.lease.apply({ kind: 'ended', reason: 'revoked' }, site.guard.now())
    await raw.heard('revoked')
    expect(visit.heard).toEqual([])
  })

  test('frees the lease when the peer goes', async () => {
    const site = await open()
    const caller = callAt(site, { path: await pathOf(site) })
    await expectGreeted(site, caller)
    caller.socket.terminate()
    await until(() => site.guard.leases().length === 0)
  })

  test('tells everyone by 1001 when the server closes', async () => {
    const site = await open()
    const caller = callAt(site, { path: await pathOf(site) })
    await expectGreeted(site, caller)
    await site.close()
    expect(await caller.closed).toMatchObject({ code: 1001 })
  })
}
