import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { MisuseError } from '../../../packages/countersign/src/core/errors.ts'
import type { Actions } from '../../../packages/countersign/src/core/policy-options.ts'
import {
  messagePolicy,
  type ActionMessage,
  type Message,
  type Policy,
  type PolicyOptions,
  type Principal,
} from '../../../packages/countersign/src/index.ts'
import { numRuns } from '../support/guard.ts'
import { stillClock } from '../support/clock.ts'

const someone = (...roles: readonly string[]): Principal => ({
  id: 'alice',
  roles,
  realm: undefined,
  method: 'ticket',
  provider: 'records',
  claims: {},
})

const chat = messagePolicy({
  actions: {
    'chat.send': { roles: ['member', 'admin'], resource: 'room' },
    'chat.*': { roles: ['admin'] },
    'chat.*.read': { roles: ['reader'] },
    'chat.ban': { roles: [] },
    hello: { roles: 'anyone' },
  },
})

describe('a policy', () => {
  it.each<[action: string, roles: string[], ruling: 'allow' | 'deny']>([
    ['chat.send', ['member'], 'allow'],
    ['chat.send', ['guest', 'member'], 'allow'],
    ['chat.send', ['guest'], 'deny'],
    ['chat.send', [], 'deny'],
    ['chat.rename', ['admin'], 'allow'],
    ['chat.rename', ['member'], 'deny'],
    ['chat.lobby.read', ['reader'], 'allow'],
    ['chat.lobby.read', ['admin'], 'deny'],
    ['chat.ban', ['admin'], 'deny'],
    ['hello', [], 'allow'],
    ['chat', ['admin'], 'deny'],
    ['chat.', ['admin'], 'deny'],
    ['chat..read', ['reader', 'admin'], 'deny'],
    ['other', ['admin', 'member', 'reader'], 'deny'],
    ['', ['admin'], 'deny'],
    ['Hello', [], 'deny'],
    ['__proto__', ['admin'], 'deny'],
    ['constructor', ['admin'], 'deny'],
  ])('rules about %j for %j: %s', (action, roles, ruling) => {
    expect(chat.decide(someone(...roles), action, action === 'chat.send' ? 'lobby' : undefined)).toBe(ruling)
  })

  it('refuses names that are no names even under a star alone', () => {
    const open = messagePolicy({ actions: { '*': { roles: 'anyone' } } })
    expect(open.decide(someone(), 'anything.at-all')).toBe('allow')
    for (const action of ['', 'a b', 'a..b', '.', 'a#', 'x'.repeat(257)]) {
      expect(open.decide(someone(), action), action).toBe('deny')
    }
  })

  it('denies where a resource is wanted and none, an empty or an endless one is named', () => {
    const { decide } = {
      decide: (resource?: string) => chat.decide(someone('member'), 'chat.send', resource),
    }
    expect([decide(), decide(''), decide('r'.repeat(257)), decide('r'.repeat(256))]).toEqual([
      'deny',
      'deny',
      'deny',
      'allow',
    ])
  })

  it('reads a name with a star as it stands where a match policy is given', () => {
    const odd = messagePolicy({ actions: { 'a.*': { roles: 'anyone', match: 'exact' } } })
    expect([odd.decide(someone(), 'a.*'), odd.decide(someone(), 'a.b')]).toEqual(['allow', 'deny'])
  })

  it('takes any name that is said to be exact as it stands, and under no pattern', () => {
    const chat = { roles: ['member'], match: 'exact' } as const
    const named = messagePolicy({ actions: { 'chat message': chat, '*': { roles: 'anyone' } } })
    expect(named.decide(someone('member'), 'chat message')).toBe('allow')
    expect(named.decide(someone('guest'), 'chat message')).toBe('deny')
    expect(named.decide(someone('member'), 'chat  message')).toBe('deny')
    expect(named.decide(someone('member'), 'Chat message')).toBe('deny')
  })

  it('gives each role the resources that are listed for it', () => {
    const rooms = messagePolicy({
      actions: {
        'room.join': { roles: { member: ['lobby', 'public.*'], staff: ['*'] }, resource: 'room' },
      },
    })
    const join = (role: string, room: string) => rooms.decide(someone(role), 'room.join', room)
    expect(join('member', 'lobby')).toBe('allow')
    expect(join('member', 'public.music')).toBe('allow')
    expect(join('member', 'public')).toBe('deny')
    expect(join('member', 'lobby.secret')).toBe('deny')
    expect(join('staff', 'vault')).toBe('allow')
    expect(join('guest', 'lobby')).toBe('deny')
  })
})

