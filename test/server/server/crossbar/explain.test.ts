import { describe, expect, it } from 'vitest'
import { explainNode, nodeFacts } from '../../../../packages/server/src/server/crossbar/explain.ts'
import { nodeFindings } from '../../../../packages/server/src/server/crossbar/explain-findings.ts'
import { authority, frontend, node, nodeOf, users, websocket } from './mounted.ts'

const at = '/srv/.crossbar'

function wordsOf(config: object): string {
  return explainNode(nodeOf(config, at)).join('\n')
}

function findingsOf(config: object, dangerouslyAllowCleartext = false): readonly string[] {
  const text = JSON.stringify(config, undefined, 1)
  return nodeFindings(nodeOf(config, at), { text, dangerouslyAllowCleartext }).map(
    ({ level, message }) => `${level}: ${message}`,
  )
}

const ticket = { ticket: { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } } }
const everywhere = { endpoint: { type: 'tcp', port: 8080 } }

describe('the explanation', () => {
  it('says where it listens, who may join, and what roles may do', () => {
    const roles = [
      frontend,
      { name: 'nobody' },
      { name: 'asked', authorizer: 'com.example.authorize' },
      { name: 'wild', permissions: [{ uri: 'com.*.x', allow: { subscribe: true } }], x_trustlevel: 2 },
      authority,
    ]
    const words = wordsOf(node([websocket({ ...users({ joe: 'secret2' }), ...ticket })], roles))
    for (const said of [
      'Realm "realm1" (URIs are checked loosely):',
      'Role "nobody" may do nothing.',
      'Role "asked" asks com.example.authorize, and keeps answers by session.',
      'Role "wild" may subscribe on com.*.x, trust level 2.',
      'Role "authority" may register on com.example.authenticate.',
      'Transport WebSocket on 127.0.0.1:0, on this machine alone:',
      'Lets in: tickets, which travel in clear inside the connection (1 name listed).',
    ])
      expect(words).toContain(said)
    expect(words).not.toMatch(/secret2|abc/)
  })

  it('says what is asked, and in which order', () => {
    const sources = [
      { type: 'dynamic', authenticator: 'com.example.one', 'authenticator-realm': 'realm1' },
      { type: 'function', create: './auth.mjs#create' },
      { type: 'x_accounts' },
    ]
    const tls = { key: 'k', certificate: 'c' }
    const first = { type: 'static', users: {}, x_second_factor: 'ticket' }
    const words = wordsOf(
      node([
        { type: 'rawsocket', endpoint: { type: 'unix', path: 'raw.sock' }, auth: users({ joe: 'x' }) },
        websocket({ ticket: sources }, { endpoint: { type: 'tcp', port: 1, tls } }),
        websocket({ ticket: { type: 'static', principals: {} }, wampcra: first }),
      ]),
    )
    for (const said of [
      'rs+unix:///srv/.crossbar/raw.sock speaks json, msgpack, cbor; no browser can reach it.',
      'wss://0.0.0.0:1/ speaks',
      '(the procedure com.example.one decides on realm realm1; then the function create of /srv/.crossbar/auth.mjs decides; then accounts of the database)',
      'challenge-response (WAMP-CRA) (0 names listed), and then tickets',
    ])
      expect(words).toContain(said)
  })

  it('has the same as values', () => {
    expect(nodeFacts(nodeOf(node([websocket(ticket)]), at))).toMatchObject({
      routers: [{ transports: [{ url: 'ws://127.0.0.1:0/', methods: ['ticket'] }] }],
    })
  })
})

describe('findings', () => {
  it('warn of tickets in clear beyond this machine, whatever is decided about them', () => {
    expect(findingsOf(node([websocket(ticket, everywhere)]))).toEqual([
      expect.stringMatching(/^warning: .*ticket is for clients on this machine alone, since there is no TLS/),
    ])
    expect(findingsOf(node([websocket(ticket, everywhere)]), true)).toEqual([
      expect.stringContaining('whoever listens in can take them'),
    ])
    expect(findingsOf(node([websocket(ticket)]))).toEqual([])
    expect(findingsOf(node([websocket(users({ joe: 'x' }), everywhere)]))).toEqual([])
  })

  it('name files that are not there', () => {
    const auth = { ticket: { type: 'function', create: './auth.mjs#create' } }
    const tls = { key: 'key.pem', certificate: 'cert.pem', ca_certificates: ['ca.pem'] }
    const endpoint = { type: 'tcp', port: 1, tls }
    const socket = { endpoint: { type: 'unix', path: 'run/router.sock' } }
    const files = ['key.pem', 'cert.pem', 'ca.pem', 'auth.mjs', 'run']
    expect(findingsOf(node([websocket(auth, { endpoint }), websocket(users({ joe: 'x' }), socket)]))).toEqual(
      files.map((file) => `error: /srv/.crossbar/${file} does not exist`),
    )
  })

  it('say what has no effect', () => {
    const options = { auto_fragment_size: 1_000, fail_by_drop: true, auto_ping_size: 20 }
    const pings = {
      auto_ping_interval: 5_000,
      auto_ping_timeout: 9_000,
      auto_ping_restart_on_any_traffic: false,
    }
    expect(
      findingsOf(node([websocket(users({ joe: 'x' }), { id: 'main', options: { ...options, ...pings } })])),
    ).toEqual([
      'warning: transport main: without effect here: "auto_ping_timeout", "auto_ping_size", "auto_ping_restart_on_any_traffic", "auto_fragment_size", "fail_by_drop"',
    ])
  })

  it('say what has no effect in web transports and realms', () => {
    const web = {
      type: 'web',
      endpoint: { type: 'tcp', interface: '127.0.0.1', port: 0 },
      options: { access_log: true },
      paths: { '/': { type: 'static', directory: '/tmp', options: { enable_directory_listing: true } } },
    }
    const config = JSON.stringify(node([web])).replace(
      '"realm1"',
      '"realm1","options":{"event_dispatching_chunk_size":7},"stats":{}',
    )
    expect(findingsOf(JSON.parse(config) as object)).toEqual([
      'warning: without effect here: "access_log"; the journal has what matters',
      'warning: /: folders are not listed here',
      'warning: realm "realm1": stats are not published here',
      'warning: realm "realm1": without effect here: "event_dispatching_chunk_size"',
    ])
  })

  it('hold nothing against options with an effect', () => {
    const options = {
      auto_ping_interval: 5_000,
      auto_ping_timeout: 2_000,
      x_error_uris: 'crossbar',
      x_hello_timeout: 500,
    }
    expect(findingsOf(node([websocket(users({ joe: 'x' }), { options })]))).toEqual([])
  })

  it('name procedures that decide and that nobody may register', () => {
    const dynamic = { type: 'dynamic', authenticator: 'com.example.authenticate' }
    expect(findingsOf(node([websocket({ ticket: dynamic })]))).toEqual([
      'warning: com.example.authenticate: no role may register it: that takes an exact rule',
    ])
    expect(findingsOf(node([websocket({ ticket: dynamic })], [frontend, authority]))).toEqual([])
    const named = { ...dynamic, 'authenticator-realm': 'realm1', 'authenticator-role': 'authority' }
    const asked = { name: 'asked', authorizer: 'com.example.authorize' }
    expect(findingsOf(node([websocket({ ticket: named })], [authority, asked]))).toEqual([
      'warning: transport: without effect here: "authenticator-role"',
      'warning: com.example.authorize: no role of realm "realm1" may register it: that takes an exact rule',
    ])
  })
})
