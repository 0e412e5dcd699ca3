import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allowsPattern,
  covers,
  overlaps,
} from '../../../packages/countersign/src/wamp/authorization-containment.ts'
import {
  byRank,
  compileRules,
  decidingRule,
  type RulePattern,
  ruleOf,
} from '../../../packages/countersign/src/wamp/authorization-rules.ts'
import type { PermissionRule } from '../../../packages/countersign/src/wamp/options.ts'
import { isUri, type Match, matches } from '../../../packages/countersign/src/wamp/uri.ts'

const runs = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)

function rule(uri: string, match: Match, allow = true): PermissionRule {
  return {
    uri,
    match,
    allow: { call: allow, register: allow, publish: allow, subscribe: allow },
    disclose: { caller: false, publisher: false },
    cache: false,
  }
}

describe('star notation', () => {
  it.each<[string, string, Match]>([
    ['com.a', 'com.a', 'exact'],
    ['com.a.*', 'com.a.', 'prefix'],
    ['com.a*', 'com.a', 'prefix'],
    ['*', '', 'prefix'],
    ['com.*.a', 'com..a', 'wildcard'],
    ['com.*.*', 'com..', 'wildcard'],
    ['*.a', '.a', 'wildcard'],
  ])('%j is %j %s', (text, uri, match) => {
    expect(ruleOf(text)).toEqual({ uri, match })
  })

  it('is not read where a policy is given', () => {
    expect(ruleOf('com.a.', 'prefix')).toEqual({ uri: 'com.a.', match: 'prefix' })
  })
})

describe('precedence', () => {
  const decides = (rules: readonly PermissionRule[], uri: string): string | undefined => {
    const found = decidingRule(compileRules(rules), uri)
    return found === undefined ? undefined : `${found.match} ${found.uri}`
  }

  it('is exact, then wildcard, then longest prefix, then nothing', () => {
    const rules = [
      rule('', 'prefix'),
      rule('com.', 'prefix'),
      rule('com..b', 'wildcard'),
      rule('com.a.b', 'exact'),
    ]
    expect(decides(rules, 'com.a.b')).toBe('exact com.a.b')
    expect(decides(rules, 'com.x.b')).toBe('wildcard com..b')
    expect(decides(rules, 'com.x.c')).toBe('prefix com.')
    expect(decides(rules, 'org.x')).toBe('prefix ')
    expect(decides(rules.slice(1), 'org.x')).toBeUndefined()
  })

  it.each([
    [['com..', 'com.a.'], 'com.a.b', 'com.a.'],
    [['..b', 'com..'], 'com.a.b', 'com..'],
    [['a...d', 'a.b..'], 'a.b.c.d', 'a.b..'],
    [['a.b...e', 'a..c.d.e'], 'a.b.c.d.e', 'a.b...e'],
    [['a...d.e', 'a.b..d.'], 'a.b.c.d.e', 'a.b..d.'],
    [['a...d.e', 'a..c..e'], 'a.b.c.d.e', 'a...d.e'],
    [['a.b...', 'a.b..d.'], 'a.b.c.d.e', 'a.b..d.'],
    [['a...d', 'a..c.'], 'a.b.c.d', 'a..c.'],
  ])('among the wildcards %j for %s is %s', (uris, uri, winner) => {
    const rules = uris.map((one) => rule(one, 'wildcard'))
    expect(decides(rules, uri)).toBe(`wildcard ${winner}`)
    expect(decides(rules.toReversed(), uri)).toBe(`wildcard ${winner}`)
  })

  it('does not cover the parent by a prefix with a dot', () => {
    expect(decides([rule('com.x.', 'prefix')], 'com.x')).toBeUndefined()
  })

  it('lets the later of two rules for one pattern count', () => {
    const book = compileRules([rule('com.a', 'exact', false), rule('com.a', 'exact', true)])
    expect(decidingRule(book, 'com.a')?.allow.call).toBe(true)
  })

  it.each<[string, Match]>([
    ['com..a', 'exact'],
    ['com..a', 'prefix'],
    ['com a', 'wildcard'],
  ])('refuses a rule for %j, %s, that is no pattern', (uri, match) => {
    expect(() => compileRules([rule(uri, match)])).toThrow(uri)
  })
})

