/** A small site with logins and a socket, from which fixtures are made: a base, and the few lines in which they differ. */
import { randomBytes } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  type ServerOptions as HttpOptions,
} from 'node:http'
import { createServer as createSecureServer, type ServerOptions as SecureServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'

/** A running target. */
export interface Target {
  readonly url: string
  readonly options: AuditOptions
  /** Stronger than the options of the fixture. */
  readonly overrides?: AuditOptions
  close(): Promise<void>
}

/** Who is connected. */
export type User = 'mira' | 'otto'

/** A value, or one that comes later. */
export type Awaitable<T> = T | Promise<T>

/** What a fixture decides. What it leaves out is done right. */
export interface SiteOptions {
  readonly ws?: ServerOptions
  /** Of the HTTP server. */
  readonly http?: HttpOptions
  /** Whether a handshake may go on; the user is that of the cookie. @default the own origin and a logged-in user */
  readonly admits?: (request: IncomingMessage, user: User | undefined, origin: string) => boolean
  /** Whose handshake it is. @default the user of the cookie */
  readonly identifies?: (request: IncomingMessage, state: SiteState) => Awaitable<User | undefined>
  /** What happens on an open socket. @default answers whoami */
  readonly speak?: (socket: WebSocket, visitor: Visitor) => void
  /** Judges a login before the password is looked at. @returns what refuses it */
  readonly beforeLogin?: (
    request: IncomingMessage,
    form: URLSearchParams,
  ) => Awaitable<{ readonly status: number; readonly text: string } | undefined>
  /** The session id that a login gives. @default a new one */
  readonly sessionIdFor?: (request: IncomingMessage) => string | undefined
  /** Has the upgrades of the server instead of the sockets here. */
  readonly attach?: (server: Server, state: SiteState) => void
  /** Requests that are neither a login nor a logout; answer `false` for those that are not its own. */
  readonly page?: (request: IncomingMessage, site: SiteState, response: ServerResponse) => string | undefined
  /** Behind TLS, with this key and certificate. */
  readonly tls?: SecureServerOptions
  /** Fields of every page. */
  readonly pageHeaders?: Readonly<Record<string, string>>
  /** Attributes of the session cookie. @default HttpOnly; SameSite=Strict; Path=/ */
  readonly cookieAttributes?: string
}

/** Who stands on an open socket. */
export interface Visitor {
  readonly user: User | undefined
  readonly request: IncomingMessage
  readonly state: SiteState
}

/** What a site remembers. */
export interface SiteState {
  readonly sessions: Map<string, User>
  readonly sockets: Map<WebSocket, string | undefined>
}

/** What both log in with. */
export const passwords: Readonly<Record<User, string>> = { mira: 'a-window-in-may', otto: 'seven-dry-leaves' }

/** The user of a request's session cookie. */
export function userOf({ headers }: IncomingMessage, { sessions }: SiteState): User | undefined {
  return sessions.get(sessionIdOf(headers.cookie) ?? '')
}

/** The session id in a `Cookie` field. */
export function sessionIdOf(cookie: string | undefined): string | undefined {
  return /(?:^|; )sid=([^;]+)/.exec(cookie ?? '')?.[1]
}

/** Answers `{"type":"whoami"}` with who one is. */
export function answerWhoami(socket: WebSocket, { user }: Pick<Visitor, 'user'>): void {
  socket.on('message', (data) => {
    if (String(data).includes('whoami')) socket.send(JSON.stringify({ type: 'you', name: user ?? 'nobody' }))
  })
}

/** Logins of both identities, and how the scanner sees who it is. */
export const identities: AuditOptions = {
  identities: {
    low: { form: { url: '/login', fields: { user: 'mira', password: passwords.mira } } },
    high: { form: { url: '/login', fields: { user: 'otto', password: passwords.otto } } },
  },
  whoami: { send: { type: 'whoami' }, expect: '"name":"(?<identity>mira|otto)"' },
  settleMs: 300,
}

/** Starts a site on a free port of 127.0.0.1. */
export async function openSite(options: SiteOptions = {}): Promise<Target> {
  const state: SiteState = { sessions: new Map(), sockets: new Map() }
  const {
    admits = (request, user, own) => request.headers.origin === own && user !== undefined,
    speak = answerWhoami,
    page,
    cookieAttributes = 'HttpOnly; SameSite=Strict; Path=/',
    identifies = userOf,
  } = options
  const login = async (request: IncomingMessage, response: ServerResponse, body: string): Promise<void> => {
    const form = new URLSearchParams(body)
    const user = form.get('user')
    const refusal = await options.beforeLogin?.(request, form)
    if (refusal !== undefined) {
      response.writeHead(refusal.status).end(refusal.text)
      return
    }
    if ((user !== 'mira' && user !== 'otto') || form.get('password') !== passwords[user]) {
      response.writeHead(401).end('wrong')
      return
    }
    const id = options.sessionIdFor?.(request) ?? randomBytes(16).toString('hex')
    state.sessions.set(id, user)
    response.writeHead(303, { location: '/', 'set-cookie': `sid=${id}; ${cookieAttributes}` }).end()
  }
  const answer: RequestListener = (request, response) => {
    for (const [name, value] of Object.entries(options.pageHeaders ?? {})) response.setHeader(name, value)
    void readBody(request).then(async (body) => {
      if (request.url === '/login' && request.method === 'POST') {
        await login(request, response, body)
      } else if (request.url === '/logout' && request.method === 'POST') {
        state.sessions.delete(sessionIdOf(request.headers.cookie) ?? '')
        response.writeHead(204).end()
      } else {
        const text = page?.(request, state, response)
        response
          .writeHead(text === undefined ? 404 : response.statusCode, { 'content-type': 'text/html' })
          .end(text)
      }
    })
  }
  const scheme = options.tls === undefined ? 'http' : 'https'
  const server: Server =
    options.tls === undefined
      ? createServer(options.http ?? {}, answer)
      : createSecureServer(options.tls, answer)
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 65_536,
    ...options.ws,
  })
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => undefined)
    void Promise.resolve(identifies(request, state)).then((user) => {
      if (!admits(request, user, `${scheme}://127.0.0.1:${portOf(server)}`)) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        return
      }
      wss.handleUpgrade(request, socket, head, (ws) => {
        ws.on('error', () => undefined)
        state.sockets.set(ws, sessionIdOf(request.headers.cookie))
        ws.on('close', () => state.sockets.delete(ws))
        speak(ws, { user, request, state })
      })
    })
  }
  if (options.attach === undefined) server.on('upgrade', upgrade)
  else options.attach(server, state)
  const site = await listening(server, identities, () => {
    for (const ws of wss.clients) ws.terminate()
  })
  return { ...site, url: site.url.replace(/^ws/, scheme === 'https' ? 'wss' : 'ws') }
}

/** Listens, and tells how to close again. */
export async function listening(
  server: Server,
  options: AuditOptions,
  beforeClose: () => void = () => undefined,
): Promise<Target> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${portOf(server)}/socket`,
    options,
    close: async () => {
      beforeClose()
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? (address satisfies AddressInfo).port : 0
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
