import { Writable } from 'node:stream'
import {
  authorization,
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  subprotocol,
  type Guard,
  type Handshake,
  type Lease,
  type PasswordHasher,
  type Platform,
  type Records,
} from 'countersign'
import { apiKey, password, preauth, session, ticket } from 'countersign/methods'
import { argon2Passwords, nodePlatform } from 'countersign/platform/node'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { createAccount, type AccountTools } from '../../../packages/server/src/server/accounts.ts'
import { createJournal, type SiteJournal } from '../../../packages/server/src/server/journal.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'
import type { SiteOptions } from '../../../packages/server/src/server/site-options.ts'
import { createSite } from '../../../packages/server/src/server/site.ts'

export const siteOrigin = 'http://localhost:8000'

/** Time that only the test moves. */
export interface TestClock {
  advance(ms: number): void
}

/** A site over records in memory, with a few guards, accounts and time of its own. */
export interface TestSite {
  readonly app: FastifyInstance
  readonly records: Records
  readonly platform: Platform
  readonly guards: Readonly<Record<'D1' | 'D2' | 'D5' | 'D6' | 'D7' | 'D9', Guard>>
  readonly clock: TestClock
  readonly journal: SiteJournal
  readonly accounts: AccountTools
  /** Everything that was logged. */
  logged(): string
}

/** Real argon2id, as cheap as it may be. */
export const passwords: PasswordHasher = argon2Passwords({ memoryKiB: 1_024, passes: 1, cacheMs: 0 })

export async function openSite(options: Partial<SiteOptions> = {}): Promise<TestSite> {
  const lines: string[] = []
  const destination = new Writable({ write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()) })
  const log = createLog({ level: 'trace', destination })
  const journal = createJournal(log)
  const records = memory()
  let now = Date.UTC(2026, 0, 1)
  const platform: Platform = { ...nodePlatform(), clock: { now: () => now, every: () => () => undefined } }
  const guards = makeGuards(records, platform, journal)
  const doors = new Map(
    Object.entries(guards).map(([name, guard]) => [
      name,
      { url: `ws://localhost:80${name.slice(1).padStart(2, '0')}/`, guard },
    ]),
  )
  const accounts: AccountTools = { records, passwords, clock: platform.clock, guard: guards.D2 }
  await createAccount(accounts, { username: 'alice', password: 'wonderland', roles: ['user'] })
  await createAccount(accounts, { username: 'bob', password: 'builder-bob', roles: ['user'] })
  now += 1_000
  const app = await createSite({
    records,
    issuer: guards.D2,
    guards: () => Object.values(guards),
    doors,
    passwords,
    platform,
    origins: [siteOrigin],
    hosts: ['localhost:8000'],
    secure: false,
    journal,
    log,
    ...options,
  })
  const clock = { advance: (ms: number) => void (now += ms) }
  return { app, records, platform, guards, clock, journal, accounts, logged: () => lines.join('') }
}

function makeGuards(records: Records, platform: Platform, journal: SiteJournal): TestSite['guards'] {
  const common = { records, platform, journal, passwords, origins: [siteOrigin] }
  const limits = { jitter: 0, graceMs: 0 }
  return {
    D1: createGuard({ ...common, limits, audience: 'D1', accept: [ticket({ from: firstMessage() })] }),
    D2: createGuard({
      ...common,
      limits,
      audience: 'D2',
      accept: [ticket({ from: query('ticket', 'token') })],
    }),
    D5: createGuard({
      ...common,
      limits,
      audience: 'D5',
      accept: [password({ from: authorization('Basic') }), apiKey({ from: authorization('Bearer') })],
    }),
    D6: createGuard({ ...common, limits, audience: 'D6', accept: [ticket({ from: subprotocol() })] }),
    D7: createGuard({
      ...common,
      limits,
      audience: 'D7',
      accept: [session({ from: cookie('countersign-session') })],
    }),
    D9: createGuard({
      ...common,
      limits,
      audience: 'D9',
      accept: [preauth({ from: cookie('countersign-preauth'), csrf: query('csrf') })],
    }),
  }
}

/** A browser in little: sends Host and Origin, keeps cookies. */
export class Visitor {
  readonly #app: FastifyInstance
  readonly #cookies = new Map<string, string>()

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name)
  }

  setCookie(name: string, value: string): void {
    this.#cookies.set(name, value)
  }

  get cookies(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async send(options: InjectOptions): Promise<LightMyRequestResponse> {
    const { headers, ...rest } = options
    const own = this.#cookies.size === 0 ? {} : { cookie: this.cookies }
    const answer = await this.#app.inject({
      ...rest,
      headers: {
        host: 'localhost:8000',
        ...(options.method === 'POST' ? { origin: siteOrigin } : {}),
        ...own,
        ...headers,
      },
    })
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return answer
  }

  get(url: string): Promise<LightMyRequestResponse> {
    return this.send({ method: 'GET', url })
  }

  post(url: string, payload: object = {}): Promise<LightMyRequestResponse> {
    return this.send({ method: 'POST', url, payload })
  }

  /** Fills the login form and sends it. */
  async submitLogin(username: string, password: string): Promise<LightMyRequestResponse> {
    const page = await this.get('/login')
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    return this.submit('/login', { csrf, username, password })
  }

  submit(url: string, fields: Record<string, string>): Promise<LightMyRequestResponse> {
    return this.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(fields).toString(),
    })
  }
}

/** A machine: no Origin, no cookies, an API key. */
export function asMachine(
  app: FastifyInstance,
  key: string,
  options: InjectOptions,
): Promise<LightMyRequestResponse> {
  const headers = { host: 'localhost:8000', authorization: `Bearer ${key}`, ...options.headers }
  return app.inject({ ...options, headers })
}

/** A visitor who is logged in. */
export async function loggedIn(
  site: TestSite,
  username = 'alice',
  password = 'wonderland',
): Promise<Visitor> {
  const visitor = new Visitor(site.app)
  const answer = await visitor.post('/login', { username, password })
  if (answer.statusCode !== 200) throw new Error(`login: ${answer.statusCode}`)
  return visitor
}

/** What a client shows: parts of the handshake, and what it says first where the guard lets it speak. */
type Shown = Partial<Handshake> & { readonly message?: string }

/** Connects at a guard with what is shown. @returns the open lease, or the reason of the refusal */
export async function connect(guard: Guard, { message, ...shown }: Shown): Promise<Lease | string> {
  let turn = await guard.knock({
    target: '/',
    host: 'localhost',
    origin: siteOrigin,
    cookie: undefined,
    authorization: undefined,
    subprotocol: undefined,
    remoteAddress: '127.0.0.1',
    secure: false,
    certificate: undefined,
    ...shown,
  })
  if (turn.kind === 'peer') turn = await turn.answer({ text: message ?? '', now: guard.now() })
  if (turn.kind === 'peer') throw new Error('the peer has the word')
  if (turn.value.kind === 'refused') return turn.value.reason
  turn.value.lease.open()
  return turn.value.lease
}

/** As `connect`, for tests that go on with the lease. */
export async function connected(guard: Guard, shown: Shown): Promise<Lease> {
  const lease = await connect(guard, shown)
  if (typeof lease === 'string') throw new Error(lease)
  return lease
}
