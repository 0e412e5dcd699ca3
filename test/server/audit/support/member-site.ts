/** The guarded site with members: tickets with roles, messages under a policy. What is right in it is the product's own doing. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import {
  firstMessage,
  messagePolicy,
  query,
  type Guard,
  type GuardOptions,
  type PolicyOptions,
  type Principal,
} from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { openGuardedSite } from './guarded-site.ts'
import type { Target } from './site.ts'

/** What differs. */
export interface MemberSiteOptions {
  readonly guard?: Partial<GuardOptions>
  readonly policy?: PolicyOptions
  readonly ws?: ServerOptions
  /** What the application does with a message that passed. */
  readonly hears?: (message: PassedOn, site: MemberSite) => void
  /** Requests for what is no ticket. @returns whether it was answered */
  readonly page?: (request: IncomingMessage, response: ServerResponse, guard: Guard) => boolean
  readonly audit?: AuditOptions
}

/** A message that the guard has let through. */
export interface PassedOn {
  readonly socket: WebSocket
  readonly principal: Principal
  readonly action: string
  readonly value: Readonly<Record<string, unknown>>
}

/** What an application may use. */
export interface MemberSite {
  /** Everybody who is in. */
  readonly sockets: ReadonlySet<WebSocket>
}

const rolesOf: Readonly<Record<string, readonly string[]>> = { mira: ['member'], otto: ['member', 'admin'] }

/** How the scanner comes by its tickets, and sees who it is. */
const audit: AuditOptions = {
  identities: {
    low: { token: { url: '/ticket/mira', as: { query: 'ticket' } } },
    high: { token: { url: '/ticket/otto', as: { query: 'ticket' } } },
  },
  whoami: { send: { type: 'whoami' }, expect: '"name":"(?<identity>mira|otto)"' },
  settleMs: 300,
}

/** Starts one. `whoami` is everybody's; other actions are the fixture's. */
export function openMemberSite(options: MemberSiteOptions = {}): Promise<Target> {
  return openGuardedSite({
    guard: { accept: [ticket({ from: [query('ticket'), firstMessage()] })], ...options.guard },
    audit: { ...audit, ...options.audit },
    attach: (server, guard) => judgedSockets(server, guard, options),
    page: async (request, response, guard) => {
      if (options.page?.(request, response, guard) === true) return true
      const subject = /^\/ticket\/(mira|otto)$/.exec(request.url ?? '')?.[1]
      if (subject === undefined) return false
      const issued = await guard.issue.ticket({ subject, roles: [...(rolesOf[subject] ?? [])] })
      response.end(JSON.stringify({ ticket: issued.ticket }))
      return true
    },
  })
}

/** Sockets whose messages meet the policy. @returns ends them */
function judgedSockets(server: Server, guard: Guard, options: MemberSiteOptions): () => void {
  const messages = messagePolicy({
    ...options.policy,
    actions: { ...options.policy?.actions, whoami: { roles: 'anyone' } },
  })
  const wss = new WebSocketServer({ noServer: true, maxPayload: 65_536, ...options.ws })
  const greet: ConnectionListener = (socket, _request, lease) => {
    socket.on('action', ({ action, value }: { action: string; value: Readonly<Record<string, unknown>> }) => {
      const { principal } = lease
      if (action === 'whoami') socket.send(JSON.stringify({ type: 'you', name: principal.id }))
      else options.hears?.({ socket, principal, action, value }, { sockets: wss.clients })
    })
  }
  wss.on('connection', greet)
  guardUpgrades(server, wss, guard, { messages })
  return () => {
    for (const socket of wss.clients) socket.terminate()
  }
}
