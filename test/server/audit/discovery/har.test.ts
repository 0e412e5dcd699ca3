import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHar } from '../../../../packages/server/src/audit/discovery/har.ts'

const entry = {
  _initiator: { type: 'script', url: 'https://app.example.com/' },
  _webSocketMessages: [
    { type: 'send', time: 1, opcode: 1, data: '{"type":"hello"}' },
    { type: 'receive', time: 2, opcode: 1, data: '{"type":"welcome"}' },
    { type: 'send', time: 3, opcode: 2, data: 'AAAA' },
    { type: 'send', time: 4, opcode: 1, data: '{"type":"say","text":"hi"}' },
  ],
  request: {
    url: 'wss://app.example.com/socket',
    headers: [
      { name: 'Cookie', value: 'sid=1' },
      { name: ':method', value: 'GET' },
    ],
  },
}

const har = (...entries: readonly unknown[]): string => JSON.stringify({ log: { version: '1.2', entries } })

describe('a HAR file', () => {
  it('gives the first socket, its page and what was sent as text', () => {
    const page = { request: { url: 'https://app.example.com/', headers: [] } }
    expect(parseHar(har(page, entry))).toEqual({
      url: 'wss://app.example.com/socket',
      headers: [['Cookie', 'sid=1']],
      page: 'https://app.example.com/',
      sent: ['{"type":"hello"}', '{"type":"say","text":"hi"}'],
    })
  })

  it('may name the socket by the scheme of HTTP', () => {
    const other = { ...entry, request: { ...entry.request, url: 'https://app.example.com/socket' } }
    expect(parseHar(har(other))?.url).toBe('wss://app.example.com/socket')
  })

  it.each([
    '',
    '{}',
    '{"log":{}}',
    har(),
    har({ request: { url: 'https://app.example.com/' } }),
    har(null, 3),
  ])('holds no socket: %s', (text) => {
    expect(parseHar(text)).toBeUndefined()
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        parseHar(`{"log":{"entries":[${text}]}}`)
      }),
    )
  })
})
