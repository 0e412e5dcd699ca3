/** Who is calling over HTTP: someone logged in, or a machine with an API key. */
import { apiKeyGrant, prefixes, type ApiKeyRow } from 'countersign'
import { parseAuthorization, parseBearer } from 'countersign/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from './refuse.ts'
import { findLogin } from './sessions.ts'
import type { LoginSession, SiteContext } from './site-options.ts'

/** What an API key may be allowed to do over HTTP. */
export type Scope = 'connect' | 'issue' | 'revoke'

/** A proved caller. */
export type Caller =
  | {
      readonly kind: 'session'
      readonly subject: string
      readonly roles: readonly string[]
      readonly session: LoginSession
    }
  | {
      readonly kind: 'key'
      readonly subject: string
      readonly roles: readonly string[]
      readonly key: ApiKeyRow
    }

/** One request of a proved caller. */
export interface Call {
  readonly site: SiteContext
  readonly caller: Caller
  /** When proving the caller began: what is issued to them is no younger, so that no revocation slips in between. */
  readonly provedAtMs: number
  /** Parsed and past the Host and Origin rules; its body has not been looked at. */
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Whom a route serves. */
export interface Welcome {
  /** Whether a login session is enough. */
  readonly session: boolean
  /** Scopes of which an API key needs one; empty: no API key will do. */
  readonly scopes: readonly Scope[]
}

/**
 * Wraps a handler so that it runs for these callers only; all others get 401 or 403. An `Authorization` field that is
 * there decides alone: a cookie beside it is not looked at.
 */
export function serve(
  site: SiteContext,
  welcome: Welcome,
  handle: (call: Call) => Promise<unknown>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const provedAtMs = site.now()
    const shown = request.headers.authorization !== undefined
    const caller = shown ? await findKey(site, request) : await findSession(site, request)
    if (caller === undefined) return refuse(reply, shown ? 'invalid_credential' : 'missing_credential')
    return isWelcome(caller, welcome)
      ? handle({ site, caller, provedAtMs, request, reply })
      : refuse(reply, 'forbidden')
  }
}

/** Whether the caller may act for others: an API key with the scope `issue`. */
export function mayIssue(caller: Caller): boolean {
  return caller.kind === 'key' && caller.key.scopes.includes('issue')
}

/** One of the scopes is enough. */
function isWelcome(caller: Caller, welcome: Welcome): boolean {
  if (caller.kind === 'session') return welcome.session
  return welcome.scopes.some((scope) => caller.key.scopes.includes(scope))
}

/** Someone with a good login session. */
async function findSession(site: SiteContext, request: FastifyRequest): Promise<Caller | undefined> {
  const session = await findLogin(site, request)
  if (session === undefined) return undefined
  return { kind: 'session', subject: session.subject, roles: session.roles, session }
}

/** Someone with a good API key: known, not expired, not revoked. */
async function findKey(site: SiteContext, request: FastifyRequest): Promise<Caller | undefined> {
  const token = bearerOf(request)
  if (token === undefined || !token.startsWith(prefixes.apiKey)) return undefined
  const { records, platform } = site.options
  const key = await records.findApiKey(await platform.hash(token))
  if (key === undefined || key.expiresAtMs <= site.now()) return undefined
  if ((await records.findMark(apiKeyGrant(key), '')) !== undefined) return undefined
  return { kind: 'key', subject: key.subject, roles: key.roles, key }
}

/** RFC 6750 §2.1. Keys travel in no other place over HTTP. */
function bearerOf(request: FastifyRequest): string | undefined {
  const field = parseAuthorization(request.headers.authorization ?? '')
  if (field.kind !== 'found' || field.value.scheme !== 'bearer') return undefined
  const token = parseBearer(field.value.rest)
  return token.kind === 'found' ? token.value : undefined
}
