/** A token in a cookie (RFC 6265). Browsers attach it unasked, to any page's sockets: an Origin rule is mandatory. */
import { nothingHidden, type HandshakeCarrier, type Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import { findCookie } from '../wire/cookie.ts'
import { tokenFound } from './token.ts'

/** Options of the cookie carrier. */
export interface CookieOptions {
  /** What a request without `Origin`, hence not of a browser, may do. @default 'refuse' */
  readonly absentOrigin?: 'allow' | 'refuse'
}

/**
 * A token in one cookie. Two cookies of the name with different values are malformed: one of them was
 * planted.
 * @param name the cookie's name; off loopback it should begin with `__Host-`, so that no sibling host can
 * plant it
 */
export function cookie(name: string, options: CookieOptions = {}): HandshakeCarrier {
  return {
    kind: 'handshake',
    key: `cookie:${name}`,
    ambient: true,
    absentOrigin: options.absentOrigin ?? 'refuse',
    bearer: true,
    hides: { ...nothingHidden, cookies: [name] },
    scheme: 'Countersign',
    find: (handshake): Search<Credential> => tokenFound(findCookie(handshake.cookie, name)),
  }
}
