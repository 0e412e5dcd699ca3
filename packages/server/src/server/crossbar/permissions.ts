/** Rules of a role: both forms that the format has had, and the stars of the older one. */
import type { RuleNode } from './node.ts'
import {
  below,
  complain,
  flag,
  isMapping,
  members,
  oneOf,
  optional,
  warn,
  without,
  type Reader,
  type Spot,
} from './reader.ts'

/** A flag that is false unless it is written. */
const off = optional(flag, false)
const actions = { call: off, register: off, publish: off, subscribe: off }
/** Neither side is told who the other one is. */
const nobody = { caller: false, publisher: false }

/** Reads one rule, as version 1 or 2 writes it: by its own form, whatever the file says its version is. */
export const ruleOf: Reader<RuleNode> = (spot) => {
  const read = members(spot, {
    uri: pattern,
    match: optional(oneOf(['exact', 'prefix', 'wildcard'], 'exact'), undefined),
    allow: optional((inner: Spot) => members(inner, actions), undefined),
    disclose: optional((inner: Spot) => members(inner, { caller: off, publisher: off }), nobody),
    cache: optional(flag, undefined),
    validate: without('cannot apply: payloads are passed on unread'),
    ...actions,
  })
  // Version 1 writes the flags beside `uri`, version 2 within `allow`.
  const isFlat =
    isMapping(spot.value) && Object.keys(actions).some((key) => below(spot, key).value !== undefined)
  if (isFlat && read.allow !== undefined)
    complain(below(spot, 'allow'), 'stands beside flags that say the same')
  const { call, register, publish, subscribe } = read.allow ?? read
  return {
    ...patternOf(spot, read.uri, read.match),
    allow: { call, register, publish, subscribe },
    disclose: read.disclose,
    // Rules of version 1 knew no cache, and were upgraded to one.
    cache: read.cache ?? isFlat,
  }
}

/** Empty for everything, hence no ordinary text. */
function pattern(spot: Spot): string {
  const { value } = spot
  if (typeof value === 'string' && value.length <= 1_024 && !/[\s#]/.test(value)) return value
  complain(spot, value === undefined ? 'is missing' : 'is no pattern of URIs')
  return ''
}

/**
 * What a pattern means. With `match` it is taken as it is; without, stars decide: none is exact, one at the end is
 * a prefix (the text before it, so that `com.x.*` does not cover `com.x`), any other makes wildcards.
 */
function patternOf(
  spot: Spot,
  written: string,
  match: RuleNode['match'] | undefined,
): { readonly uri: string; readonly match: RuleNode['match'] } {
  const at = below(spot, 'uri')
  if (match !== undefined) {
    if (written.includes('*')) warn(at, 'has a star, which "match" takes literally')
    judgeExact(at, written, match)
    return { uri: written, match }
  }
  const stars = written.split('*').length - 1
  if (stars === 0) {
    judgeExact(at, written, 'exact')
    return { uri: written, match: 'exact' }
  }
  if (stars === 1 && written.endsWith('*')) return { uri: written.slice(0, -1), match: 'prefix' }
  if (written.split('.').some((part) => part.includes('*') && part !== '*')) {
    complain(
      at,
      'has a star within a component: a star stands for a whole one, or at the end for all that follows',
    )
  }
  return { uri: written.replaceAll('*', ''), match: 'wildcard' }
}

/** Written `com.a.`, a prefix was meant by many; without a star it is none. */
function judgeExact(at: Spot, written: string, match: RuleNode['match']): void {
  if (match === 'exact' && at.value !== undefined && written.split('.').includes('')) {
    warn(at, 'has an empty component and fits no URI: write a star there, or "match"')
  }
}
