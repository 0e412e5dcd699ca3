/** The site's cookies: their names and attributes over TLS and on plain-http loopback. */
import { findCookie, serializeCookie } from 'countersign/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Names of the site's cookies. */
export interface CookieNames {
  /** The login session. */
  readonly session: string
  /** The preauth session of a socket handshake. */
  readonly preauth: string
  /** The session that the hidden frame on a socket's own origin is given. */
  readonly frame: string
  /** What the login form's CSRF token is bound to. */
  readonly form: string
  /** A browser in which an account has logged in before. */
  readonly device: string
}

/**
 * The names. Over TLS they begin with `__Host-`, so that no sibling host can plant them; on plain-http loopback they
 * do not, because WebKit refuses such a cookie there.
 */
export function cookieNames(secure: boolean): CookieNames {
  const prefix = secure ? '__Host-' : ''
  return {
    session: `${prefix}countersign-session`,
    preauth: `${prefix}countersign-preauth`,
    frame: `${prefix}countersign-frame`,
    form: `${prefix}countersign-form`,
    device: `${prefix}countersign-device`,
  }
}

/** One cookie of a request; `undefined` when it is absent, malformed or there twice with different values. */
export function readCookie(request: FastifyRequest, name: string): string | undefined {
  const search = findCookie(request.headers.cookie, name)
  return search.kind === 'found' ? search.value : undefined
}

/** A cookie to set. */
export interface CookieToSet {
  readonly name: string
  readonly value: string
  readonly sameSite: 'Strict' | 'Lax' | 'None'
  readonly secure: boolean
  /** Partitioned by top-level site (CHIPS); only with `secure`. @default false */
  readonly partitioned?: boolean
  /** @default until the browser closes */
  readonly maxAgeSeconds?: number
}

/** Adds a `Set-Cookie`, always `HttpOnly` and host-only with the path `/`. */
export function setCookie(reply: FastifyReply, cookie: CookieToSet): void {
  const { name, value, ...attributes } = cookie
  reply.header('set-cookie', serializeCookie(name, value, { ...attributes, httpOnly: true, path: '/' }))
}

/** Tells the browser to forget a cookie that `setCookie` set with the same `sameSite` and `secure`. */
export function dropCookie(
  reply: FastifyReply,
  cookie: Pick<CookieToSet, 'name' | 'sameSite' | 'secure'>,
): void {
  setCookie(reply, { ...cookie, value: '', maxAgeSeconds: 0 })
}
