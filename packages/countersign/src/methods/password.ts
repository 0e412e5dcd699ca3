/** Account passwords in HTTP Basic user information, judged at constant cost behind a lockout. */
import { attempt, attempted, findAccount, verifyPassword } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { noClaims } from '../core/principal.ts'
import { grantOf } from '../core/rows.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'

/** Options of the password method. */
export interface PasswordMethodOptions {
  /** Where user name and password travel: `authorization('Basic')`. */
  readonly from: From
}

/** Characters of a name by which its failures are counted; no account has a longer one. */
const maxTallied = 64

/**
 * Accepts the password of an enabled account (argon2id). Unknown names, disabled accounts and wrong
 * passwords cost and answer the same: `invalid_credential`.
 * The lockout decides before anything is looked up: `too_many_attempts` with the time to wait. `overloaded`
 * when more passwords wait to be judged than the hasher takes. The lease has no end of its own: the guard's
 * longest lease bounds it.
 */
export function password(options: PasswordMethodOptions): Method {
  return {
    name: 'password',
    from: placesOf(options.from),
    csrf: undefined,
    needs: ['passwords'],
    recognises: (credential) => credential.kind === 'basic',
    *judge(shown: Shown): Talk<Verdict> {
      if (shown.credential.kind !== 'basic') return deny('invalid_credential')
      const username = normaliseUsername(shown.credential.username)
      const source = shown.handshake.remoteAddress
      // Names this long belong to nobody: they may share a tally, so that tallies stay small.
      const identity = username.slice(0, maxTallied)
      const waitMs = yield* attempt(identity, source)
      if (waitMs > 0) return deny('too_many_attempts', waitMs)
      const row = yield* findAccount(username)
      const stored = row === undefined || row.disabled ? undefined : row.passwordHash
      const outcome = yield* verifyPassword({ identity, source }, shown.credential.password, stored)
      if (outcome === 'busy') return deny('overloaded')
      const right = outcome === 'right' && row !== undefined && !row.disabled
      const lateMs = yield* attempted(identity, source, right)
      if (lateMs > 0) return deny('too_many_attempts', lateMs)
      if (!right) return deny('invalid_credential')
      const { roles } = row
      return accept({
        principal: {
          id: row.username,
          roles,
          realm: undefined,
          method: 'password',
          provider: 'accounts',
          claims: noClaims,
        },
        grant: grantOf({ subject: row.username, roles, issuedAtMs: shown.now }),
        untilMs: Infinity,
      })
    },
  }
}

/** The form in which user names are stored and compared: NFKC, lower case. */
export function normaliseUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase()
}
