/** Sessions that the web application keeps itself, judged by a callback of its own. */
import { askApplication } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import type { ApplicationCheck, ApplicationVisitor } from '../core/ports.ts'
import { noClaims } from '../core/principal.ts'
import { grantOf } from '../core/rows.ts'
import { sharedRoles } from '../core/shared-roles.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'

/** Options of the application session method. */
export interface ApplicationSessionOptions {
  /** Where the value travels: the application's session cookie, as a rule. Not in a URL: URLs are written down. */
  readonly from: From
  /**
   * Whose session the value is. It gets the value raw, exactly as a stranger sent it: decode it, and verify its
   * signature, as the web application does. `undefined` refuses as `invalid_credential`; a throw or a rejection is an
   * outage and refuses as `internal`.
   */
  readonly check: ApplicationCheck
}

/**
 * Accepts whomever the application knows by the value shown. Every token is its own, whatever its shape: where it
 * shares a place with other methods, list it last. Refuses as `expired_credential` what is over by the callback's
 * own `expiresAtMs`.
 *
 * Tell the guard of every logout, `guard.revoke({ session }, 'logged_out')`: it cannot see that a session is gone.
 */
export function applicationSession(options: ApplicationSessionOptions): Method {
  const { check } = options
  return {
    name: 'application_session',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'token',
    *judge({ credential, handshake, now }: Shown): Talk<Verdict> {
      if (credential.kind !== 'token') return deny('invalid_credential')
      const { origin, remoteAddress } = handshake
      const visitor = yield* askApplication(check, credential.text, { origin, remoteAddress })
      if (visitor === undefined) return deny('invalid_credential')
      checkVisitor(visitor)
      if (visitor.expiresAtMs !== undefined && visitor.expiresAtMs <= now) return deny('expired_credential')
      return acceptVisitor(visitor, now)
    },
  }
}

/** Without `provedAtMs` the grant dates from the attempt: a logout that overtakes the callback still hits it. */
function acceptVisitor(visitor: ApplicationVisitor, now: number): Verdict {
  const { subject, session, claims, expiresAtMs, provedAtMs } = visitor
  const roles = sharedRoles(visitor.roles ?? [])
  return accept({
    principal: {
      id: subject,
      roles,
      realm: undefined,
      method: 'application_session',
      provider: 'application',
      claims: claims === undefined ? noClaims : { ...claims },
    },
    grant: grantOf({ subject, roles, session, issuedAtMs: Math.min(now, provedAtMs ?? now) }),
    untilMs: expiresAtMs ?? Infinity,
  })
}

/**
 * JavaScript callers have no compiler, and half an answer must open no door.
 * @throws MisuseError, which refuses as `internal`
 */
function checkVisitor(visitor: Partial<ApplicationVisitor> | null): void {
  const { subject, roles, session, expiresAtMs, provedAtMs } = visitor ?? {}
  const good =
    isName(subject) &&
    (roles === undefined || (Array.isArray(roles) && roles.every((role) => typeof role === 'string'))) &&
    (session === undefined || isName(session)) &&
    isInstant(expiresAtMs) &&
    isInstant(provedAtMs)
  if (!good) throw new MisuseError('invalid_option', 'applicationSession: check answers no visitor')
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= 256
}

function isInstant(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && !Number.isNaN(value))
}