describe('containment', () => {
  const allowed = (rules: readonly PermissionRule[], uri: string, match: Match): boolean =>
    allowsPattern(compileRules(rules), { uri, match }, 'subscribe')

  it('does not take the right to one URI for the right to everything below it', () => {
    expect(allowed([rule('com.a', 'exact')], 'com.a', 'prefix')).toBe(false)
    expect(allowed([rule('com.a', 'exact')], 'com.', 'wildcard')).toBe(false)
    expect(allowed([rule('com.a.', 'prefix')], 'com.a', 'prefix')).toBe(false)
    expect(allowed([rule('com.a.', 'prefix')], 'com.a.', 'prefix')).toBe(true)
    expect(allowed([rule('com.a.', 'prefix')], 'com.a.b', 'prefix')).toBe(true)
  })

  it('allows wildcards below a prefix or inside another wildcard', () => {
    expect(allowed([rule('com.', 'prefix')], 'com..b', 'wildcard')).toBe(true)
    expect(allowed([rule('com.a', 'prefix')], 'com..b', 'wildcard')).toBe(false)
    expect(allowed([rule('', 'prefix')], '..', 'wildcard')).toBe(true)
    expect(allowed([rule('com..', 'wildcard')], 'com..b', 'wildcard')).toBe(true)
    expect(allowed([rule('com..b', 'wildcard')], 'com..', 'wildcard')).toBe(false)
    expect(allowed([rule('com..', 'wildcard')], 'com.a.', 'prefix')).toBe(false)
  })

  it('denies a pattern for the sake of one URI in it', () => {
    const all = rule('com.', 'prefix')
    expect(allowed([all, rule('com.secret', 'exact', false)], 'com.', 'prefix')).toBe(false)
    expect(allowed([all, rule('com.secret', 'exact', false)], 'com.open.', 'prefix')).toBe(true)
    expect(allowed([all, rule('com..secret', 'wildcard', false)], 'com.a', 'prefix')).toBe(false)
    expect(allowed([all, rule('com..secret', 'wildcard', false)], 'com.', 'wildcard')).toBe(true)
    expect(allowed([all, rule('com.secret.', 'prefix', false)], 'com..x', 'wildcard')).toBe(false)
  })

  it('is not denied by a rule that comes behind the one that allows', () => {
    expect(allowed([rule('', 'prefix', false), rule('com.', 'prefix')], 'com.', 'prefix')).toBe(true)
    expect(allowed([rule('com.', 'prefix', false), rule('com..b', 'wildcard')], 'com..b', 'wildcard')).toBe(
      true,
    )
  })
})

const component = fc.constantFrom('a', 'b', 'ab')
const exactly = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'))
const pattern: fc.Arbitrary<RulePattern> = fc.oneof(
  exactly.map((uri) => ({ uri, match: 'exact' as const })),
  fc
    .oneof(
      exactly,
      exactly.map((uri) => `${uri}.`),
      fc.constant(''),
    )
    .map((uri) => ({ uri, match: 'prefix' as const })),
  fc
    .array(fc.oneof(component, fc.constant('')), { minLength: 1, maxLength: 3 })
    .map((parts) => ({ uri: parts.join('.'), match: 'wildcard' as const })),
)
const rules = fc.array(
  fc
    .record({ pattern, allow: fc.boolean() })
    .map(({ pattern: { uri, match }, allow }) => rule(uri, match, allow)),
  { maxLength: 6 },
)

/**
 * Every URI of up to four components out of a few, `c` being named by no rule; and each of them with a last component that
 * only begins like it, and more components than any wildcard has.
 */
const universe: readonly string[] = (() => {
  const parts = ['a', 'b', 'ab', 'c']
  let level = parts.slice()
  const all = level.slice()
  for (let more = 0; more < 3; more++) {
    level = level.flatMap((head) => parts.map((part) => `${head}.${part}`))
    all.push(...level)
  }
  return [...all, ...all.map((uri) => `${uri}c.c.c.c`)]
})()

describe('containment, against every URI of a small world', () => {
  it('lives in a world of URIs', () => {
    expect(universe.every((uri) => isUri(uri, 'strict'))).toBe(true)
  })

  it('never allows a pattern that covers a URI which is denied', () => {
    fc.assert(
      fc.property(rules, pattern, (given, asked) => {
        const book = compileRules(given)
        if (asked.match === 'exact' || !allowsPattern(book, asked, 'subscribe')) return true
        return universe.every(
          (uri) => !matches(asked.uri, asked.match, uri) || decidingRule(book, uri)?.allow.subscribe === true,
        )
      }),
      { numRuns: Math.min(runs, 10_000) },
    )
  })

  it('denies without a reason only where a third rule overrides the one that denies', () => {
    fc.assert(
      fc.property(rules, pattern, (given, asked) => {
        const book = compileRules(given)
        if (asked.match === 'exact' || allowsPattern(book, asked, 'subscribe')) return true
        if (asked.match === 'wildcard' && !asked.uri.split('.').includes('')) return true
        const denied = universe.some(
          (uri) => matches(asked.uri, asked.match, uri) && decidingRule(book, uri)?.allow.subscribe !== true,
        )
        const overridden = given.some((one) => !one.allow.subscribe && overlaps(one, asked))
        return denied || overridden
      }),
      { numRuns: Math.min(runs, 10_000) },
    )
  })

  it('agrees with the world on what covers and what overlaps', () => {
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const inBoth = universe.filter(
          (uri) => matches(one.uri, one.match, uri) && matches(other.uri, other.match, uri),
        )
        const inOther = universe.filter((uri) => matches(other.uri, other.match, uri))
        const literal = other.match === 'wildcard' && !other.uri.split('.').includes('')
        if (overlaps(one, other) !== inBoth.length > 0) return false
        if (covers(one, other)) return inBoth.length === inOther.length
        return literal || inBoth.length < inOther.length
      }),
      { numRuns: Math.min(runs, 10_000) },
    )
  })

  it('ranks any two patterns that meet', () => {
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        if (one.uri === other.uri && one.match === other.match) return true
        const meet = universe.some(
          (uri) => matches(one.uri, one.match, uri) && matches(other.uri, other.match, uri),
        )
        const rank = byRank(one, other)
        return !meet || (rank !== 0 && Math.sign(rank) === -Math.sign(byRank(other, one)))
      }),
      { numRuns: Math.min(runs, 2_000) },
    )
  })
})
