import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as bodies from '../../../packages/server/src/server/bodies.ts'
import { revokeBody } from '../../../packages/server/src/server/revocation-body.ts'

const numRuns = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)
const { readBody } = bodies

const shapes = [
  ['login', bodies.loginBody],
  ['logout', bodies.logoutBody],
  ['ticket', bodies.ticketBody],
  ['connect and token', bodies.audienceBody],
  ['preauth and challenge-secret', bodies.secretBody],
  ['refresh', bodies.refreshBody],
  ['revoke', revokeBody],
  ['exchange', bodies.exchangeBody],
] as const

const members = [
  'username',
  'password',
  'csrf',
  'audience',
  'purpose',
  'subject',
  'roles',
  'origin',
  'uses',
  'credential',
  'session',
  'token',
  'lease',
  'api_key',
  'role',
  'certificate',
  'serial',
  'issuer',
  'address',
  'margin',
  'reason',
  'issued_before',
  'ticket',
  '__proto__',
  'constructor',
] as const
const values = fc.oneof(
  fc.constantFrom('D2', 'frame', 'one', 'session', ['user'], '', null),
  fc.string(),
  fc.constant('x'.repeat(20_000)),
  fc.jsonValue({ maxDepth: 2 }),
)
/** One good body for each route, so that every shape is seen to take something. */
const good = fc.constantFrom<object>(
  { username: 'alice', password: 'wonderland' },
  { audience: 'D2', purpose: 'frame', subject: 'alice', roles: ['user'], origin: 'https://app.example.com' },
  { uses: 'one' },
  { credential: 'cst_x' },
  { subject: 'alice' },
  { ticket: 'cst_x', origin: 'https://app.example.com' },
  {},
)
const anything = fc.oneof(
  good,
  fc.dictionary(fc.constantFrom(...members), values, { maxKeys: 4, noNullPrototype: false }),
  fc.anything(),
)

/** Longest text anywhere in a value. */
function longest(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Math.max(0, ...Object.values(value).map(longest))
}

/** What was read holds the members that came, no others, within their bounds. */
function expectSound(read: object, body: unknown): void {
  const names = Object.keys(read)
  expect(members.slice(0, -2)).toEqual(expect.arrayContaining(names))
  expect(names.length).toBe(Object.keys(body ?? {}).length)
  expect(longest(read)).toBeLessThanOrEqual(16_000)
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
}

describe('a body', () => {
  it('is read or not, whatever comes and whatever the route, and what was read is known and bounded', () => {
    const read = new Set<string>()
    fc.assert(
      fc.property(anything, (body) => {
        for (const [name, shape] of shapes) {
          const value: object | undefined = readBody<object>(shape, body)
          if (value === undefined) continue
          read.add(name)
          expectSound(value, body)
        }
      }),
      { numRuns },
    )
    expect(read).toEqual(new Set(shapes.map(([name]) => name)))
  })
})
