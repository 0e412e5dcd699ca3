import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sqlite } from '../../../packages/countersign/src/stores/sqlite.ts'
import { jwks } from '../../../packages/countersign/src/methods/index.ts'
import { expectRefusal, knock } from '../support/guard.ts'
import {
  accessToken,
  caep,
  connect,
  eventToken,
  form,
  issuer,
  issuerOf,
  logoutEvent,
  logoutToken,
  openStand,
  refusedLogout,
  sendEvent,
  sendLogout,
  set,
  ssf,
  type Members,
  type Stand,
} from './event-support.ts'
import { pairOf, type Pair } from './jwt-support.ts'

let pair: Pair
const folder = mkdtempSync(join(tmpdir(), 'countersign-events-'))
const file = join(folder, 'countersign.db')

beforeAll(async () => {
  pair = await pairOf('RS256')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('what was used before a restart, in a SQLite file', () => {
  test('is refused after it, and what it ended stays ended', async () => {
    const records = sqlite(file)
    const before = openStand(pair, { records })
    const access = await accessToken(pair, before, { sid: 's-1' })
    const logout = await logoutToken(pair, before, { claims: { sid: 's-1' } })
    const event = await eventToken(pair, before, `${caep}session-revoked`)
    expect((await sendLogout(before, logout)).status).toBe(200)
    expect((await sendEvent(before, event)).status).toBe(202)
    before.guard.close()
    await records.close()

    const reopened = sqlite(file)
    const after = openStand(pair, { records: reopened })
    expect(await sendLogout(after, logout)).toEqual(refusedLogout)
    expect((await sendEvent(after, event)).status).toBe(202)
    expect(after.journal.map(({ detail }) => detail)).toEqual(['logout_token replayed', 'secevent replayed'])
    expectRefusal(await knock(after.guard, { authorization: `Bearer ${access}` }), 'invalid_credential')
    await reopened.close()
  })

  test('counts once among processes that share it', async () => {
    const stores = [sqlite(file), sqlite(file), sqlite(file)]
    const stands = stores.map((records) => openStand(pair, { records }))
    const [first] = stands
    if (first === undefined) throw new Error('no stand')
    const logout = await logoutToken(pair, first)
    const answers = await Promise.all([...stands, ...stands].map((stand) => sendLogout(stand, logout)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 400, 400, 400, 400, 400])
    for (const store of stores) await store.close()
  })

  test('is forgotten once its age refuses it', async () => {
    const records = sqlite(file)
    const stand = openStand(pair, { records })
    const logout = await logoutToken(pair, stand)
    await sendLogout(stand, logout)
    stand.clock.advance(200_000)
    expect(await records.sweep(stand.clock.now())).toBeGreaterThan(0)
    stand.calls.length = 0
    expect(await sendLogout(stand, logout)).toEqual(refusedLogout)
    expect(stand.calls).toEqual([])
    await records.close()
  })
})

describe('keys that an issuer publishes over HTTP', () => {
  let server: Server
  let fetches = 0

  afterEach(() => server.close())

  async function published(status = 200): Promise<Stand> {
    fetches = 0
    server = createServer((_request, response) => {
      fetches++
      response.writeHead(status, { 'content-type': 'application/jwk-set+json' })
      response.end(JSON.stringify({ keys: [pair.jwk] }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const keys = jwks({ url: `http://127.0.0.1:${String(port)}/jwks` })
    return openStand(pair, { issuers: { [issuer]: issuerOf(pair, { keys }) } })
  }

  test('verify its tokens, and are fetched once', async () => {
    const stand = await published()
    const lease = await connect(stand, await accessToken(pair, stand))
    for (let at = 0; at < 5; at++)
      expect((await sendLogout(stand, await logoutToken(pair, stand))).status).toBe(200)
    expect(lease.reason).toBe('logged_out')
    expect(fetches).toBe(1)
  })

  test('are not fetched for a flood of unknown kids', async () => {
    const stand = await published()
    const forged = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        logoutToken(pair, stand, { header: { kid: `kid-${String(at)}` } }),
      ),
    )
    const answers = await Promise.all(forged.map((token) => sendLogout(stand, token)))
    expect(answers).toEqual(forged.map(() => refusedLogout))
    for (const token of forged.slice(0, 10)) await sendLogout(stand, token)
    expect(fetches).toBe(1)
    expect((await sendLogout(stand, await logoutToken(pair, stand))).status).toBe(200)
  })

  test('that are out of reach are a wish to come again, and the token is as good then', async () => {
    const stand = await published(500)
    const token = await logoutToken(pair, stand)
    expect((await sendLogout(stand, token)).status).toBe(503)
    expect(stand.journal).toContainEqual(expect.objectContaining({ kind: 'error', detail: 'OutageError' }))
  })
})

describe('whatever is signed', () => {
  test('gets an answer of the specifications, and is no failure', async () => {
    const quick = await pairOf('ES256')
    const stand = openStand(quick)
    const name = fc.constantFrom(issuer, 'user-17', '', 'x'.repeat(300))
    const identifier = fc.record(
      {
        format: fc.oneof(
          fc.constantFrom('iss_sub', 'opaque', 'jwt_id', 'complex', 'aliases', 'email'),
          fc.jsonValue(),
        ),
        iss: name,
        sub: fc.oneof(name, fc.jsonValue()),
        jti: name,
        id: name,
        user: fc.jsonValue(),
        session: fc.jsonValue(),
        identifiers: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const event = fc.oneof(
      fc.record(
        {
          event_timestamp: fc.oneof(fc.double(), fc.jsonValue()),
          claims: fc.jsonValue(),
          credential_type: fc.constantFrom('password', 'x509'),
          change_type: fc.oneof(fc.constantFrom('revoke', 'create'), fc.jsonValue()),
          state: fc.jsonValue(),
          status: fc.constantFrom('paused', 'gone'),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    )
    const uri = fc.constantFrom(
      ...['session-revoked', 'token-claims-change', 'credential-change'].map((one) => `${caep}${one}`),
      ...['verification', 'stream-updated'].map((one) => `${ssf}${one}`),
      logoutEvent,
    )
    const claims = fc.record(
      {
        sub_id: fc.oneof(identifier, fc.jsonValue()),
        events: fc.oneof(fc.dictionary(uri, event, { maxKeys: 3 }), fc.jsonValue()),
        iat: fc.oneof(fc.constant(stand.seconds()), fc.double(), fc.jsonValue()),
        sub: fc.oneof(name, fc.jsonValue()),
        sid: fc.oneof(name, fc.jsonValue()),
        exp: fc.oneof(fc.constant(stand.seconds() + 60), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    const seen = new Set<number>()
    await fc.assert(
      fc.asyncProperty(claims, fc.boolean(), async (changes, asLogout) => {
        const finite = JSON.parse(JSON.stringify(changes)) as Members
        const answer = asLogout
          ? await sendLogout(stand, await logoutToken(quick, stand, { claims: { ...finite } }))
          : await sendEvent(stand, await eventToken(quick, stand, logoutEvent, { claims: { ...finite } }))
        seen.add(answer.status)
        expect([200, 202, 400]).toContain(answer.status)
      }),
      // Without these it is left to luck whether every answer is among them.
      {
        numRuns: 1_000,
        examples: [
          [{}, true],
          [{}, false],
          [{ iat: 'never' }, true],
        ],
      },
    )
    expect(seen).toEqual(new Set([200, 202, 400]))
    expect(stand.journal.filter(({ kind, reason }) => kind === 'error' && reason === 'internal')).toEqual([])
  })
})

describe('whatever is sent', () => {
  test('gets an answer of the specifications, and ends nothing', async () => {
    const stand = openStand(pair)
    const lease = await connect(stand, await accessToken(pair, stand))
    const good = await logoutToken(pair, stand, { claims: { aud: 'another' } })
    const part = fc.constantFrom(...good.split('.'), '.', 'logout_token=', '&', '=', 'e30', '%2e', ' ')
    const body = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
    )
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom(form, set), async (text, type) => {
        const { status } = await stand.events.receive(text, type)
        expect(status).toBe(400)
      }),
      { numRuns: 500 },
    )
    expect(lease.ended).toBe(false)
  })
})
