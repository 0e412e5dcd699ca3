import { describe, expect, test } from 'vitest'
import { transportFacts, withoutSecrets } from '../../../packages/countersign/src/wire/transport-facts.ts'
import { certificateOf } from '../support/certificates.ts'

const source = {
  framing: 'websocket',
  serializer: 'json',
  subprotocol: 'wamp.2.json',
  address: '203.0.113.7',
  port: 50_000,
  secure: true,
  headersReceived: { host: 'h', cookie: 'cbtid=secret', 'sec-websocket-protocol': 'wamp.2.json, secret' },
  headersSent: { 'set-cookie': 'cbtid=secret', 'sec-websocket-accept': 'a' },
  certificate: certificateOf(),
  channels: { 'tls-exporter': 'ab'.repeat(32) },
} as const

describe('facts of a transport', () => {
  test('have the members of both shapes, and no secret', () => {
    const facts = transportFacts(source)
    expect(facts).toMatchObject({
      type: 'websocket',
      protocol: 'wamp.2.json',
      websocket_protocol: 'wamp.2.json',
      channel_type: 'tls',
      channel_framing: 'websocket',
      channel_serializer: 'json',
      channel_id: { 'tls-exporter': 'ab'.repeat(32) },
      peer: 'tcp4:203.0.113.7:50000',
      is_secure: true,
      peer_cert: {
        sha1: Array(20).fill('CD').join(':'),
        sha256: Array(32).fill('AB').join(':'),
        subject: { cn: 'alice' },
      },
      http_headers_received: { host: 'h', 'sec-websocket-protocol': 'wamp.2.json' },
      http_headers_sent: { 'sec-websocket-accept': 'a' },
      http_cbtid: null,
      cbtid: null,
    })
    expect(facts['client_cert']).toEqual(facts['peer_cert'])
    expect(JSON.stringify(facts)).not.toContain('secret')
  })

  test('of other sockets say what they are', () => {
    const bare = { ...source, secure: false, certificate: undefined, subprotocol: undefined } as const
    expect(transportFacts({ ...bare, address: '2001:db8::1', port: undefined })).toMatchObject({
      peer: 'tcp6:2001:db8::1:0',
      channel_type: 'tcp',
      peer_cert: null,
      protocol: null,
    })
    const unnamed = { ...bare, certificate: certificateOf({ commonName: undefined }) }
    expect(transportFacts({ ...unnamed, address: '::1' })['peer_cert']).toMatchObject({
      subject: { cn: null },
    })
    expect(transportFacts({ ...bare, address: 'unix' })).toMatchObject({
      peer: 'unix',
      channel_type: 'memory',
    })
  })

  test('hold what is passed on purpose', () => {
    expect(transportFacts(source, ['COOKIE'])).toMatchObject({
      http_headers_received: { cookie: 'cbtid=secret' },
    })
  })
})

test.each([[null], ['x'], [7], [undefined]])('%j is no fact', (value) => {
  expect(withoutSecrets(value, [])).toEqual({})
})

test('facts without headers stay as they are', () => {
  expect(withoutSecrets({ peer: 'p', http_headers_sent: null }, [])).toEqual({
    peer: 'p',
    http_headers_sent: null,
  })
})
