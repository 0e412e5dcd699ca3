/**
 * Names of dotted components, and patterns of them: URIs of WAMP (basic profile, "URIs"; advanced profile, pattern-based
 * subscriptions and registrations) and actions of a policy alike.
 */

/** How the pattern of a rule, a subscription or a registration is compared. */
export type Match = 'exact' | 'prefix' | 'wildcard'

/** `loose`: no blank, no `#`, no empty component. `strict`: components of `[0-9a-z_]` only. */
export type UriCheck = 'loose' | 'strict'

/** Longest URI that is looked at, characters. */
export const maxUriLength = 1024

/** Most components of a wildcard pattern: each costs memory wherever patterns are kept. */
const maxComponents = 32

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
  if (match === 'prefix') return prefix[check].test(text)
  return wildcard[check].test(text) && text.split('.').length <= maxComponents
}

/** Whether a URI falls under a pattern: equal, beginning with its text, or equal component by component where it names one. */
export function matches(pattern: string, match: Match, uri: string): boolean {
  if (match === 'exact') return pattern === uri
  return match === 'prefix' ? uri.startsWith(pattern) : fits(pattern.split('.'), uri)
}

/** As `matches`, for one pattern and many URIs. */
export function matcherOf(pattern: string, match: Match): (uri: string) => boolean {
  if (match !== 'wildcard') return (uri) => matches(pattern, match, uri)
  const parts = pattern.split('.')
  return (uri) => fits(parts, uri)
}

/** Component by component, without taking the URI apart: most end at the first literal. */
function fits(parts: readonly string[], uri: string): boolean {
  let from = 0
  for (const part of parts) {
    if (from > uri.length) return false
    const dot = uri.indexOf('.', from)
    const end = dot === -1 ? uri.length : dot
    if (part !== '' && (end - from !== part.length || !uri.startsWith(part, from))) return false
    from = end + 1
  }
  return from === uri.length + 1
}
