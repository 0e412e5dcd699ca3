/** The site of `site.ts` behind Countersign: the same logins, and sockets that a guard judges. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  challengeFrames,
  cookie,
  createGuard,
  memory,
  query,
  type Guard,
  type GuardOptions,
} from 'countersign'
import { session, ticket, wampcra } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'
import type { AuditOptions, LoginOptions } from '../../../../packages/server/src/audit/options.ts'
import {
  answerWhoami,
  identities,
  listening,
  passwords,
  sessionIdOf,
  type Target,
  type User,
} from './site.ts'

/** What differs. */
export interface GuardedSiteOptions {
  readonly guard?: Partial<GuardOptions>
  readonly audit?: AuditOptions
  /** Passwords of accounts, by name; compared as they are. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Issues what fixtures know beforehand. */
  readonly prepare?: (guard: Guard) => Promise<unknown>
  /** What an accepted socket does beside answering whoami. */
  readonly speak?: (socket: WebSocket, user: User, all: ReadonlySet<WebSocket>) => void
  /** Guards the server in another way than as one of plain sockets. @returns ends it */
  readonly attach?: (server: Server, guard: Guard) => () => void
  /** A request that is neither login, logout nor a ticket. @returns whether it was answered */
  readonly page?: (request: IncomingMessage, response: ServerResponse, guard: Guard) => Promise<boolean>
}

/** What a login remembers beside the guard: the id that a logout revokes. */
interface Login {
  readonly user: User
  readonly id: string
}

/** Starts one: `POST /login`, `/logout`, `/ticket`, and sockets for session cookies and tickets. */
export async function openGuardedSite(options: GuardedSiteOptions = {}): Promise<Target> {
  const logins = new Map<string, Login>()
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const records = memory()
  for (const [username, passwordHash] of Object.entries(options.accounts ?? {}))
    records.putAccount({ username, passwordHash, roles: [], disabled: false, changedAtMs: Date.now() })
  const guard = createGuard({
    records,
    origins: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`], // it listens
    accept: [ticket({ from: query('ticket') }), session({ from: cookie('sid') })],
    ...options.guard,
    limits: { jitter: 0, graceMs: 0, lingerMs: 100, ...options.guard?.limits },
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void answer({ request, response, guard, logins }).then(async (answered) => {
      if (!answered && (await options.page?.(request, response, guard)) !== true)
        response.writeHead(404).end()
    })
  })
  await options.prepare?.(guard)
  const end = (options.attach ?? plainSockets(options))(server, guard)
  return listening(server, { ...identities, ...options.audit }, () => {
    guard.close()
    end()
  })
}

function plainSockets({ speak }: GuardedSiteOptions): NonNullable<GuardedSiteOptions['attach']> {
  return (server, guard) => {
    const wss = new WebSocketServer({ noServer: true, maxPayload: 65_536 })
    const greet: ConnectionListener = (socket, _request, lease) => {
      socket.on('error', () => undefined)
      const user = lease.principal.id === 'otto' ? 'otto' : 'mira'
      answerWhoami(socket, { user })
      speak?.(socket, user, wss.clients)
    }
    wss.on('connection', greet)
    guardUpgrades(server, wss, guard)
    return () => {
      for (const socket of wss.clients) socket.terminate()
    }
  }
}

interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly guard: Guard
  readonly logins: Map<string, Login>
}

async function answer({ request, response, guard, logins }: Asked): Promise<boolean> {
  const login = logins.get(sessionIdOf(request.headers.cookie) ?? '')
  if (request.url === '/login' && request.method === 'POST') {
    const form = new URLSearchParams(await bodyOf(request))
    const user = form.get('user')
    if ((user !== 'mira' && user !== 'otto') || form.get('password') !== passwords[user]) {
      response.writeHead(401).end('wrong')
      return true
    }
    if (login !== undefined) await guard.revoke({ session: login.id }, 'logged_out')
    const issued = await guard.issue.session({ subject: user })
    logins.set(issued.session, { user, id: issued.id })
    const attributes = 'HttpOnly; SameSite=Strict; Path=/'
    response.writeHead(303, { location: '/', 'set-cookie': `sid=${issued.session}; ${attributes}` }).end()
    return true
  }
  if (login === undefined || request.method !== 'POST') return false
  if (request.url === '/logout') await guard.revoke({ session: login.id }, 'logged_out')
  else if (request.url === '/disable') await guard.revoke({ subject: login.user })
  else if (request.url === '/ticket') {
    const { ticket: value } = await guard.issue.ticket({ subject: login.user, session: login.id })
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify({ ticket: value }))
    return true
  } else return false
  response.writeHead(204).end()
  return true
}

/** The body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer) // no encoding is set
  return Buffer.concat(chunks).toString('utf8')
}

/** A guard that asks for proofs by challenge frames, and knows mira and otto. */
export function openChallengingSite(): Promise<Target> {
  const secrets = { mira: randomBytes(32).toString('base64url'), otto: randomBytes(32).toString('base64url') }
  const login = (authid: User): LoginOptions => ({
    wamp: { authid, method: 'wampcra', secret: secrets[authid] },
  })
  return openGuardedSite({
    guard: { accept: [wampcra({ from: challengeFrames() })] },
    prepare: (guard) =>
      Promise.all(
        Object.entries(secrets).map(([name, secret]) =>
          guard.issue.challengeSecret({ subject: name, authid: name, secret }),
        ),
      ),
    audit: { identities: { low: login('mira'), high: login('otto') } },
  })
}
