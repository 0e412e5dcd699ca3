import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loggedIn, openSite, siteOrigin, type TestSite, type Visitor } from './support.ts'

const routes = [
  '/countersign/ticket',
  '/countersign/connect',
  '/countersign/preauth',
  '/countersign/challenge-secret',
  '/countersign/token',
  '/countersign/leases/some-lease/refresh',
  '/countersign/revoke',
  '/login',
] as const

const members = fc.constantFrom(
  'audience',
  'purpose',
  'subject',
  'roles',
  'origin',
  'credential',
  'uses',
  'username',
  'csrf',
)
const values = fc.oneof(
  fc.constantFrom('D2', 'frame', 'one', 'alice', siteOrigin),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
)
const bodies = fc.oneof(
  fc.dictionary(members, values).map((body) => JSON.stringify(body)),
  fc.json({ maxDepth: 6 }),
  fc.string({ unit: 'binary' }),
)
const types = fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain')

let site: TestSite
let visitor: Visitor

beforeAll(async () => {
  site = await openSite({ passwords: { hash: () => '', verify: () => 'wrong' } })
  const open = await openSite()
  visitor = await loggedIn(open)
})

describe('any body at any route', () => {
  it('gets an answer of the contract, never a failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), bodies, types, async (url, payload, type) => {
        const answer = await visitor.send({ method: 'POST', url, payload, headers: { 'content-type': type } })
        expect([200, 400, 401, 403, 404, 413, 415, 429]).toContain(answer.statusCode)
      }),
      { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1_000) / 2 },
    )
    expect((await visitor.get('/me')).statusCode).toBe(200)
  })

  it('changes nothing without a login', async () => {
    const headers = { host: 'localhost:8000', origin: siteOrigin, 'content-type': 'application/json' }
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes.slice(0, -1)), bodies, async (url, payload) => {
        const answer = await site.app.inject({ method: 'POST', url, payload, headers })
        expect([400, 401, 413]).toContain(answer.statusCode)
      }),
      { numRuns: 200 },
    )
  })
})
