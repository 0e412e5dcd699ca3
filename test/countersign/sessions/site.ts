/** Web applications of these tests: real ones, with real sessions, whose sockets a guard looks after. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { guardUpgrades, type ConnectionListener } from '../../../packages/countersign/src/adapters/ws.ts'
import {
  cookie,
  createGuard,
  memory,
  type ApplicationCheck,
  type Guard,
  type JournalEntry,
  type Lease,
  type Records,
} from '../../../packages/countersign/src/index.ts'
import { applicationSession } from '../../../packages/countersign/src/methods/index.ts'
import type { FakeClock } from '../../../packages/countersign/src/testing/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { call, type Caller } from '../support/sockets.ts'

/** A web application with sessions. */
export interface Site {
  /** Not listening yet. */
  readonly server: Server
  readonly cookieName: string
  readonly sessions: {
    readonly check: ApplicationCheck
    couple(guard: Guard): () => void
    current(lease: Lease): Promise<unknown>
  }
  /** Logs in over HTTP. @returns the value of the cookie, as a browser would keep it */
  login(user: string): Promise<string>
  /** Logs out over HTTP. */
  logout(value: string): Promise<void>
  /** Destroys the session in the application's own store, without a request. */
  destroy(value: string): Promise<void>
  /** The same from another process: nothing in this one hears of it. */
  destroyElsewhere(value: string): Promise<void>
  /** Gives the user of this session these roles instead. */
  setRoles(value: string, roles: readonly string[]): Promise<void>
  /** Writes a note into the session. */
  write(value: string, note: string): Promise<void>
  /** The note in a session that `current` answered. */
  noteIn(session: unknown): unknown
  /** What the store, and a stranger, know the session by: must not show. */
  secretOf(value: string): string
  /** Makes every look-up fail, or work again. */
  breakStore(broken: boolean): void
  close(): Promise<void>
}

/** How the sessions of a site are looked at again. */
export interface SiteOptions {
  readonly clock: FakeClock
  readonly recheckEveryMs?: number
  readonly staleMs?: number
  readonly maxConcurrent?: number
}

/** A site whose sockets are guarded, and those who came in. */
export interface GuardedSite {
  readonly guard: Guard
  readonly port: number
  readonly leases: Lease[]
  readonly journal: JournalEntry[]
  /** Opens a socket with this cookie. */
  open(value: string): Caller
  /** As `open`, and waits until the application has it. */
  enter(value: string): Promise<{ readonly caller: Caller; readonly lease: Lease }>
}

/** Puts a guard before the sockets of a site; both are gone when the test is. */
export async function guardSite(site: Site, records: Records = memory()): Promise<GuardedSite> {
  const journal: JournalEntry[] = []
  const guard = createGuard({
    records,
    origins: [pageOrigin],
    accept: [applicationSession({ from: cookie(site.cookieName), check: site.sessions.check })],
    journal: { record: (entry) => void journal.push(entry) },
    limits: { jitter: 0 },
  })
  const stopCoupling = site.sessions.couple(guard)
  const wss = new WebSocketServer({ noServer: true })
  const leases: Lease[] = []
  const greet: ConnectionListener = (socket, _request, lease) => {
    leases.push(lease)
    socket.send('hello')
  }
  wss.on('connection', greet)
  const stop = guardUpgrades(site.server, wss, guard)
  if (!site.server.listening) {
    site.server.listen(0, '127.0.0.1')
    await once(site.server, 'listening')
  }
  onTestFinished(async () => {
    stop()
    stopCoupling()
    guard.close()
    for (const client of wss.clients) client.terminate()
    await site.close()
  })
  const { port } = site.server.address() as AddressInfo
  const open = (value: string): Caller =>
    call(
      { server: site.server, port },
      { page: pageOrigin, headers: { cookie: `${site.cookieName}=${value}` } },
    )
  return {
    guard,
    port,
    leases,
    journal,
    open,
    async enter(value) {
      const caller = open(value)
      expect(await caller.outcome).toMatchObject({ kind: 'open' })
      await new Promise<void>((resolve) => {
        if (caller.frames.length > 0) resolve()
        else caller.socket.once('message', () => resolve())
      })
      const lease = leases.at(-1)
      if (lease === undefined) throw new Error('nobody came in')
      return { caller, lease }
    },
  }
}

/** Posts to the site. @returns the response, which must be a success */
export async function post(
  server: Server,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response
}

/** The value of a cookie that a response sets. */
export function setCookieOf(response: Response, name: string): string {
  const pairs = response.headers.getSetCookie().map((line) => line.split(';', 1)[0] ?? '')
  const pair = pairs.findLast((one) => one.startsWith(`${name}=`))
  if (pair === undefined) throw new Error(`no cookie ${name} among ${pairs.length}`)
  return pair.slice(name.length + 1)
}
