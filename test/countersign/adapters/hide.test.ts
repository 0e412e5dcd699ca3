import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
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
  let distinct: Record<string, string[]> | undefined
  const double = {
    url,
    headers,
    rawHeaders: [...rawHeaders],
    /** As in Node: made at the first look, of as many headers as there once were, and whenever there is none. */
    get headersDistinct() {
      if (distinct === undefined) {
        distinct = {}
        for (let at = 0; at < rawHeaders.length; at += 2)
          (distinct[this.rawHeaders[at]?.toLowerCase() ?? 'none'] ??= []).push(
            this.rawHeaders[at + 1] ?? 'none',
          )
      }
      return distinct
    },
    set headersDistinct(value) {
      distinct = value
    },
  }
  // A test double: the rest of a request is never touched.
  return double as unknown as IncomingMessage
}

/** What `look` sees of a request that Node itself has received with these header lines. */
async function received<T>(lines: readonly string[], look: (request: IncomingMessage) => T): Promise<T> {
  const server = createServer()
  const seen = Promise.withResolvers<T>()
  server.on('upgrade', (one, socket) => {
    seen.resolve(look(one))
    socket.destroy()
  })
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const head = [
    'GET /?ticket=x HTTP/1.1',
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    ...lines,
    '',
    '',
  ]
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(head.join('\r\n'))
  try {
    return await seen.promise
  } finally {
    socket.destroy()
    server.close()
  }
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

  test.each([
    ['is rewritten', ['Cookie: sid=x; b=1'], { cookie: ['b=1'] }],
    ['is dropped', ['Cookie: sid=x', 'X-After: c'], { 'x-after': ['c'] }],
    ['stands twice', ['Cookie: b=1', 'Cookie: sid=x; d=2'], { cookie: ['b=1', 'd=2'] }],
  ])('agrees with Node about its own requests where a field %s', async (_case, lines, kept) => {
    const fresh = await received(lines, (one) => {
      hide(one, all)
      return { ...one.headersDistinct }
    })
    const readBefore = await received(lines, (one) => {
      expect(JSON.stringify(one.headersDistinct)).toContain('sid=x')
      hide(one, all)
      return { ...one.headersDistinct }
    })
    expect(fresh).toEqual({ host: ['a'], connection: ['Upgrade'], upgrade: ['websocket'], ...kept })
    expect(readBefore).toEqual(fresh)
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
