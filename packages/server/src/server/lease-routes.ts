/** The caller's leases: listed, refreshed from outside the socket, and revoked. */
import type { Guard, Lease } from 'countersign'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { readBody, refreshBody } from './bodies.ts'
import { mayIssue, serve, type Call } from './callers.ts'
import { readCookie } from './cookies.ts'
import { presentTo } from './presenting.ts'
import { refuse } from './refuse.ts'
import { revokeBody, wantedBy } from './revocation-body.ts'
import type { SiteContext } from './site-options.ts'

/** A lease and the guard that granted it: refreshing is that guard's to judge. */
interface HeldLease {
  readonly guard: Guard
  readonly lease: Lease
}

/** Registers `/countersign/leases…` and `/countersign/revoke`. */
export function registerLeases(app: FastifyInstance, site: SiteContext): void {
  const owner = { session: true, scopes: ['connect', 'issue'] } as const
  app.get('/countersign/leases', serve(site, owner, listLeases))
  app.post('/countersign/leases/:id/refresh', serve(site, owner, refreshLease))
  app.post('/countersign/revoke', serve(site, { session: false, scopes: ['revoke'] }, revoke))
}

/** The caller's own, at every door; identifiers and times, never a credential. */
async function listLeases(call: Call): Promise<FastifyReply> {
  const leases = heldBy(call.site, call.caller.subject).map(({ guard, lease }) => ({
    lease: lease.id,
    door: guard.audience,
    method: lease.principal.method,
    granted_at: new Date(lease.grantedAtMs).toISOString(),
    expires_in: Math.max(0, Math.round((lease.untilMs - call.site.now()) / 1_000)),
    phase: lease.phase,
  }))
  return call.reply.send({ leases })
}

/** Unknown, foreign and ended leases answer alike. */
async function refreshLease(call: Call): Promise<FastifyReply> {
  const { site, request, reply } = call
  const body = readBody(refreshBody, request.body)
  if (body === undefined) return refuse(reply, 'invalid_request')
  if (body.subject !== undefined && !mayIssue(call.caller)) return refuse(reply, 'forbidden')
  const id = leaseIdOf(request.params)
  const held = heldBy(site, body.subject ?? call.caller.subject).find(({ lease }) => lease.id === id)
  if (held === undefined || held.lease.ended) return refuse(reply, 'not_found')
  const { handshake, message } = presentTo(held.guard, {
    ...addressOf(site, held.guard),
    credential: body.credential,
    cookie: (name) => readCookie(request, name),
    method: held.lease.principal.method,
    origin: request.headers.origin,
    remoteAddress: site.clientOf(request),
  })
  const reason = await held.guard.refresh(held.lease.id, handshake, message)
  if (reason !== undefined) return refuse(reply, held.lease.ended ? 'not_found' : reason)
  const seconds = Math.max(0, Math.round((held.lease.untilMs - site.now()) / 1_000))
  return reply.send({ ok: true, expires_in: seconds })
}

/** Answers alike whether anything was opened: what a subject has is not the caller's to learn here. */
async function revoke(call: Call): Promise<FastifyReply> {
  const body = readBody(revokeBody, call.request.body)
  if (body === undefined) return refuse(call.reply, 'invalid_request')
  const wanted = wantedBy(body)
  if (wanted === undefined) return refuse(call.reply, 'invalid_request')
  await call.site.options.issuer.revoke(wanted.what, wanted.reason, wanted.terms)
  return call.reply.send({ ok: true })
}

/** Every lease of a subject, at all guards. */
function heldBy(site: SiteContext, subject: string): readonly HeldLease[] {
  return site.options.guards().flatMap((guard) => guard.leases(subject).map((lease) => ({ guard, lease })))
}

/** Where the guard's socket lives: its Host list and its rule on cleartext apply to a refresh as to a handshake. */
function addressOf(site: SiteContext, guard: Guard): { readonly host: string; readonly secure: boolean } {
  for (const door of site.options.doors.values()) {
    if (door.guard !== guard) continue
    const url = new URL(door.url)
    return { host: url.host, secure: url.protocol === 'wss:' }
  }
  return { host: new URL(site.options.origins[0] ?? 'http://localhost').host, secure: site.options.secure }
}

function leaseIdOf(parameters: unknown): string | undefined {
  if (typeof parameters !== 'object' || parameters === null || !('id' in parameters)) return undefined
  return typeof parameters.id === 'string' ? parameters.id : undefined
}