describe('the application’s decision', () => {
  const asked = (authorize: PolicyOptions['authorize'] & {}): Policy =>
    messagePolicy({ actions: { a: { roles: ['member'] } }, authorize })

  it('is asked only about what the rules allow', () => {
    const questions: unknown[] = []
    const policy = asked((principal, action, resource) => {
      questions.push([principal.id, action, resource])
      return true
    })
    expect(policy.decide(someone('guest'), 'a')).toBe('deny')
    expect(policy.decide(someone('member'), 'b')).toBe('deny')
    expect(questions).toEqual([])
    expect(policy.decide(someone('member'), 'a', 'thing')).toBe('allow')
    expect(questions).toEqual([['alice', 'a', 'thing']])
  })

  it.each([1, 'yes', 'true', {}, [], undefined, null, 0, 'deny', false, new Boolean(true), { allow: true }])(
    'denies by answering %j, now or later',
    async (answer) => {
      const given = answer as boolean
      expect(asked(() => given).decide(someone('member'), 'a')).toBe('deny')
      expect(await asked(async () => given).decide(someone('member'), 'a')).toBe('deny')
    },
  )

  it.each([true, 'allow' as const])('allows by answering %j, now or later', async (answer) => {
    expect(asked(() => answer).decide(someone('member'), 'a')).toBe('allow')
    expect(await asked(async () => answer).decide(someone('member'), 'a')).toBe('allow')
  })

  it('denies by failing, in whatever way', async () => {
    const fail = (): never => {
      throw new Error('no database')
    }
    expect(asked(fail).decide(someone('member'), 'a')).toBe('deny')
    expect(await asked(async () => fail()).decide(someone('member'), 'a')).toBe('deny')
    const thenable = { then: (_: unknown, no: (error: unknown) => void) => no('out of order') }
    expect(await asked(() => thenable as unknown as Promise<boolean>).decide(someone('member'), 'a')).toBe(
      'deny',
    )
  })

  it('that never comes is a denial when its time is over', async () => {
    const clock = stillClock()
    const policy = messagePolicy({
      actions: { a: { roles: 'anyone' } },
      authorize: () => new Promise(() => undefined),
      limits: { deadlineMs: 2_000 },
      clock,
    })
    const ruling = policy.decide(someone(), 'a')
    let settled = false
    void Promise.resolve(ruling).then(() => (settled = true))
    clock.advance(1_999)
    await Promise.resolve()
    expect(settled).toBe(false)
    clock.advance(1)
    expect(await ruling).toBe('deny')
    expect(clock.timers).toBe(0)
  })

  it('is no boolean, so that a forgotten await does not open anything', () => {
    const policy = asked(async () => true)
    expect(policy.decide(someone('member'), 'a') === 'allow').toBe(false)
  })
})

