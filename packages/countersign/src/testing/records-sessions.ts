/** Sessions and API keys: found until they are ended. */
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleApiKey, sampleHash, sampleSession } from './rows.ts'
import { expectEqual } from './suite.ts'

/**
 * Behaviours of sessions and of API keys: found as they were put, judged by their finder, ended with
 * everything that descends from them.
 */
export const sessionCases: RecordsCases = {
  async 'finds a session as it was put, again and again'(records) {
    const bare = sampleSession()
    const full = sampleSession({
      purpose: 'frame',
      root: 's-1',
      origin: 'https://app.example.com',
      expiresAtMs: Infinity,
      idleMs: Infinity,
      roles: [],
    })
    for (const row of [bare, full]) {
      await records.putSession(row)
      expectEqual(await records.findSession(row.key), row, 'the session')
      expectEqual(await records.findSession(row.key), row, 'the session, found again')
    }
    expectEqual(await records.findSession(sampleHash()), undefined, 'an unknown session')
  },
  async 'finds an expired session, whose finder is to judge it'(records) {
    const row = sampleSession({ expiresAtMs: 1 })
    await records.putSession(row)
    expectEqual(await records.findSession(row.key), row, 'the expired session')
  },
  async 'moves the time a session was last seen forward and never back'(records) {
    const row = sampleSession()
    await records.putSession(row)
    await records.touchSession(row.key, issuedAtMs + 5000)
    await records.touchSession(row.key, issuedAtMs + 4000)
    const expected = { ...row, lastSeenMs: issuedAtMs + 5000 }
    expectEqual(await records.findSession(row.key), expected, 'the session')
  },
  async 'ignores the touch of an unknown session'(records) {
    const key = sampleHash()
    await records.touchSession(key, issuedAtMs)
    expectEqual(await records.findSession(key), undefined, 'the unknown session')
  },
  async 'ends a login session with its children and no other'(records) {
    const login = sampleSession()
    const child = sampleSession({ purpose: 'frame', root: login.id })
    const alias = sampleSession({ purpose: 'alias', root: login.id })
    const other = sampleSession()
    for (const row of [login, child, alias, other]) await records.putSession(row)
    await records.endSessions(login.root)
    for (const { key } of [login, child, alias]) {
      expectEqual(await records.findSession(key), undefined, 'a session that was ended')
    }
    expectEqual(await records.findSession(other.key), other, 'the session of another login')
    await records.endSessions(login.root)
  },
  async 'sweeps sessions that were silent for too long'(records) {
    const silent = sampleSession({ idleMs: 1000 })
    const seen = sampleSession({ idleMs: 1000 })
    for (const row of [silent, seen]) await records.putSession(row)
    await records.touchSession(seen.key, issuedAtMs + 500)
    expectEqual(await records.sweep(issuedAtMs + 1001), 1, 'rows swept')
    expectEqual(await records.findSession(silent.key), undefined, 'the silent session')
  },
  async 'finds and lists API keys as they were put'(records) {
    const rows = [
      sampleApiKey(),
      sampleApiKey({ roles: ['a', 'b'], scopes: [], expiresAtMs: issuedAtMs + 1 }),
    ]
    for (const row of rows) {
      await records.putApiKey(row)
      expectEqual(await records.findApiKey(row.key), row, 'the API key')
    }
    const byId = (one: { readonly id: string }, other: { readonly id: string }): number =>
      one.id < other.id ? -1 : 1
    expectEqual([...(await records.listApiKeys())].sort(byId), rows.sort(byId), 'all API keys')
    expectEqual(await records.findApiKey(sampleHash()), undefined, 'an unknown API key')
  },
  async 'ends an API key by its id, once'(records) {
    const row = sampleApiKey()
    const other = sampleApiKey()
    for (const one of [row, other]) await records.putApiKey(one)
    expectEqual(await records.endApiKey(row.id), true, 'the first ending')
    expectEqual(await records.endApiKey(row.id), false, 'the second ending')
    expectEqual(await records.findApiKey(row.key), undefined, 'the API key that was ended')
    expectEqual(await records.listApiKeys(), [other], 'the API keys that are left')
  },
  async 'sweeps expired API keys and keeps those without an end'(records) {
    const lasting = sampleApiKey()
    for (const row of [lasting, sampleApiKey({ expiresAtMs: issuedAtMs + 1 })]) await records.putApiKey(row)
    expectEqual(await records.sweep(issuedAtMs + 1), 1, 'rows swept')
    expectEqual(await records.listApiKeys(), [lasting], 'the API keys that are left')
  },
}
