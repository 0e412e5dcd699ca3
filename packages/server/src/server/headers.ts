/** Response headers: what every answer carries, and what pages and issued credentials carry besides. */

/**
 * Where pages of a site may reach, beside their own origin. Each list goes into the Content Security Policy
 * as it is: origins and nothing else belong there.
 */
export interface PageSources {
  /** Sockets and origins that scripts may connect to. */
  readonly connect: readonly string[]
  /** Origins that may be framed. */
  readonly frame: readonly string[]
  /** Origins of pages that may frame this one. */
  readonly ancestors: readonly string[]
}

/** Nothing but itself. */
export const ownSources: PageSources = { connect: [], frame: [], ancestors: [] }

/** Headers by name. */
export type Headers = Readonly<Record<string, string>>

/** A Content Security Policy without inline script or style and without third parties (CSP Level 3). */
export function contentSecurityPolicy(sources: PageSources): string {
  const directives: readonly (readonly [name: string, values: readonly string[]])[] = [
    ['default-src', ["'none'"]],
    ['script-src', ["'self'"]],
    ['style-src', ["'self'"]],
    ['img-src', ["'self'", 'data:']],
    ['font-src', ["'self'"]],
    ['connect-src', ["'self'", ...sources.connect]],
    ['frame-src', sources.frame.length === 0 ? ["'none'"] : sources.frame],
    ['frame-ancestors', sources.ancestors.length === 0 ? ["'none'"] : sources.ancestors],
    ['base-uri', ["'none'"]],
    ['form-action', ["'self'"]],
    ['object-src', ["'none'"]],
  ]
  return directives.map(([name, values]) => [name, ...new Set(values)].join(' ')).join('; ')
}

/**
 * Headers of every answer. `Referrer-Policy` is `same-origin`, not `no-referrer`: under the latter browsers send
 * `Origin: null` with form posts (Fetch §3.2), which the login would have to refuse.
 */
export function siteHeaders(sources: PageSources, secure: boolean): Headers {
  return {
    'content-security-policy': contentSecurityPolicy(sources),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()',
    'cache-control': 'no-store',
    ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}

/** Headers of an answer that holds a credential: kept nowhere, told to nobody. */
export const issuedHeaders: Headers = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  pragma: 'no-cache',
}
