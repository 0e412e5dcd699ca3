/** API keys: long-lived random secrets for machines, with scopes. */
import { findApiKey, hash } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { prefixes } from '../core/issue.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { apiKeyGrant } from '../core/rows.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'
import { hasPrefix, tokenOf } from './token.ts'

/** Options of the API key method. */
export interface ApiKeyMethodOptions {
  /** Where keys travel. Not in a URL: they live long, and URLs are written down. */
  readonly from: From
  /** Scope that the key must have. @default 'connect' */
  readonly scope?: string
}

/**
 * Accepts a key from `guard.issue.apiKey` that has the scope, again and again until it expires or is
 * revoked.
 * Refuses as `invalid_credential` what is unknown, as `expired_credential` what is too old, as `forbidden`
 * what lacks the scope: whoever holds the key may know that.
 */
export function apiKey(options: ApiKeyMethodOptions): Method {
  const scope = options.scope ?? 'connect'
  return {
    name: 'api_key',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => hasPrefix(credential, prefixes.apiKey),
    *judge(shown: Shown): Talk<Verdict> {
      const row = yield* findApiKey(yield* hash(tokenOf(shown.credential) ?? ''))
      if (row === undefined) return deny('invalid_credential')
      if (row.expiresAtMs <= shown.now) return deny('expired_credential')
      if (!row.scopes.includes(scope)) return deny('forbidden')
      const { subject, roles } = row
      return accept({
        principal: {
          id: subject,
          roles,
          realm: undefined,
          method: 'api_key',
          provider: 'records',
          claims: { key: row.name },
        },
        grant: apiKeyGrant(row),
        untilMs: row.expiresAtMs,
      })
    },
  }
}
