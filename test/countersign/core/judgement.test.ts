import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { judge, type Judgement } from '../../../packages/countersign/src/core/judgement.ts'
import {
  messagePolicy,
  type ActionRule,
  type Message,
  type MaybePromise,
  type Principal,
  type SchemaResult,
  type StandardSchema,
} from '../../../packages/countersign/src/index.ts'
import { parseJson } from '../../../packages/countersign/src/wire/json.ts'

const alice: Principal = {
  id: 'alice',
  roles: ['member'],
  realm: undefined,
  method: 'ticket',
  provider: 'records',
  claims: {},
}

/** A message as a socket would bring it. */
const parsed = (value: unknown): Message => {
  const json = parseJson(JSON.stringify(value), { maxBytes: 65_536, maxDepth: 16, refuseProto: true })
  if (json.kind !== 'found') throw new Error('no JSON')
  return json.value as Message
}

/** Judges one message under one row, and says what was thrown meanwhile. */
const judged = (
  row: Partial<ActionRule>,
  value: object,
  authorize: () => MaybePromise<boolean> = () => true,
): { readonly judgement: MaybePromise<Judgement>; readonly errors: unknown[] } => {
  const errors: unknown[] = []
  const policy = messagePolicy({ actions: { say: { roles: 'anyone', ...row } }, authorize })
  const rule = policy.ruleFor(alice, 'say')
  if (rule === undefined) throw new Error('no rule')
  const message = parsed({ type: 'say', ...value })
  const witness = { failed: (error: unknown) => void errors.push(error) }
  return { judgement: judge(policy, { rule, principal: alice, action: 'say', message }, witness), errors }
}

const handmade = (validate: (value: unknown) => MaybePromise<SchemaResult<unknown>>): StandardSchema => ({
  '~standard': { version: 1, vendor: 'test', validate },
})

const libraries: readonly (readonly [string, StandardSchema])[] = [
  ['zod', z.object({ type: z.string(), text: z.string().max(5), at: z.object({ x: z.number() }) })],
  [
    'valibot',
    v.object({ type: v.string(), text: v.pipe(v.string(), v.maxLength(5)), at: v.object({ x: v.number() }) }),
  ],
  ['arktype', type({ type: 'string', text: 'string <= 5', at: { x: 'number' } })],
]

describe.each(libraries)('a schema of %s', (_, schema) => {
  it('passes what it takes, at once', () => {
    expect(judged({ schema }, { text: 'hello', at: { x: 1 } }).judgement).toMatchObject({
      kind: 'passed',
      value: { text: 'hello', at: { x: 1 } },
    })
  })

  it('tells by path what it does not take, and repeats no value', () => {
    const { judgement, errors } = judged({ schema }, { text: 'swordfish', at: { x: 'hunter2' } })
    expect(judgement).toMatchObject({ kind: 'refused', reason: 'invalid_message' })
    expect(judgement).toHaveProperty(
      'issues',
      expect.arrayContaining([{ path: ['text'] }, { path: ['at', 'x'] }]),
    )
    expect(JSON.stringify(judgement)).not.toMatch(/swordfish|hunter2/)
    expect(errors).toEqual([])
  })
})

