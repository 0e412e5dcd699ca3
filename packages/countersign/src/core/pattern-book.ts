/** Rules by pattern, compiled: which of them decides about a name. */
import { type Match, matches } from './patterns.ts'

/** A URI or pattern and how it is compared. */
export interface RulePattern {
  readonly uri: string
  readonly match: Match
}

/**
 * Reads a pattern as configurations write it. Without `match` a star stands for what varies: no star is
 * exact, one at the very end is a prefix of the text before it (so `com.x.*` does not cover `com.x`), and any other is a
 * wildcard for its component.
 */
export function ruleOf(uri: string, match?: Match): RulePattern {
  if (match !== undefined) return { uri, match }
  const star = uri.indexOf('*')
  if (star === -1) return { uri, match: 'exact' }
  if (star === uri.length - 1) return { uri: uri.slice(0, -1), match: 'prefix' }
  return { uri: uri.replaceAll('*', ''), match: 'wildcard' }
}

/** Rules in the order in which they are asked: the first that covers a name decides about it. */
export interface PatternBook<R extends RulePattern> {
  readonly exact: ReadonlyMap<string, R>
  /** By number of components, the most specific first. */
  readonly wildcards: ReadonlyMap<number, readonly R[]>
  /** Longest first. */
  readonly prefixes: readonly R[]
}

/** Sorts rules. Precedence: exact, then wildcard, then longest prefix. No two are for the same pattern. */
export function bookOf<R extends RulePattern>(rules: readonly R[]): PatternBook<R> {
  const of = (match: Match): readonly R[] => rules.filter((rule) => rule.match === match)
  return {
    exact: new Map(of('exact').map((rule) => [rule.uri, rule])),
    wildcards: Map.groupBy(of('wildcard').toSorted(byRank), ({ uri }) => uri.split('.').length),
    prefixes: of('prefix').toSorted(byRank),
  }
}

/** The rule that decides about a URI; `undefined`: none does, which means no. */
export function decidingRule<R extends RulePattern>(book: PatternBook<R>, uri: string): R | undefined {
  return (
    book.exact.get(uri) ??
    (book.wildcards.size === 0 ? undefined : decidingWildcard(book, uri)) ??
    book.prefixes.find((rule) => uri.startsWith(rule.uri))
  )
}

function decidingWildcard<R extends RulePattern>(book: PatternBook<R>, uri: string): R | undefined {
  const sameLength = book.wildcards.get(uri.split('.').length)
  return sameLength?.find((rule) => matches(rule.uri, 'wildcard', uri))
}

const ranks: Readonly<Record<Match, number>> = { exact: 0, wildcard: 1, prefix: 2 }

/**
 * Order of precedence of two patterns that cover a common URI: negative when the first one decides. Never 0 for two that
 * are different and do.
 */
export function byRank(a: RulePattern, b: RulePattern): number {
  if (a.match !== b.match) return ranks[a.match] - ranks[b.match]
  return a.match === 'wildcard' ? byLiterals(a.uri, b.uri) : b.uri.length - a.uri.length
}

/**
 * Wildcards by their runs of literal components, the first run first: the longer one is more specific. Equal runs: whoever
 * is literal further to the left.
 */
function byLiterals(a: string, b: string): number {
  const runsOfA = runsOf(a)
  const runsOfB = runsOf(b)
  for (let at = 0; at < Math.max(runsOfA.length, runsOfB.length); at++) {
    const difference = (runsOfB[at] ?? 0) - (runsOfA[at] ?? 0)
    if (difference !== 0) return difference
  }
  const literals = (uri: string): string =>
    uri
      .split('.')
      .map((part) => (part === '' ? 'b' : 'a'))
      .join('')
  return literals(a) < literals(b) ? -1 : literals(a) === literals(b) ? 0 : 1
}

/** Lengths of the unbroken runs of literal components, from the left. */
function runsOf(pattern: string): readonly number[] {
  const runs: number[] = []
  let run = 0
  for (const part of [...pattern.split('.'), '']) {
    if (part !== '') run++
    else if (run > 0) {
      runs.push(run)
      run = 0
    }
  }
  return runs
}