describe('a table that can mean nothing', () => {
  const wrong = (options: object, words: RegExp): void => {
    expect(() => messagePolicy(options as PolicyOptions)).toThrow(MisuseError)
    expect(() => messagePolicy(options as PolicyOptions)).toThrow(words)
  }
  const row = (name: string, members: object): object => ({ actions: { [name]: members } })

  it.each<[string, object, RegExp]>([
    ['without actions', {}, /actions is a table/],
    ['with no rows', { actions: {} }, /no message would ever pass/],
    ['with a row that is none', { actions: { a: null } }, /"a" is an object with roles/],
    ['with a misspelt member', row('a', { role: ['x'] }), /"a" has no member "role"/],
    [
      'with a misspelt option',
      { ...row('a', { roles: [] }), authorise: () => true },
      /no option "authorise"/,
    ],
    ['without roles', row('a', {}), /roles is a list, a table, or 'anyone'/],
    ['with a star for a role', row('a', { roles: ['*'] }), /say 'anyone'/],
    ['with everybody in a list', row('a', { roles: ['anyone'] }), /in place of the list/],
    [
      'with resources of everybody',
      row('a', { roles: { anyone: ['x'] }, resource: 'r' }),
      /in place of the list/,
    ],
    [
      'with a text for a list of resources',
      row('a', { roles: { m: 'x' }, resource: 'r' }),
      /a list of at most/,
    ],
    [
      'with an empty resource pattern',
      row('a', { roles: { m: [''] }, resource: 'r' }),
      /patterns of 1 to 256/,
    ],
    [
      'with an endless resource pattern',
      row('a', { roles: { m: ['x'.repeat(257)] }, resource: 'r' }),
      /patterns of 1 to 256/,
    ],
    [
      'with too many roles',
      row('a', { roles: Array.from({ length: 1_001 }, () => 'x') }),
      /at most 1000 roles/,
    ],
    ['with an empty role', row('a', { roles: [''] }), /list of names/],
    ['with an empty name', row('', { roles: [] }), /no name of dotted components/],
    ['with a blank in a name', row('a b', { roles: [] }), /no name of dotted components/],
    ['with an empty exact name', row('', { roles: [], match: 'exact' }), /no name of dotted components/],
    [
      'with a line feed in a name',
      row('a\nb', { roles: [], match: 'exact' }),
      /no name of dotted components/,
    ],
    [
      'with an endless name',
      row('a'.repeat(257), { roles: [], match: 'exact' }),
      /no name of dotted components/,
    ],
    ['with an unknown match', row('a', { roles: [], match: 'regex' }), /exact, prefix or wildcard/],
    [
      'with resources of roles, and nowhere to find one',
      row('a', { roles: { m: ['x'] } }),
      /does not say where/,
    ],
    [
      'with a resource pattern that is none',
      row('a', { roles: { m: ['a b'] }, resource: 'r' }),
      /no pattern of resources/,
    ],
    ['with a resource that is no path', row('a', { roles: [], resource: 'a..b' }), /a path of at most 8/],
    ['with the type as a resource', row('a', { roles: [], resource: 'type' }), /the type itself/],
    ['with a number for a resource', row('a', { roles: [], resource: 7 }), /path of a member, or a function/],
    ['with a schema that is none', row('a', { roles: [], schema: { parse: () => 1 } }), /Standard Schema/],
    ['with a rate of none', row('a', { roles: [], rate: { max: 0, intervalMs: 1 } }), /"a": rate: max/],
    ['with an unknown limit', { ...row('a', { roles: [] }), limits: { maxbytes: 1 } }, /no limit "maxbytes"/],
    [
      'with an endless deadline',
      { ...row('a', { roles: [] }), limits: { deadlineMs: Infinity } },
      /deadlineMs/,
    ],
    [
      'with a queue for less than one message',
      { ...row('a', { roles: [] }), limits: { maxQueuedBytes: 10 } },
      /maxQueuedBytes/,
    ],
    [
      'with a decision that is no function',
      { ...row('a', { roles: [] }), authorize: true },
      /authorize is a function/,
    ],
    ['with a word for binary', { ...row('a', { roles: [] }), binary: 'all' }, /binary is a list/],
    [
      'with too many rows',
      { actions: Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`a${n}`, { roles: [] }])) },
      /at most 1000/,
    ],
  ])('%s is misuse', (_, options, words) => {
    wrong(options, words)
  })

  it('because two rows are the same pattern is misuse', () => {
    wrong(
      { actions: { 'a.*': { roles: ['x'] }, 'a.': { roles: ['y'], match: 'prefix' } } },
      /"a\." is the same pattern as "a\.\*"/,
    )
  })
})

