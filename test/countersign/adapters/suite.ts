/** What every adapter must do, whatever framework stands behind it: doors × outcomes, with real clients over loopback. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  authorization,
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  subprotocol,
  type Guard,
  type GuardOptions,
  type JournalEntry,
  type Lease,
  type Reason,
} from '../../../packages/countersign/src/index.ts'
import { apiKey, session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin, wrapped } from '../support/guard.ts'
import {
  call,
  expectRefused,
  frame,
  rawRequest,
  until,
  upgradeLines,
  type Caller,
} from '../support/sockets.ts'
import { differences, type Capability } from './differences.ts'

/** What an application of these tests does with a socket: says who came, and notes what it hears. */
export interface Visit {
  readonly lease: Lease
  /** Everything that the framework lets the application see of the request, as one text. */
  readonly seen: string
  readonly heard: string[]
}

/** How a server of one framework is set up. */
export interface Setting {
  readonly guard: Guard
  /**
   * What the application's handler does, at once: the socket says hello, and what arrives is noted.
   * @param seen the framework's request, and what else secrets could be in
   * @returns to be called with each message
   */
  greet(lease: Lease, seen: readonly unknown[], send: (text: string) => void): (text: string) => void
}

/** A server that is not listening yet. */
export interface Framework {
  readonly server: Server
  /** As its users close it; sockets may still be open. */
  close(): Promise<void> | void
}

/** A framework's name in the table of differences, and how a server of it is made: it serves sockets at `/chat`. */
export interface Adapter {
  readonly name: string
  open(setting: Setting): Promise<Framework> | Framework
}

/** A server that listens. */
interface Site extends Framework {
  readonly guard: Guard
  readonly port: number
  readonly visits: Visit[]
  readonly journal: JournalEntry[]
}

async function openSite(adapter: Adapter, options: Partial<GuardOptions> = {}): Promise<Site> {
  const journal: JournalEntry[] = []
  const visits: Visit[] = []
  const guard = createGuard({
    records: memory(),
    origins: [pageOrigin],
    accept: [
      ticket({ from: [query('ticket'), subprotocol(), firstMessage()] }),
      session({ from: cookie('sid') }),
      apiKey({ from: authorization('Bearer') }),
    ],
    journal: { record: (entry) => void journal.push(entry) },
    ...options,
    limits: { jitter: 0, graceMs: 0, warnMs: 0, lingerMs: 300, ...options.limits },
  })
  const framework = await adapter.open({
    guard,
    greet(lease, seen, send) {
      const heard: string[] = []
      visits.push({ lease, heard, seen: seen.map((one) => inspect(one, { depth: 4 })).join('\n') })
      send(`hello ${lease.principal.id}`)
      return (text) => heard.push(text)
    },
  })
  framework.server.listen(0, '127.0.0.1')
  await once(framework.server, 'listening')
  onTestFinished(async () => {
    guard.close()
    await framework.close()
  })
  const { port } = framework.server.address() as AddressInfo
  return { ...framework, guard, port, visits, journal }
}

const ticketOf = async ({ guard }: Pick<Site, 'guard'>, leaseMs = 900_000): Promise<string> =>
  (await guard.issue.ticket({ subject: 'alice', roles: ['member'], leaseMs })).ticket

const pathOf = async (site: Site, leaseMs?: number): Promise<string> =>
  `/chat?room=1&ticket=${await ticketOf(site, leaseMs)}`

/** Waits until the application has the socket and the client its greeting. */
async function expectGreeted(site: Site, caller: Caller): Promise<Visit> {
  expect(await caller.outcome).toMatchObject({ kind: 'open' })
  await until(() => caller.frames.length > 0)
  expect(caller.frames).toEqual(['hello alice'])
  const visit = site.visits.at(-1)
  if (visit === undefined) throw new Error('nobody came in')
  expect(visit.lease).toMatchObject({ phase: 'live', principal: { id: 'alice' } })
  return visit
}

function expectNobody(site: Site): void {
  expect(site.visits).toEqual([])
  expect(site.guard.leases()).toEqual([])
}

/** Runs the suite. A difference that is declared is not tested. */
export function adapterSuite(adapter: Adapter): void {
  const lacks: Partial<Record<Capability, string>> = differences[adapter.name] ?? {}
  const open = (options?: Partial<GuardOptions>): Promise<Site> => openSite(adapter, options)
  describe(`${adapter.name} behind a guard`, () => {
    doors(open)
    endings(open)
    bounds(open)
    describe.skipIf(lacks['credential in a first message'] !== undefined)('whose peer speaks first', () => {
      firstMessages(open)
    })
  })
}

type Open = (options?: Partial<GuardOptions>) => Promise<Site>

