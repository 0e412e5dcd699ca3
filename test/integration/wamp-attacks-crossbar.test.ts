import { describe, expect, test } from 'vitest'
import { authority, frontend, mount, urlOf, users, websocket } from '../server/server/crossbar/mounted.ts'
import { join, joined, shows, signs } from '../server/server/crossbar/wamp-client.ts'

const everything = {
  name: 'anonymous',
  permissions: [{ uri: '*', allow: { call: true, register: true, publish: true, subscribe: true } }],
}

/** Two realms: on `sandbox` strangers may do everything; `realm1` is for those whom a procedure lets in. */
function sandboxed(): object {
  const dynamic = { ticket: { type: 'dynamic', authenticator: 'com.example.authenticate' } }
  const realms = [
    { name: 'realm1', roles: [frontend, authority] },
    { name: 'sandbox', roles: [everything, frontend] },
  ]
  const transports = [
    websocket({ ...dynamic, anonymous: { type: 'static', role: 'anonymous' } }),
    websocket(users({ judge: 'a secret' }, 'authority')),
  ]
  return { version: 2, workers: [{ type: 'router', realms, transports }] }
}

describe('a stranger who may do everything on one realm', () => {
  test('cannot register there what judges who joins, under any policy', async () => {
    const url = urlOf(await mount(sandboxed()))
    const thief = await joined(url, { realm: 'sandbox' })
    for (const [uri, options] of [
      ['com.example.authenticate', {}],
      ['com.example.authenticate', { force_reregister: true }],
      ['com.example.authenticate', { match: 'prefix' }],
      ['com.example.', { match: 'prefix' }],
      ['com..authenticate', { match: 'wildcard' }],
    ] as const) {
      expect(await thief.request(64, options, uri)).toMatchObject({ 0: 8, 4: 'wamp.error.not_authorized' })
    }
    expect((await thief.request(48, {}, 'com.example.authenticate')).slice(0, 1)).toEqual([8])
    const victim = await join(url, {
      realm: 'sandbox',
      methods: ['ticket'],
      authid: 'root',
      answer: shows('x'),
    })
    expect(victim.kind).not.toBe('joined')
  })

  test('has no way to the other realm', async () => {
    const url = urlOf(await mount(sandboxed()))
    expect(await join(url, { realm: 'realm1' })).toMatchObject({
      kind: 'aborted',
      reason: 'wamp.error.no_such_role',
    })
  })
})

describe('names that every object has, in a configuration', () => {
  test.each(['__proto__', 'constructor', 'toString'])(
    'are users like others, or nobody: %s',
    async (name) => {
      const auth = users({ joe: 'secret2' })
      const url = urlOf(await mount({ version: 2, workers: [worker(auth)] }))
      const who = { methods: ['wampcra'], authid: name, answer: signs('undefined') }
      expect(await join(url, who)).toMatchObject({
        kind: 'aborted',
        reason: 'wamp.error.authentication_denied',
      })
      expect(await join(url, { realm: name })).toMatchObject({ kind: 'aborted' })
    },
  )
})

function worker(auth: object): object {
  return { type: 'router', realms: [{ name: 'realm1', roles: [frontend] }], transports: [websocket(auth)] }
}