/** Parts of names; few, so that patterns cover them often. */
const part = fc.constantFrom('a', 'b', 'cc')
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
const pattern = fc
  .array(fc.oneof(part, fc.constant('*')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'))
const role = fc.constantFrom('x', 'y', 'z')

/** What a star says, by regular expressions. */
const covered = (text: string, action: string): boolean => {
  const last = text.indexOf('*') === text.length - 1 && text.includes('*')
  const source = text
    .split('*')
    .join(last ? '.*' : '[^.]+')
    .replaceAll(/(?<!\[\^)\.(?![*+\]])/g, '\\.')
  return new RegExp(`^${source}$`).test(action)
}

const kind = (text: string): number =>
  !text.includes('*') ? 0 : text.indexOf('*') === text.length - 1 ? 2 : 1

/** The literal runs of a wildcard, from the left, with which of two is told. */
const runs = (text: string): number[] => {
  const found: number[] = []
  for (const run of text.match(/[^*]+/g) ?? []) {
    const parts = run.split('.').filter((one) => one !== '').length
    if (parts > 0) found.push(parts)
  }
  return found
}

const moreSpecific = (one: string, other: string): number => {
  if (kind(one) !== kind(other)) return kind(one) - kind(other)
  if (kind(one) === 2) return other.length - one.length
  const [mine, theirs] = [runs(one), runs(other)]
  for (let at = 0; at < 5; at++)
    if ((mine[at] ?? 0) !== (theirs[at] ?? 0)) return (theirs[at] ?? 0) - (mine[at] ?? 0)
  const shape = (text: string): string =>
    text
      .split('.')
      .map((p) => (p === '*' ? 'b' : 'a'))
      .join('')
  return shape(one) < shape(other) ? -1 : 1
}

describe('which row decides', () => {
  it('is what a naive reading of the table says', () => {
    const tables = fc.uniqueArray(fc.record({ name: pattern, roles: fc.uniqueArray(role) }), {
      selector: (row) => row.name,
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(tables, name, fc.uniqueArray(role), (rows, action, roles) => {
        const policy = messagePolicy({
          actions: Object.fromEntries(
            rows.map((row): [string, Actions[string]] => [row.name, { roles: row.roles }]),
          ),
        })
        const [first] = rows
          .filter((row) => covered(row.name, action))
          .toSorted((one, other) => moreSpecific(one.name, other.name))
        const allowed = first !== undefined && roles.some((one) => first.roles.includes(one))
        expect(policy.decide(someone(...roles), action)).toBe(allowed ? 'allow' : 'deny')
      }),
      { numRuns },
    )
  })

  it('never allows what no row that covers it lists', () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { minLength: 1 }), fc.string(), (names, action) => {
        const policy = messagePolicy({
          actions: Object.fromEntries(names.map((one): [string, Actions[string]] => [one, { roles: ['x'] }])),
        })
        expect(policy.decide(someone('y'), action)).toBe('deny')
        const open = names.some((one) => covered(one, action))
        expect(open || policy.decide(someone('x'), action) === 'deny').toBe(true)
      }),
      { numRuns: Math.min(numRuns, 2_000) },
    )
  })
})

describe('the compiler', () => {
  it('knows what each row lets through', () => {
    const policy = messagePolicy({
      actions: {
        'chat.send': { roles: ['member'], resource: 'room', schema: z.object({ text: z.string() }) },
        'chat.*': { roles: ['admin'] },
      },
    })
    type Passed = ActionMessage<typeof policy.actions>
    type Sent = Extract<Passed, { rule: 'chat.send' }>
    type Other = Extract<Passed, { rule: 'chat.*' }>
    expectTypeOf<Sent['value']>().toEqualTypeOf<{ text: string }>()
    expectTypeOf<Sent['resource']>().toEqualTypeOf<string>()
    expectTypeOf<Other['value']>().toEqualTypeOf<Message>()
    expectTypeOf<Other['resource']>().toEqualTypeOf<undefined>()
    expectTypeOf<ActionMessage['value']>().toEqualTypeOf<unknown>()
    expectTypeOf(policy).toExtend<Policy>()
  })
})
