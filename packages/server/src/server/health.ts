/** `/healthz`: whether the program runs, how full its waiting rooms are, and the limits in force. */
import type { Guard } from 'countersign'
import type { FastifyInstance } from 'fastify'
import type { SiteContext } from './site-options.ts'

/** Registers the status page. It names no one and is open to all. */
export function registerHealth(app: FastifyInstance, site: SiteContext): void {
  app.get('/healthz', () => ({ ok: true, guards: site.options.guards().map(describe) }))
}

/** Numbers only: no subject, no address, no credential. */
function describe(guard: Guard): Readonly<Record<string, unknown>> {
  const { pool, limits } = guard
  return {
    name: guard.name,
    pool: { size: pool.size, total: pool.limits.total },
    leases: guard.leases().length,
    limits: {
      preauth_deadline_ms: limits.deadlineMs,
      preauth_total: limits.pool.total,
      preauth_per_source: limits.pool.perSource,
      preauth_per_subnet: limits.pool.perSubnet,
      preauth_talking: limits.pool.talking,
      preauth_max_bytes: limits.maxBytes,
      preauth_max_messages: limits.maxMessages,
      refusal_linger_ms: limits.lingerMs,
      handshakes_per_second: limits.handshakesPerSecond,
      max_lease_ms: limits.maxLeaseMs,
      lease_grace_ms: limits.graceMs,
    },
  }
}