describe('what a schema makes of a message', () => {
  it.each<[string, StandardSchema]>([
    ['zod', z.object({ text: z.string().trim().default('nothing') })],
    ['valibot', v.object({ text: v.pipe(v.optional(v.string(), 'nothing'), v.trim()) })],
    ['arktype', type({ '+': 'delete', text: "string.trim = 'nothing'" })],
  ])('of %s is what the application receives, without the members that it does not name', (_, schema) => {
    expect(judged({ schema }, { text: ' hi ', priv: true }).judgement).toEqual({
      kind: 'passed',
      value: { text: 'hi' },
      resource: undefined,
    })
    expect(judged({ schema }, { priv: true }).judgement).toMatchObject({ value: { text: 'nothing' } })
  })

  it('is a refusal where it takes no further members', () => {
    const schema = z.strictObject({ type: z.literal('say') })
    expect(judged({ schema }, { priv: true }).judgement).toMatchObject({ reason: 'invalid_message' })
    expect(judged({ schema }, {}).judgement).toMatchObject({ kind: 'passed' })
  })

  it('may be awaited', async () => {
    const schema = z.object({ text: z.string().refine(async (text) => text === 'good') })
    const good = judged({ schema }, { text: 'good' })
    expect(good.judgement).toBeInstanceOf(Promise)
    expect(await good.judgement).toMatchObject({ kind: 'passed' })
    expect(await judged({ schema }, { text: 'bad' }).judgement).toMatchObject({
      reason: 'invalid_message',
      issues: [{ path: ['text'] }],
    })
  })

  it.each<[string, () => MaybePromise<SchemaResult<unknown>>]>([
    ['throws', () => { throw new TypeError('broken') }], // prettier-ignore
    ['rejects', async () => { throw new TypeError('broken') }], // prettier-ignore
    ['answers nothing', () => undefined as never],
    ['answers nothing later', async () => undefined as never],
    ['complains without complaints', () => ({ issues: [null] }) as never],
  ])('refuses when it %s, and the journal hears of it', async (_, validate) => {
    const { judgement, errors } = judged({ schema: handmade(validate) }, {})
    expect(await judgement).toEqual({ kind: 'refused', reason: 'invalid_message' })
    expect(errors).toHaveLength(1)
  })

  it('is told by at most four complaints, eight members deep, 64 characters each', () => {
    const path = Array.from({ length: 20 }, () => 'k'.repeat(1_000))
    const issues = Array.from({ length: 1_000 }, () => ({ message: 'secret', path }))
    const { judgement } = judged({ schema: handmade(() => ({ issues })) }, {})
    const told = Array.from({ length: 4 }, () => ({ path: Array.from({ length: 8 }, () => 'k'.repeat(64)) }))
    expect(judgement).toEqual({ kind: 'refused', reason: 'invalid_message', issues: told })
  })

  it('is told without symbols, and with keys that stand in objects', () => {
    const issues = [{ message: '', path: [{ key: 'a' }, Symbol('b'), 3] }, { message: '' }]
    expect(judged({ schema: handmade(() => ({ issues })) }, {}).judgement).toMatchObject({
      issues: [{ path: ['a', 3] }, { path: [] }],
    })
  })

  it('is not asked before the rules and the application have allowed', async () => {
    let asked = 0
    const schema = handmade((value) => {
      asked++
      return { value }
    })
    expect(judged({ schema }, {}, () => false).judgement).toMatchObject({ reason: 'forbidden' })
    expect(await judged({ schema }, {}, async () => false).judgement).toMatchObject({ reason: 'forbidden' })
    expect(
      judged({ schema, roles: { member: ['x'] }, resource: 'room' }, { room: 'y' }).judgement,
    ).toMatchObject({
      reason: 'forbidden',
    })
    expect(asked).toBe(0)
  })
})

describe('the resource of a message', () => {
  it.each<[string, ActionRule['resource'] & {}, object]>([
    ['a member', 'room', { room: 'lobby' }],
    ['a member of a member', 'target.room', { target: { room: 'lobby' } }],
    ['what a function says', (message) => message['a'], { a: 'lobby' }],
  ])('is %s', (_, resource, value) => {
    expect(judged({ resource }, value).judgement).toMatchObject({ kind: 'passed', resource: 'lobby' })
  })

  it.each<[string, object]>([
    ['nothing', {}],
    ['empty', { room: '' }],
    ['too long', { room: 'r'.repeat(257) }],
    ['a number', { room: 7 }],
    ['null', { room: null }],
    ['a list', { room: ['lobby'] }],
    ['an object', { room: { toString: 'lobby' } }],
  ])('that is %s makes the message malformed', (_, value) => {
    expect(judged({ resource: 'room' }, value).judgement).toEqual({
      kind: 'refused',
      reason: 'protocol_violation',
    })
  })

  it.each(['constructor.name', '__proto__.x', 'toString.name', 'room.length'])(
    'is not what is inherited: %s names none',
    (resource) => {
      expect(judged({ resource }, { room: 'lobby' }).judgement).toMatchObject({
        reason: 'protocol_violation',
      })
    },
  )

  it('that cannot be found without an error makes the message malformed, and the journal hears of it', () => {
    const resource = (message: Message): string => (message['a'] as { b: string }).b
    const { judgement, errors } = judged({ resource }, {})
    expect(judgement).toMatchObject({ reason: 'protocol_violation' })
    expect(errors).toHaveLength(1)
  })

  it('is the one that was decided upon, or the message does not pass', () => {
    const trims = z.object({ room: z.string().trim() })
    expect(judged({ resource: 'room', schema: trims }, { room: 'vault ' }).judgement).toEqual({
      kind: 'refused',
      reason: 'invalid_message',
    })
    const swaps = handmade((value) => {
      ;(value as { room: string }).room = 'vault'
      return { value }
    })
    expect(judged({ resource: 'room', schema: swaps }, { room: 'lobby' }).judgement).toMatchObject({
      kind: 'refused',
    })
    const renames = z.object({ room: z.string() }).transform(({ room }) => ({ where: room }))
    expect(judged({ resource: 'room', schema: renames }, { room: 'lobby' }).judgement).toMatchObject({
      value: { where: 'lobby' },
      resource: 'lobby',
    })
  })
})
