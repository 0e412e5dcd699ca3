import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { hide } from '../../../packages/countersign/src/adapters/http.ts'
import { nothingHidden, type Hiding } from '../../../packages/countersign/src/core/carrier.ts'

/** A request of Node as far as `hide` looks at it. */
function request(url: string | undefined, rawHeaders: readonly string[]): IncomingMessage {
  const headers: Record<string, string> = {}
  for (const [at, text] of rawHeaders.entries()) {
    const name = rawHeaders[at - 1]?.toLowerCase() ?? ''
    if (at % 2 === 1)
      headers[name] =
        headers[name] === undefined ? text : `${headers[name]}${name === 'cookie' ? '; ' : ', '}${text}`
  }
  // A test double: the rest of a request is never touched.
  return { url, headers, rawHeaders: [...rawHeaders], headersDistinct: {} } as unknown as IncomingMessage
}

const all: Hiding = {
  query: ['ticket'],
  paths: ['/connect/'],
  cookies: ['sid'],
  headers: ['authorization'],
  subprotocols: true,
}

describe('hiding', () => {
  test('takes a credential out of the path, whatever is in the query', () => {
    const one = request('/connect/secret?a=1&ticket=x', [])
    hide(one, all)
    expect(one.url).toBe('/connect/?a=1')
    hide(one, all)
    expect(one.url).toBe('/connect/?a=1')
  })

  test('takes credentials out of URL, headers and raw headers, and nothing else', () => {
    const one = request('/?a=1&ticket=x', [
      'Host',
      'a',
      'COOKIE',
      'sid=x',
      'Cookie',
      'b=1; sid=x',
      'authorization',
      'Bearer x',
      'Sec-WebSocket-Protocol',
      'v1, bearer, x',
    ])
    hide(one, all)
    expect(one.url).toBe('/?a=1')
    expect(one.headers).toEqual({
      host: 'a',
      cookie: 'b=1',
      authorization: undefined,
      'sec-websocket-protocol': 'v1',
    })
    expect(one.rawHeaders).toEqual(['Host', 'a', 'Cookie', 'b=1', 'Sec-WebSocket-Protocol', 'v1'])
    expect({ ...one.headersDistinct }).toEqual({
      host: ['a'],
      cookie: ['b=1'],
      'sec-websocket-protocol': ['v1'],
    })
  })

  test('leaves no copy of what was read before', () => {
    const one = request('/', ['Host', 'a', 'Cookie', 'sid=x; b=1'])
    one.headersDistinct = { host: ['a'], cookie: ['sid=x; b=1'] }
    hide(one, all)
    expect({ ...one.headersDistinct }).toEqual({ host: ['a'], cookie: ['b=1'] })
  })

  test('keeps equal headers apart', () => {
    const one = request('/', ['Accept', 'a', 'Accept', 'b', 'Authorization', 'x'])
    hide(one, all)
    expect({ ...one.headersDistinct }).toEqual({ accept: ['a', 'b'] })
  })

  test('leaves a request alone that holds no credential', () => {
    const lines = ['Host', 'a', 'Cookie', 'b=1', 'Sec-WebSocket-Protocol', 'v1']
    const one = request('/?a=1', lines)
    const { headersDistinct } = one
    hide(one, all)
    expect(one.rawHeaders).toEqual(lines)
    expect(one.headersDistinct).toBe(headersDistinct)
  })

  test('touches nothing where nothing is to be hidden', () => {
    const lines = ['Cookie', 'sid=x', 'Authorization', 'x', 'Sec-WebSocket-Protocol', 'bearer, x']
    const one = request('/?ticket=x', lines)
    hide(one, nothingHidden)
    expect([one.url, one.rawHeaders]).toEqual(['/?ticket=x', lines])
  })

  test('does without a URL and without headers', () => {
    const one = request(undefined, [])
    hide(one, all)
    expect(one.url).toBeUndefined()
  })

  test('leaves subprotocols that cannot be read: such a handshake is refused before', () => {
    const one = request('/', ['Sec-WebSocket-Protocol', 'a,,b'])
    hide(one, all)
    expect(one.rawHeaders).toEqual(['Sec-WebSocket-Protocol', 'a,,b'])
  })
})
