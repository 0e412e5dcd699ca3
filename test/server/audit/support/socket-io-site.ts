/** A real Socket.IO server whose users show a token as `auth.token`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { listening, type Target } from './site.ts'

const tokens: Readonly<Record<string, string>> = { mira: 'token-of-mira-1f6b', otto: 'token-of-otto-77c0' }

/** How the scanner comes by its tokens. */
const audit: AuditOptions = {
  identities: {
    low: { token: { url: '/token/mira', as: { payload: 'token' } } },
    high: { token: { url: '/token/otto', as: { payload: 'token' } } },
  },
  whoami: { send: { event: 'whoami' }, expect: '"name":"(?<identity>mira|otto|an admin)"' },
  settleMs: 300,
}

/** The user of a handshake. */
export function userOf(socket: Socket): string | undefined {
  const { token }: { token?: unknown } = socket.handshake.auth
  return Object.entries(tokens).find(([, secret]) => secret === token)?.[0]
}

/** Middleware that lets users in, and nobody else. */
export function authenticate(socket: Socket, next: (error?: Error) => void): void {
  next(userOf(socket) === undefined ? new Error('unauthorized') : undefined)
}

/** Answers whoami by acknowledgement. */
export function answerWhoami(socket: Socket): void {
  socket.on('whoami', (answer: unknown) => {
    if (typeof answer === 'function') answer({ name: userOf(socket) ?? 'nobody' })
  })
}

/** Starts one; `setUp` decides about namespaces. */
export async function openSocketIoSite(
  setUp: (io: Server) => void,
  more: { readonly audit?: AuditOptions; readonly server?: Partial<ServerOptions> } = {},
): Promise<Target> {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const name = /^\/token\/(\w+)$/.exec(request.url ?? '')?.[1] ?? ''
    response.end(JSON.stringify({ token: tokens[name] ?? '' }))
  })
  const io = new Server(server, more.server)
  setUp(io)
  const target = await listening(server, { ...audit, ...more.audit }, () => void io.close())
  return { ...target, url: target.url.replace('/socket', '/socket.io/') }
}
