/** Tickets of a site: issued to whoever is logged in, redeemed at the handshake. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AuditOptions, TokenOptions } from '../../../../packages/server/src/audit/options.ts'
import { identities, userOf, type Awaitable, type SiteOptions, type SiteState, type User } from './site.ts'

/** The ticket of a handshake. */
export function ticketOf({ url = '' }: IncomingMessage): string {
  return new URL(url, 'http://localhost').searchParams.get('ticket') ?? ''
}

/** A site whose sockets are opened by tickets, which `redeem` judges. */
export function ticketSite(
  redeem: (tickets: Map<string, User>, ticket: string) => Awaitable<User | undefined>,
  tickets: Map<string, User> = new Map(),
): SiteOptions {
  return {
    identifies: (request) => redeem(tickets, ticketOf(request)),
    page: (request: IncomingMessage, state: SiteState) => {
      const user = userOf(request, state)
      if (request.url !== '/ticket' || user === undefined) return undefined
      const ticket = randomBytes(32).toString('base64url')
      tickets.set(ticket, user)
      return JSON.stringify({ ticket })
    },
  }
}

/** As it is found and taken. */
export function take(tickets: Map<string, User>, ticket: string): User | undefined {
  const user = tickets.get(ticket)
  tickets.delete(ticket)
  return user
}

const token: TokenOptions = { url: '/ticket', as: { query: 'ticket' }, singleUse: true }

/** Logins that show tickets. */
export function ticketLogins(options: Partial<TokenOptions> = {}): AuditOptions {
  const { low, high } = identities.identities ?? {}
  return {
    identities: {
      low: { ...low, token: { ...token, ...options } },
      high: { ...high, token: { ...token, ...options } },
    },
  }
}
