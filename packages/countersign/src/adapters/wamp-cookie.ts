/** The cookie of a WAMP transport: set with the handshake, so that a client that comes back can be known again. */
import { hash, randomBytes } from 'node:crypto'
import type { Handshake } from '../core/handshake.ts'
import type { Hash } from '../core/records.ts'
import type { CookieStore } from '../core/remembered.ts'
import { findCookie } from '../wire/cookie.ts'

/** How clients are remembered. */
export interface CookieTerms {
  readonly store: CookieStore
  /** @default 'cbtid' */
  readonly name?: string
  /** Random bytes of a value. @default 24 */
  readonly bytes?: number
  /** How long browsers keep it, ms. @default 604,800,000 (7 days) */
  readonly maxAgeMs?: number
  /** Whether it is sent over TLS alone. Give `false` on loopback only. @default true */
  readonly secure?: boolean
  /** @default 'Strict' */
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
}

/**
 * The cookies of one connection. Every handshake sets a fresh value, and only that is ever bound to an identity: a value
 * that somebody has planted in a browser becomes nobody's.
 */
export interface TransportCookie {
  /** What the client showed, hashed; `undefined`: nothing. */
  readonly shown: Hash | undefined
  /** What it was given, hashed. */
  readonly given: Hash
}

/** A fresh value, and the terms under which it is set. */
export function freshCookie(
  terms: CookieTerms,
  handshake: Handshake,
): { readonly cookie: TransportCookie; readonly header: string } {
  const found = findCookie(handshake.cookie, terms.name ?? 'cbtid')
  const value = randomBytes(terms.bytes ?? 24).toString('base64url')
  const shown = found.kind === 'found' ? hashOf(found.value) : undefined
  return { cookie: { shown, given: hashOf(value) }, header: setCookie(terms, value) }
}

/** As the platform hashes what stores know secrets by. */
function hashOf(value: string): Hash {
  return hash('sha256', value, 'base64url') as Hash
}

/** `Set-Cookie` of the 101. Scripts never see the value. */
function setCookie(terms: CookieTerms, value: string): string {
  const { name = 'cbtid', maxAgeMs = 604_800_000, secure = true, sameSite = 'Strict' } = terms
  const attributes = [`Max-Age=${Math.floor(maxAgeMs / 1_000)}`, 'Path=/', 'HttpOnly', `SameSite=${sameSite}`]
  if (secure) attributes.push('Secure')
  return `Set-Cookie: ${name}=${value}; ${attributes.join('; ')}`
}
