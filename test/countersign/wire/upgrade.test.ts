import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { checkUpgrade, type UpgradeRequest } from '../../../packages/countersign/src/wire/upgrade.ts'
import { anyText, numRuns } from './support.ts'

const good: readonly (readonly [string, string])[] = [
  ['Host', 'example.com'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]

/** A request as Node shows it: a later header of a name is dropped or joined, and stays in `rawHeaders`. */
function request(
  headers: readonly (readonly [string, string])[],
  rest: Partial<UpgradeRequest> = {},
): UpgradeRequest {
  return {
    method: 'GET',
    httpVersion: '1.1',
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    rawHeaders: headers.flat(),
    ...rest,
  }
}

function changed(name: string, value: string | undefined): UpgradeRequest {
  const others = good.filter(([other]) => other.toLowerCase() !== name.toLowerCase())
  return request(value === undefined ? others : [...others, [name, value]])
}

/** True when `ws` itself completes this handshake. */
function wsAccepts({ method, headers, rawHeaders }: UpgradeRequest): boolean {
  const server = new WebSocketServer({ noServer: true })
  const socket = new Socket()
  socket.write = () => true
  const message = new IncomingMessage(socket)
  Object.assign(message, { method, headers, rawHeaders, url: '/' })
  let opened = false
  // ws looks at both ends before it writes; a socket without a connection has to say that it is open.
  Object.defineProperties(socket, { readable: { value: true }, writable: { value: true } })
  server.handleUpgrade(message, socket, Buffer.alloc(0), () => (opened = true))
  socket.destroy()
  return opened
}

describe('checkUpgrade', () => {
  it('accepts an opening handshake', () => {
    expect(checkUpgrade(request(good))).toBe('ok')
  })

  it.each([
    ['upgrade', 'WebSocket'],
    ['connection', 'keep-alive, UPGRADE'],
    ['origin', 'https://a.example'],
    ['authorization', 'Bearer a'],
    ['sec-websocket-protocol', 'a, b'],
    ['content-length', '0'],
    ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
    ['Cookie', 'Host=a; Origin=b'],
  ])('accepts %s: %s', (name, value) => {
    expect(checkUpgrade(changed(name, value))).toBe('ok')
  })

  it.each([
    ['Upgrade', undefined],
    ['Upgrade', 'h2c'],
    ['Upgrade', 'websocket, h2c'],
    ['Connection', undefined],
    ['Connection', 'keep-alive'],
    ['Connection', 'upgraded'],
    ['Host', undefined],
    ['Sec-WebSocket-Key', undefined],
    ['Sec-WebSocket-Key', ''],
    ['Sec-WebSocket-Key', 'c2hvcnQ='],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZR=='],
    ['Sec-WebSocket-Protocol', 'a, a'],
    ['Sec-WebSocket-Protocol', ''],
    ['Sec-WebSocket-Extensions', 'a;b="\\c\\'],
    ['Content-Length', '1'],
    ['Transfer-Encoding', 'chunked'],
  ])('answers 400 to %s: %s', (name, value) => {
    expect(checkUpgrade(changed(name, value))).toMatchObject({ status: 400, headers: {} })
  })

  it.each(['Host', 'ORIGIN', 'authorization', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version'])(
    'answers 400 to %s given twice',
    (name) => {
      const value = good.find(([other]) => other === name)?.[1] ?? 'x'
      const twice = [
        ...good.filter(([other]) => other !== name),
        [name, value],
        [name.toLowerCase(), value],
      ] as const
      expect(checkUpgrade(request(twice))).toEqual({ status: 400, why: 'repeated header', headers: {} })
    },
  )

  it('answers 400 when a header came as a list', () => {
    for (const name of ['upgrade', 'connection', 'sec-websocket-key']) {
      const headers = { ...request(good).headers, [name]: ['websocket'] }
      expect(checkUpgrade(request(good, { headers }))).toMatchObject({ status: 400 })
    }
  })

  it('takes no value for a name', () => {
    expect(checkUpgrade(request([...good, ['X-A', 'Origin'], ['X-B', 'Origin'], ['X-C', 'host']]))).toBe('ok')
  })

  it.each([undefined, 'POST', 'get', 'OPTIONS'])('answers 405 to the method %s', (method) => {
    expect(checkUpgrade(request(good, { method }))).toMatchObject({ status: 405, headers: { allow: 'GET' } })
  })

  it.each([
    ['0.9', 400],
    ['1.0', 400],
    ['', 400],
    ['11', 400],
    ['2.0', 'ok'],
  ])('answers HTTP/%s with %s', (httpVersion, status) => {
    const answer = checkUpgrade(request(good, { httpVersion }))
    expect(answer === 'ok' ? answer : answer.status).toBe(status)
  })

  it.each([undefined, '', '8', '777', '13, 13', '13 '])(
    'answers 426 to the version %j and says which it speaks',
    (version) => {
      expect(checkUpgrade(changed('Sec-WebSocket-Version', version))).toMatchObject({
        status: 426,
        headers: { 'sec-websocket-version': '13', upgrade: 'websocket' },
      })
    },
  )

  it('answers for any headers', () => {
    const name = fc.constantFrom(
      'Host',
      'Origin',
      'Upgrade',
      'Connection',
      'Sec-WebSocket-Key',
      'Sec-WebSocket-Protocol',
      'Content-Length',
      'X',
    )
    const header = fc.tuple(name, anyText('websocket', 'upgrade', ',', 'a', '0', 'dGhlIHNhbXBsZSBub25jZQ=='))
    fc.assert(
      fc.property(fc.array(header, { maxLength: 6 }), (headers) => {
        const answer = checkUpgrade(request([...good, ...headers]))
        expect(answer === 'ok' || [400, 405, 426].includes(answer.status)).toBe(true)
      }),
      { numRuns },
    )
  })

  it('lets nothing through that ws refuses afterwards', () => {
    const name = fc.constantFrom(
      'Upgrade',
      'Connection',
      'Sec-WebSocket-Key',
      'Sec-WebSocket-Version',
      'Sec-WebSocket-Protocol',
    )
    const value = anyText('websocket', 'upgrade', ', ', 'a', 'b', '13', '8', 'dGhlIHNhbXBsZSBub25jZQ==')
    expect(wsAccepts(request(good))).toBe(true)
    let accepted = 0
    fc.assert(
      fc.property(name, value, (changedName, changedValue) => {
        // Node hands on header values without the blanks around them.
        const knock = changed(changedName, changedValue.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
        if (checkUpgrade(knock) !== 'ok') return true
        accepted++
        return wsAccepts(knock)
      }),
      { numRuns },
    )
    expect(accepted).toBeGreaterThan(0)
  })
})
