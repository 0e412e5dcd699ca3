/** URIs and patterns (WAMP, basic profile, "URIs"; advanced profile, pattern-based subscriptions and registrations). */

/** How a URI of a subscription, a registration or a rule is compared. */
export type Match = 'exact' | 'prefix' | 'wildcard'

/** `loose`: no blank, no `#`, no empty component. `strict`: components of `[0-9a-z_]` only. */
export type UriCheck = 'loose' | 'strict'

/** Longest URI that is looked at, characters. */
export const maxUriLength = 1024

const exact = { loose: /^[^\s.#]+(\.[^\s.#]+)*$/, strict: /^[0-9a-z_]+(\.[0-9a-z_]+)*$/ }
const prefix = { loose: /^([^\s.#]+\.)*[^\s.#]*$/, strict: /^([0-9a-z_]+\.)*[0-9a-z_]*$/ }
const wildcard = { loose: /^[^\s.#]*(\.[^\s.#]*)*$/, strict: /^[0-9a-z_]*(\.[0-9a-z_]*)*$/ }

/** Whether a text is a URI without patterns. */
export function isUri(text: string, check: UriCheck): boolean {
  return text.length <= maxUriLength && exact[check].test(text)
}

/** Whether a text is a URI or pattern under this policy: empty components where a wildcard stands, a trailing one in a prefix. */
export function isPattern(text: string, match: Match, check: UriCheck): boolean {
  if (text.length > maxUriLength) return false
  if (match === 'exact') return exact[check].test(text)
  return match === 'prefix' ? prefix[check].test(text) : wildcard[check].test(text)
}

/** `match` of SUBSCRIBE and REGISTER options; absent means exact, anything else is no policy at all. */
export function matchOf(option: unknown): Match | undefined {
  if (option === undefined || option === 'exact') return 'exact'
  return option === 'prefix' || option === 'wildcard' ? option : undefined
}

/** Whether a URI falls under a pattern: equal, beginning with its text, or equal component by component where it names one. */
export function matches(pattern: string, match: Match, uri: string): boolean {
  if (match === 'exact') return pattern === uri
  if (match === 'prefix') return uri.startsWith(pattern)
  const wanted = pattern.split('.')
  const given = uri.split('.')
  return wanted.length === given.length && wanted.every((part, at) => part === '' || part === given[at])
}

/** Whether the name belongs to the protocol: clients neither register nor publish there. */
export function isReserved(uri: string): boolean {
  return uri.startsWith('wamp.') || uri === 'wamp'
}
