import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import type { Registration } from '../../../packages/countersign/src/wamp/dealer-types.ts'
import { ProcedureIndex } from '../../../packages/countersign/src/wamp/procedure-index.ts'
import { matches, type Match } from '../../../packages/countersign/src/wamp/uri.ts'

function registration(id: number, procedure: string, match: Match): Registration {
  return {
    id,
    procedure,
    match,
    policy: 'single',
    createdAtMs: 0,
    callees: [],
    disclose: undefined,
    forwardTimeout: undefined,
    next: 0,
  }
}

function indexOf(...entries: (readonly [procedure: string, match: Match])[]): ProcedureIndex {
  const index = new ProcedureIndex()
  for (const [at, [procedure, match]] of entries.entries()) index.add(registration(at + 1, procedure, match))
  return index
}

describe('ProcedureIndex', () => {
  // WAMP, advanced profile, pattern-based registrations, "Calls matching multiple registrations".
  const worked = indexOf(
    ['a1.b2.c3.d4.e55', 'exact'],
    ['a1.b2.c3', 'prefix'],
    ['a1.b2.c3.d4', 'prefix'],
    ['a1.b2..d4.e5', 'wildcard'],
    ['a1.b2.c33..e5', 'wildcard'],
    ['a1.b2..d4.e5..g7', 'wildcard'],
    ['a1.b2..d4..f6.g7', 'wildcard'],
  )

  it.each([
    ['a1.b2.c3.d4.e55', 1],
    ['a1.b2.c3.d98.e74', 2],
    ['a1.b2.c3.d4.e325', 3],
    ['a1.b2.c55.d4.e5', 4],
    ['a1.b2.c33.d4.e5', 5],
    ['a1.b2.c88.d4.e5.f6.g7', 6],
    ['a2.b2.c2.d2.e2', undefined],
  ])("answers the specification's worked example: %s goes to %s", (uri, id) => {
    expect(worked.best(uri)?.id).toBe(id)
  })

  it('takes a prefix as text, not by components', () => {
    const index = indexOf(['com.myapp.myobject1', 'prefix'])
    expect(index.best('com.myapp.myobject1-mysubobject1')?.id).toBe(1)
    expect(index.best('com.myapp.myobject1')?.id).toBe(1)
    expect(index.best('com.myapp.myobject')).toBeUndefined()
  })

  it('prefers any prefix to any wildcard', () => {
    expect(indexOf(['a.b.c', 'wildcard'], ['a', 'prefix'], ['', 'prefix']).best('a.b.c')?.id).toBe(2)
  })

  it('puts a prefix that ends within a component behind a wildcard, and takes it for want of one', () => {
    const index = indexOf(['com.obj1', 'prefix'], ['com..x', 'wildcard'])
    expect(index.best('com.obj1-sub.x')?.id).toBe(2)
    expect(index.best('com.obj1.x')?.id).toBe(1)
    expect(index.best('com.obj1-sub.y')?.id).toBe(1)
  })

  it('turns back from a literal component that leads nowhere', () => {
    expect(indexOf(['a.b.c.x', 'wildcard'], ['a...d', 'wildcard']).best('a.b.c.d')?.id).toBe(2)
  })

  it('lists ids by matching policy and forgets what is removed', () => {
    const index = indexOf(['a', 'exact'], ['a', 'prefix'], ['a.', 'wildcard'], ['b', 'prefix'])
    expect([index.ids('exact'), index.ids('prefix'), index.ids('wildcard')]).toEqual([[1], [2, 4], [3]])
    index.remove(registration(2, 'a', 'prefix'))
    index.remove(registration(3, 'a.', 'wildcard'))
    index.remove(registration(1, 'a', 'exact'))
    expect(index.best('a.b')).toBeUndefined()
    expect(index.best('b.c')?.id).toBe(4)
    index.remove(registration(4, 'b', 'prefix'))
    expect(index.best('b.c')).toBeUndefined()
  })

  it('finds what a comparison of all patterns finds', () => {
    const part = fc.constantFrom('', 'a', 'b', 'ab')
    const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
    const match = fc.constantFrom<Match>('exact', 'prefix', 'wildcard')
    const uri = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, match, fc.boolean())), uri, (entries, parts) => {
        const index = new ProcedureIndex()
        const kept = new Map<string, Registration>()
        for (const [procedure, policy, stays] of entries) {
          const key = `${policy} ${procedure}`
          const known = kept.get(key)
          if (known === undefined) {
            const added = registration(kept.size + 1, procedure, policy)
            kept.set(key, added)
            index.add(added)
          } else if (!stays) {
            kept.delete(key)
            index.remove(known)
          }
        }
        const called = parts.join('.')
        const fitting = [...kept.values()].filter((one) => matches(one.procedure, one.match, called))
        const whole = fitting.some((one) => one.match === 'prefix' && isWhole(one.procedure, called))
        const order: readonly Match[] = whole
          ? ['exact', 'prefix', 'wildcard']
          : ['exact', 'wildcard', 'prefix']
        expect(index.best(called)).toBe(fitting.sort((one, other) => compare(one, other, order))[0])
      }),
      { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000) },
    )
  })
})

/** Whether a prefix is one by components. */
function isWhole(prefix: string, uri: string): boolean {
  const rest = uri.slice(prefix.length)
  return prefix === '' || rest === '' || rest.startsWith('.') || prefix.endsWith('.')
}

/** The order of the specification, written down naively. */
function compare(one: Registration, other: Registration, order: readonly Match[]): number {
  if (one.match !== other.match) return order.indexOf(one.match) - order.indexOf(other.match)
  if (one.match === 'prefix') return other.procedure.length - one.procedure.length
  const runs = [one, other].map(({ procedure }) =>
    procedure.split('.').map((part) => (part === '' ? '1' : '0')),
  )
  return String(runs[0]).localeCompare(String(runs[1]))
}
