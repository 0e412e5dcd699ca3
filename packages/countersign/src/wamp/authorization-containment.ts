/**
 * Patterns against rules: whoever subscribes or registers a pattern needs the right to every URI that it covers. What
 * cannot be told is denied.
 */
import { byRank, type RuleBook, type RulePattern } from './authorization-rules.ts'
import type { Action, PermissionRule } from './options.ts'
import { matches } from './uri.ts'

/**
 * Whether every URI that a pattern covers is allowed: one allowing rule covers the whole pattern, and no denying rule
 * that could decide about a part of it comes before that rule. Sound for any rules. A denying rule that is itself
 * overridden everywhere by a third one still denies.
 */
export function allowsPattern(book: RuleBook, pattern: RulePattern, action: Action): boolean {
  const rules = rulesOf(book)
  const cover = rules.find((rule) => rule.allow[action] && covers(rule, pattern))
  if (cover === undefined) return false
  return rules.every((rule) => rule.allow[action] || byRank(cover, rule) < 0 || !overlaps(rule, pattern))
}

/** All rules, in order of precedence as far as they cover common URIs. */
function rulesOf(book: RuleBook): readonly PermissionRule[] {
  return [...book.exact.values(), ...[...book.wildcards.values()].flat(), ...book.prefixes]
}

/** Whether a rule covers every URI that a pattern covers. */
export function covers(rule: RulePattern, pattern: RulePattern): boolean {
  const { uri, match } = pattern
  if (rule.match === 'prefix') {
    return match === 'wildcard' ? literalHead(uri).startsWith(rule.uri) : uri.startsWith(rule.uri)
  }
  if (match === 'prefix') return false
  if (rule.match === 'exact') return rule.uri === uri
  const wanted = rule.uri.split('.')
  const given = uri.split('.')
  return wanted.length === given.length && wanted.every((part, at) => part === '' || part === given[at])
}

/** Whether a rule and a pattern may cover a common URI. */
export function overlaps(rule: RulePattern, pattern: RulePattern): boolean {
  if (rule.match === 'exact') return matches(pattern.uri, pattern.match, rule.uri)
  if (pattern.match === 'exact') return matches(rule.uri, rule.match, pattern.uri)
  if (rule.match === 'prefix' && pattern.match === 'prefix') {
    return rule.uri.startsWith(pattern.uri) || pattern.uri.startsWith(rule.uri)
  }
  if (rule.match === 'prefix') return reaches(rule.uri, pattern.uri)
  return pattern.match === 'prefix' ? reaches(pattern.uri, rule.uri) : meet(rule.uri, pattern.uri)
}

/** What all URIs of a wildcard pattern begin with. */
function literalHead(pattern: string): string {
  const parts = pattern.split('.')
  const wild = parts.indexOf('')
  return wild === -1
    ? pattern
    : parts
        .slice(0, wild)
        .map((part) => `${part}.`)
        .join('')
}

/** Whether some URI of a wildcard pattern begins with a prefix: component by component, the last one as text. */
function reaches(prefix: string, wildcard: string): boolean {
  const begun = prefix.split('.')
  const parts = wildcard.split('.')
  if (begun.length > parts.length) return false
  const last = begun.length - 1
  return begun.every((text, at) => {
    const part = parts[at]
    return part === '' || (at === last ? part?.startsWith(text) === true : part === text)
  })
}

/** Whether two wildcard patterns cover a common URI. */
function meet(one: string, other: string): boolean {
  const parts = one.split('.')
  const others = other.split('.')
  return (
    parts.length === others.length &&
    parts.every((part, at) => part === '' || others[at] === '' || part === others[at])
  )
}
