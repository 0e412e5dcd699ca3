import { every } from './ascii.ts'

/** The error codes of RFC 6750 §3.1. */
export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope'

/**
 * A `WWW-Authenticate` value that asks for Basic credentials in UTF-8 (RFC 7617 §2 and §2.1). Browsers show
 * the realm.
 *
 * @throws TypeError when the realm holds anything but visible ASCII and blanks
 */
export function basicChallenge(realm: string): string {
  return `Basic realm=${quote(realm)}, charset="UTF-8"`
}

/**
 * A `WWW-Authenticate` value that asks for a bearer token (RFC 6750 §3). Leave `error` out when the request
 * carried no credential at all (§3.1, last paragraph).
 *
 * @throws TypeError when the realm holds anything but visible ASCII and blanks
 */
export function bearerChallenge(realm: string, error?: BearerError): string {
  const challenge = `Bearer realm=${quote(realm)}`
  return error === undefined ? challenge : `${challenge}, error="${error}"`
}

/** `quoted-string` of RFC 9110 §5.6.4. */
function quote(text: string): string {
  if (!every(text, (code) => code >= 0x20 && code < 0x7f)) throw new TypeError('a realm is visible ASCII')
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
