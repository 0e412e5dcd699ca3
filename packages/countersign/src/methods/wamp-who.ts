/** Whom a WAMP method has found, and what is known of them: the same for every method and every source. */
import { takeChallengeSecret } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import type { Grant } from '../core/principal.ts'
import type { AccountRow, ChallengeSecretRow } from '../core/records.ts'
import { grantOf, secretGrant } from '../core/rows.ts'
import { sharedRoles } from '../core/shared-roles.ts'

/** Whom a source has found. */
export interface Who {
  /** The name that the session will have. */
  readonly authid: string
  /** Whom revocations name; `undefined`: the authid. */
  readonly subject: string | undefined
  /** Empty: the method's default role. */
  readonly roles: readonly string[]
  /** Realm that the session is sent to; `undefined`: the one that it asked for. */
  readonly realm: string | undefined
  /** What WELCOME says in `authextra`. */
  readonly extra: Readonly<Record<string, unknown>> | undefined
  /** `static`, `dynamic`, `function`, `records`, `accounts`. */
  readonly provider: string
  /** What the acceptance rests upon; `undefined`: upon subject and roles, as of now. */
  readonly grant: Grant | undefined
  /** End of what was proved, ms since the epoch; `Infinity` where it has none. */
  readonly untilMs: number
  /** Lease id that was promised with the credential. */
  readonly lease: string | undefined
  /** Spends a credential for one use, `true` for exactly one caller; `undefined`: nothing to spend. */
  readonly spend: (() => Talk<boolean>) | undefined
}

/** Somebody about whom nothing special is known. */
export const plainWho: Omit<Who, 'authid' | 'provider'> = Object.freeze({
  subject: undefined,
  roles: [],
  realm: undefined,
  extra: undefined,
  grant: undefined,
  untilMs: Infinity,
  lease: undefined,
  spend: undefined,
})

/**
 * Somebody whom a configuration lists. The list of roles is the shared one from the start: the acceptance of each login
 * need not look for it.
 */
export function staticWho(authid: string, role: string | undefined): Who {
  return { ...plainWho, authid, roles: sharedRoles(role === undefined ? [] : [role]), provider: 'static' }
}

/** Somebody with an account that is not disabled, who has proved to be its holder. @param now of the attempt */
export function accountWho({ username, roles }: AccountRow, now: number): Who {
  const grant = grantOf({ subject: username, roles, issuedAtMs: now })
  return { ...plainWho, authid: username, subject: username, roles, provider: 'accounts', grant }
}

/** Somebody who shares a challenge secret of the records; one for a single use is spent by the acceptance. */
export function secretWho(row: ChallengeSecretRow): Who {
  const { authid, subject, roles, uses, expiresAtMs } = row
  return {
    ...plainWho,
    authid,
    subject,
    roles,
    provider: 'records',
    grant: secretGrant(row),
    untilMs: expiresAtMs,
    spend: uses === 'one' ? () => takeChallengeSecret(authid) : undefined,
  }
}
