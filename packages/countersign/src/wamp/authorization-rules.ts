/** Rules of a role, compiled: which of them decides about a URI. */
import { MisuseError } from '../core/errors.ts'
import { bookOf, type PatternBook } from '../core/pattern-book.ts'
import type { PermissionRule } from './options.ts'
import { isPattern } from './uri.ts'

export { byRank, decidingRule, ruleOf, type RulePattern } from '../core/pattern-book.ts'

/** The rules of one role in the order in which they are asked: the first that covers a URI decides about it. */
export type RuleBook = PatternBook<PermissionRule>

/**
 * Compiles rules. Precedence: exact, then wildcard, then longest prefix; of two rules for the same pattern the last one
 * counts.
 * @throws MisuseError for a rule whose URI is no pattern of its policy
 */
export function compileRules(rules: readonly PermissionRule[]): RuleBook {
  const latest = new Map<string, PermissionRule>()
  for (const rule of rules) {
    if (!isPattern(rule.uri, rule.match, 'loose')) {
      throw new MisuseError('invalid_option', `rule ${rule.uri}: no URI of policy ${rule.match}`)
    }
    latest.set(`${rule.match} ${rule.uri}`, rule)
  }
  return bookOf([...latest.values()])
}
