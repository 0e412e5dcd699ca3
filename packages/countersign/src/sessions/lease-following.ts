/** What becomes of one lease when its session changes. */
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { ApplicationVisitor } from '../core/ports.ts'
import { noClaims } from '../core/principal.ts'
import type { Reason } from '../core/reasons.ts'
import { sharedRoles } from '../core/shared-roles.ts'
import { accept } from '../core/verdict.ts'

/** Ends it, wherever it sits. */
export function endLease(guard: Guard, lease: Lease, reason: Reason): void {
  lease.apply({ kind: 'ended', reason }, guard.now())
}

/**
 * Gives the lease the roles and the end that the session has now; the socket stays open. What it rests upon keeps its
 * date: a revocation that was written before, and has not come through yet, still hits it.
 */
export function followVisitor(
  guard: Guard,
  lease: Lease,
  { visitor, moved }: { readonly visitor: ApplicationVisitor; readonly moved: boolean },
): void {
  const roles = sharedRoles(visitor.roles ?? [])
  const untilMs = visitor.expiresAtMs ?? Infinity
  const late = untilMs < lease.untilMs
  if (!moved && !late && sameRoles(roles, lease.principal.roles)) return
  const principal = { ...lease.principal, roles, claims: { ...(visitor.claims ?? noClaims) } }
  const grant = { ...lease.grant, roles }
  // An end that has not moved keeps its jitter.
  lease.renew(accept({ principal, grant, untilMs: moved || late ? untilMs : lease.untilMs }), guard.now())
}

/** The order says nothing, and neither does naming one twice. */
function sameRoles(one: readonly string[], other: readonly string[]): boolean {
  if (one === other) return true
  return one.every((role) => other.includes(role)) && other.every((role) => one.includes(role))
}