function doors(open: Open): void {
  test('lets in by a ticket in the URL, which is spent', async () => {
    const site = await open()
    const path = await pathOf(site)
    const caller = call(site, { path })
    const visit = await expectGreeted(site, caller)
    caller.socket.send('one')
    caller.socket.send('two')
    await until(() => visit.heard.length === 2)
    expect(visit.heard).toEqual(['one', 'two'])
    await expectRefused(call(site, { path }), 'invalid_credential')
    expect(site.visits).toHaveLength(1)
  })

  test.each<[string, string, Reason]>([
    ['wrong', '/chat?ticket=cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'invalid_credential'],
    ['twofold', '/chat?ticket=a&ticket=b', 'invalid_credential'],
  ])('refuses a %s ticket, by HTTP to programs and by a close code to pages', async (_how, path, reason) => {
    const site = await open()
    expect(await expectRefused(call(site, { path }), reason)).toMatchObject({ kind: 'http', status: 401 })
    expect(await expectRefused(call(site, { path, page: pageOrigin }), reason)).toMatchObject({
      kind: 'open',
    })
    expectNobody(site)
  })

  test('refuses a ticket whose time is over', async () => {
    const site = await open()
    const { ticket: text } = await site.guard.issue.ticket({ subject: 'alice', ttlMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    const outcome = await call(site, { path: `/chat?ticket=${text}` }).outcome
    expect(outcome).toMatchObject({ kind: 'http', status: 401 })
    expectNobody(site)
  })

  test('lets in by a cookie from its own page, and from no other', async () => {
    const site = await open()
    const { session: sid } = await site.guard.issue.session({ subject: 'alice' })
    const headers = { cookie: `theme=dark; sid=${sid}` }
    await expectGreeted(site, call(site, { path: '/chat', headers, page: pageOrigin }))
    const foreign = call(site, { path: '/chat', headers, page: 'https://evil.example' })
    expect(await expectRefused(foreign, 'forbidden_origin')).toMatchObject({ status: 403 })
    expect(site.visits).toHaveLength(1)
  })

  test('refuses a cookie without an Origin, which no page of its own sends', async () => {
    const site = await open()
    const { session: sid } = await site.guard.issue.session({ subject: 'alice' })
    const caller = call(site, { path: '/chat', headers: { cookie: `sid=${sid}` } })
    await expectRefused(caller, 'forbidden_origin')
    expectNobody(site)
  })

  test('lets in by a key in Authorization, and challenges who has a wrong one', async () => {
    const site = await open()
    const { key } = await site.guard.issue.apiKey({ subject: 'alice', name: 'n' })
    await expectGreeted(site, call(site, { path: '/chat', headers: { authorization: `Bearer ${key}` } }))
    const wrong = await call(site, { path: '/chat', headers: { authorization: `Bearer ${key}x` } }).outcome
    expect(wrong).toMatchObject({ kind: 'http', status: 401 })
    expect(wrong.kind === 'http' && wrong.headers['www-authenticate']).toContain('Bearer')
  })

  test('lets in by a subprotocol, selects the marker and never echoes the secret', async () => {
    const site = await open()
    const secret = await ticketOf(site)
    const protocols = ['countersign.v1', `countersign.bearer.${secret}`]
    const caller = call(site, { path: '/chat', protocols })
    await expectGreeted(site, caller)
    expect(await caller.outcome).toEqual({ kind: 'open', protocol: 'countersign.v1' })
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
      const visit = await expectGreeted(site, call(site, { path, ...options }))
      expect(visit.seen).not.toContain(secret)
      expect(visit.seen).toContain('room=1')
      expect(visit.seen.includes('theme=dark')).toBe(how === 'cookie')
    },
  )

  test('spends no ticket on a malformed upgrade', async () => {
    const site = await open()
    const path = await pathOf(site)
    const wrong = upgradeLines(path, ['Sec-WebSocket-Version: 12'], ['Sec-WebSocket-Version'])
    const raw = rawRequest(site.port, wrong)
    await raw.heard('\r\n\r\n')
    expect(raw.text()).toMatch(/^HTTP\/1\.1 4(00|26) /)
    await expectGreeted(site, call(site, { path }))
  })

  test('opens no socket at a path that the application does not serve', async () => {
    const site = await open()
    const caller = call(site, { path: (await pathOf(site)).replace('/chat', '/elsewhere') })
    // Told by an HTTP status where the framework routes before the 101, else by a close.
    const outcome = await caller.outcome
    if (outcome.kind === 'open') await caller.closed
    expect(outcome.kind === 'http' ? outcome.status : 404).toBe(404)
    expect(site.visits).toEqual([])
    await until(() => site.guard.leases().length === 0)
  })
}

function endings(open: Open): void {
  test.each<[string, Reason, (site: Site) => Promise<void>]>([
    ['a revocation', 'revoked', (site) => site.guard.revoke({ subject: 'alice' })],
    ['a logout', 'logged_out', (site) => site.guard.revoke({ subject: 'alice' }, 'logged_out')],
  ])('closes at %s with code and reason, and delivers nothing after it', async (_how, reason, end) => {
    const site = await open()
    const caller = call(site, { path: await pathOf(site) })
    const visit = await expectGreeted(site, caller)
    await end(site)
    caller.socket.send('late')
    await expectRefused(caller, reason)
    expect(visit.heard).toEqual([])
    expect(visit.lease.ended).toBe(true)
    expect(site.guard.leases()).toEqual([])
  })

  test('closes at the end of the lease, and delivers nothing after it', async () => {
    const site = await open()
    const caller = call(site, { path: await pathOf(site, 250) })
    const visit = await expectGreeted(site, caller)
    await expectRefused(caller, 'lease_expired')
    expect(visit.lease.ended).toBe(true)
  })

  test('delivers nothing of a packet that arrives with the end', async () => {
    const site = await open()
    const target = await pathOf(site)
    const raw = rawRequest(site.port, upgradeLines(target))
    await raw.heard('hello alice')
    const visit = site.visits[0]
    if (visit === undefined) throw new Error('nobody came in')
    raw.socket.write(Buffer.concat([frame('first'), ...Array.from({ length: 50 }, () => frame('more'))]))
    visit.lease.apply({ kind: 'ended', reason: 'revoked' }, site.guard.now())
    await raw.heard('revoked')
    expect(visit.heard).toEqual([])
  })

  test('frees the lease when the peer goes', async () => {
    const site = await open()
    const caller = call(site, { path: await pathOf(site) })
    await expectGreeted(site, caller)
    caller.socket.terminate()
    await until(() => site.guard.leases().length === 0)
  })

  test('tells everyone by 1001 when the server closes', async () => {
    const site = await open()
    const caller = call(site, { path: await pathOf(site) })
    await expectGreeted(site, caller)
    await site.close()
    expect(await caller.closed).toMatchObject({ code: 1001 })
  })
}

function bounds(open: Open): void {
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
      call(site, { path: await pathOf(site) }),
      call(site, { path: await pathOf(site) }),
    ]
    await until(() => site.guard.pool.size === 2)
    const third = call(site, { path: await pathOf(site) })
    expect(await third.outcome).toMatchObject({ kind: 'http', status: 503, body: 'Overloaded' })
    free()
    await Promise.all([first.outcome, second.outcome])
    await expectGreeted(site, call(site, { path: await pathOf(site) }))
  })

  test('answers 408 when the verdict does not fall in time', async () => {
    const never = wrapped(memory(), async (_name, ask) => {
      await new Promise((resolve) => setTimeout(resolve, 400))
      return ask()
    })
    const site = await open({ records: never, limits: { deadlineMs: 100 } })
    const caller = call(site, { path: '/chat?ticket=cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })
    expect(await caller.outcome).toMatchObject({ kind: 'http', status: 408 })
    expectNobody(site)
  })
}

function firstMessages(open: Open): void {
  const auth = (token: string): string => JSON.stringify({ type: 'auth', token })

  test('lets in by the first message, and delivers what came behind it, in order', async () => {
    const site = await open()
    const caller = call(site, { path: '/chat?room=1' })
    await caller.outcome
    expectNobody(site)
    caller.socket.send(await ticketOf(site))
    for (const text of ['one', 'two', 'three']) caller.socket.send(text)
    const visit = await expectGreeted(site, caller)
    await until(() => visit.heard.length === 3)
    caller.socket.send('four')
    await until(() => visit.heard.length === 4)
    expect(visit.heard).toEqual(['one', 'two', 'three', 'four'])
  })

  test('closes on a wrong one, and the application never hears of it', async () => {
    const site = await open()
    const caller = call(site, { path: '/chat' })
    await caller.outcome
    caller.socket.send(auth('cst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'))
    expect(await caller.closed).toEqual({ code: 3000, reason: 'invalid_credential' })
    expectNobody(site)
  })

  test('closes on silence, and on more than may be said before it', async () => {
    const site = await open({ limits: { deadlineMs: 150, maxBytes: 1_024 } })
    const silent = call(site, { path: '/chat' })
    expect(await silent.closed).toEqual({ code: 3008, reason: 'authentication_timeout' })
    const loud = call(site, { path: '/chat' })
    await loud.outcome
    loud.socket.send('x'.repeat(4_096))
    expect(await loud.closed).toEqual({ code: 1009, reason: 'message_too_big' })
    expectNobody(site)
  })

  test('closes at a path that the application does not serve', async () => {
    const site = await open()
    const caller = call(site, { path: '/elsewhere' })
    await caller.outcome
    caller.socket.send(await ticketOf(site))
    await caller.closed
    expect(site.visits).toEqual([])
    await until(() => site.guard.leases().length === 0)
  })

  test('closes by a revocation as any other', async () => {
    const site = await open()
    const caller = call(site, { path: '/chat' })
    await caller.outcome
    caller.socket.send(await ticketOf(site))
    await expectGreeted(site, caller)
    await site.guard.revoke({ subject: 'alice' })
    expect(await caller.closed).toEqual({ code: 3003, reason: 'revoked' })
  })

  test('is sent away by 1001 when the server closes', async () => {
    const site = await open()
    const caller = call(site, { path: '/chat' })
    await caller.outcome
    await until(() => site.guard.pool.size === 1)
    await site.close()
    expect(await caller.closed).toEqual({ code: 1001, reason: 'shutting_down' })
    await until(() => site.guard.pool.size === 0)
  })
}
