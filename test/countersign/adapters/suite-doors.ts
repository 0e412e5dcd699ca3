/** The suite: doors in the handshake. */
import { expect, test } from 'vitest'
import { query, type Reason } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { expectRefused, rawRequest, until, upgradeLines } from '../support/sockets.ts'
import { callAt, expectGreeted, expectNobody, pathOf, say, ticketOf, type Open } from './suite-site.ts'

/** Every place in a handshake × what comes of it. @param routes whether paths are the application's to serve */
export function doors(open: Open, routes: boolean): void {
  test('lets in by a ticket in the URL, which is spent', async () => {
    const site = await open()
    const path = await pathOf(site)
    const caller = callAt(site, { path })
    const visit = await expectGreeted(site, caller)
    say(site, caller, 'one', 'two')
    await until(() => visit.heard.length === 2)
    expect(visit.heard).toEqual(['one', 'two'])
    await expectRefused(callAt(site, { path }), 'invalid_credential')
    expect(site.visits).toHaveLength(1)
  })

  test.each<[string, string, Reason]>([
    ['wrong', '/chat?ticket=cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'invalid_credential'],
    ['twofold', '/chat?ticket=a&ticket=b', 'invalid_credential'],
  ])('refuses a %s ticket, by HTTP to programs and by a close code to pages', async (_how, path, reason) => {
    const site = await open()
    expect(await expectRefused(callAt(site, { path }), reason)).toMatchObject({ kind: 'http', status: 401 })
    expect(await expectRefused(callAt(site, { path, page: pageOrigin }), reason)).toMatchObject({
      kind: 'open',
    })
    expectNobody(site)
  })

  test('refuses a ticket whose time is over', async () => {
    const site = await open()
    const { ticket: text } = await site.guard.issue.ticket({ subject: 'alice', ttlMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    const outcome = await callAt(site, { path: `/chat?ticket=${text}` }).outcome
    expect(outcome).toMatchObject({ kind: 'http', status: 401 })
    expectNobody(site)
  })

  test('lets in by a cookie from its own page, and from no other', async () => {
    const site = await open()
    const { session: sid } = await site.guard.issue.session({ subject: 'alice' })
    const headers = { cookie: `theme=dark; sid=${sid}` }
    await expectGreeted(site, callAt(site, { path: '/chat', headers, page: pageOrigin }))
    const foreign = callAt(site, { path: '/chat', headers, page: 'https://evil.example' })
    expect(await expectRefused(foreign, 'forbidden_origin')).toMatchObject({ status: 403 })
    expect(site.visits).toHaveLength(1)
  })

  test('refuses a cookie without an Origin, which no page of its own sends', async () => {
    const site = await open()
    const { session: sid } = await site.guard.issue.session({ subject: 'alice' })
    const caller = callAt(site, { path: '/chat', headers: { cookie: `sid=${sid}` } })
    await expectRefused(caller, 'forbidden_origin')
    expectNobody(site)
  })

  test('lets in by a key in Authorization, and challenges who has a wrong one', async () => {
    const site = await open()
    const { key } = await site.guard.issue.apiKey({ subject: 'alice', name: 'n' })
    await expectGreeted(site, callAt(site, { path: '/chat', headers: { authorization: `Bearer ${key}` } }))
    const wrong = await callAt(site, { path: '/chat', headers: { authorization: `Bearer ${key}x` } }).outcome
    expect(wrong).toMatchObject({ kind: 'http', status: 401 })
    expect(wrong.kind === 'http' && wrong.headers['www-authenticate']).toContain('Bearer')
  })

  test('lets in by a subprotocol, selects the client’s own or the marker, and never echoes the secret', async () => {
    const site = await open()
    const secret = await ticketOf(site)
    const protocols = ['countersign.v1', `countersign.bearer.${secret}`]
    const caller = callAt(site, { path: '/chat', protocols })
    await expectGreeted(site, caller)
    const selected = site.speech.protocols[0] ?? 'countersign.v1'
    expect(await caller.outcome).toEqual({ kind: 'open', protocol: selected })
  })

  test.each(['query', 'cookie', 'Bearer', 'subprotocol'])(
    'hides a secret that came by %s from the application, and leaves the rest',
    async (how) => {
      const site = await open()
      const { session: sid } = await site.guard.issue.session({ subject: 'alice' })
      const { key } = await site.guard.issue.apiKey({ subject: 'alice', name: 'n' })
      const once = await ticketOf(site)
      const [secret, path, options] = {
        query: [once, `/chat?room=1&ticket=${once}`, {}] as const,
        cookie: [
          sid,
          '/chat?room=1',
          { page: pageOrigin, headers: { cookie: `theme=dark; sid=${sid}` } },
        ] as const,
        Bearer: [key, '/chat?room=1', { headers: { authorization: `Bearer ${key}` } }] as const,
        subprotocol: [
          once,
          '/chat?room=1',
          { protocols: ['countersign.v1', `countersign.bearer.${once}`] },
        ] as const,
      }[how as 'query']
      const visit = await expectGreeted(site, callAt(site, { path, ...options }))
      expect(visit.seen).not.toContain(secret)
      expect(visit.seen).toContain('room=1')
      expect(visit.seen.includes('theme=dark')).toBe(how === 'cookie')
    },
  )

  test('refuses who shows nothing where no message is listened to', async () => {
    const site = await open({ accept: [ticket({ from: query('ticket') })] })
    expect(await expectRefused(callAt(site, { path: '/chat' }), 'missing_credential')).toMatchObject({
      status: 401,
    })
    await expectRefused(callAt(site, { path: '/chat', page: pageOrigin }), 'missing_credential')
    expectNobody(site)
  })

  test('refuses a host that is not its own, and spends no ticket on it', async () => {
    const site = await open({ hosts: ['chat.example.com'] })
    const path = await pathOf(site)
    expect(await expectRefused(callAt(site, { path }), 'wrong_host')).toMatchObject({ status: 421 })
    await expectGreeted(site, callAt(site, { path, headers: { host: 'chat.example.com' } }))
  })

  test('refuses a page of another origin, whatever it shows', async () => {
    const site = await open()
    const path = await pathOf(site)
    const foreign = callAt(site, { path, page: 'https://evil.example' })
    expect(await expectRefused(foreign, 'forbidden_origin')).toMatchObject({ status: 403 })
    expectNobody(site)
    await expectGreeted(site, callAt(site, { path, page: pageOrigin }))
  })

  test('refuses credentials in two places that disagree, spends neither, and disturbs nobody', async () => {
    const site = await open()
    const other = callAt(site, { path: await pathOf(site) })
    const visit = await expectGreeted(site, other)
    const [path, secret] = [await pathOf(site), await ticketOf(site)]
    const protocols = ['countersign.v1', `countersign.bearer.${secret}`]
    await expectRefused(callAt(site, { path, protocols }), 'protocol_violation')
    expect(site.visits).toHaveLength(1)
    say(site, other, 'still here')
    await until(() => visit.heard.length === 1)
    await expectGreeted(site, callAt(site, { path }))
    await expectGreeted(site, callAt(site, { path: '/chat?room=1', protocols }))
  })

  test('spends no ticket on a malformed upgrade', async () => {
    const site = await open()
    const path = await pathOf(site)
    const wrong = upgradeLines(path, ['Sec-WebSocket-Version: 12'], ['Sec-WebSocket-Version'])
    const raw = rawRequest(site.port, wrong)
    await raw.heard('\r\n\r\n')
    expect(raw.text()).toMatch(/^HTTP\/1\.1 4(00|26) /)
    await expectGreeted(site, callAt(site, { path }))
  })

  if (routes)
    test('opens no socket at a path that the application does not serve', async () => {
      const site = await open()
      const caller = callAt(site, { path: (await pathOf(site)).replace('/chat', '/elsewhere') })
      // Told by an HTTP status where the framework routes before the 101, else by a close.
      const outcome = await caller.outcome
      if (outcome.kind === 'open') await caller.closed
      expect(outcome.kind === 'http' ? outcome.status : 404).toBe(404)
      expect(site.visits).toEqual([])
      await until(() => site.guard.leases().length === 0)
    })
}
