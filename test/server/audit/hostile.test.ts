import { createServer as createTcp, type Socket } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { createServer as createHttp2 } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { audit, type Report } from '../../../packages/server/src/audit/audit.ts'

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A target that does what it likes with each connection. */
async function hostile(behave: (socket: Socket, head: string) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcp((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', (data: Buffer) => behave(socket, data.toString('latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  return `ws://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/socket`
}

function accept(socket: Socket, head: string, extensions = ''): void {
  const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] ?? ''
  const answer = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer}\r\n${extensions}\r\n`,
  )
}

/** Short, so that the tests are; the bounds of a real audit are those of `defaultAllowance`. */
const options = { settleMs: 150, silenceMs: 500, allowance: { maxMs: 12_000 }, protocol: 'plain' } as const

interface Measured {
  readonly report: Report
  readonly ms: number
  readonly grownBytes: number
}

async function measured(target: string): Promise<Measured> {
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  const report = await audit(target, options)
  return { report, ms: performance.now() - startedAt, grownBytes: process.memoryUsage().rss - before }
}

const behaviours: readonly (readonly [string, (socket: Socket, head: string) => void])[] = [
  ['answers garbage', (socket) => void socket.end('\u0000\u0001 this is no answer at all')],
  ['closes at once', (socket) => void socket.destroy()],
  ['resets', (socket) => void socket.resetAndDestroy()],
  [
    'redirects',
    (socket) =>
      void socket.end('HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n'),
  ],
  [
    'sends an endless head',
    (socket) => flood(socket, Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(60_000)}`)),
  ],
  [
    'floods behind the 101',
    (socket, head) => {
      accept(socket, head)
      const frame = Buffer.concat([Buffer.from([0x81, 126, 0x10, 0x00]), Buffer.alloc(4_096, 'a')])
      flood(socket, frame)
    },
  ],
  [
    'announces 2 GiB',
    (socket, head) => {
      accept(socket, head)
      const frame = Buffer.alloc(10)
      frame[0] = 0x82
      frame[1] = 127
      frame.writeBigUInt64BE(2_147_483_648n, 2)
      socket.write(frame)
    },
  ],
  [
    'sends a compressed bomb',
    (socket, head) => {
      accept(socket, head, 'Sec-WebSocket-Extensions: permessage-deflate\r\n')
      const bomb = deflateRawSync(Buffer.alloc(67_108_864))
      const frame = Buffer.alloc(10)
      frame[0] = 0xc2
      frame[1] = 127
      frame.writeBigUInt64BE(BigInt(bomb.length), 2)
      socket.write(Buffer.concat([frame, bomb]))
    },
  ],
  [
    'sends a million tiny fragments',
    (socket, head) => {
      accept(socket, head)
      flood(
        socket,
        Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.from([0x01, 1, 97, 0x00, 1, 97]))),
      )
    },
  ],
]

function flood(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
    socket.once('drain', more)
  }
  more()
}

describe('a target that', () => {
  it.each(behaviours)('%s: the audit ends in time, says so, and stays small', async (_name, behave) => {
    const { report, ms, grownBytes } = await measured(await hostile(behave))
    expect(ms).toBeLessThan(options.allowance.maxMs + 5_000)
    expect(grownBytes).toBeLessThan(200 * 1_048_576)
    const said = report.unreachable ?? report.stopped ?? ''
    const failed = report.results.filter(({ outcome }) => outcome.kind === 'fail')
    // Nothing is claimed to be secure that never was a WebSocket, and nothing is left without a word.
    expect(said !== '' || report.results.length > 0).toBe(true)
    for (const { outcome } of failed)
      expect(outcome.kind === 'fail' && outcome.findings.length).toBeGreaterThan(0)
  })

  it('never answers is unreachable', async () => {
    const { report } = await measured(await hostile(() => undefined))
    expect(report.unreachable).toMatch(/^timeout/)
  })

  it('speaks HTTP/2 only is unreachable', async () => {
    const server = createHttp2()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { report } = await measured(`ws://127.0.0.1:${port}/socket`)
    expect(report.unreachable).toMatch(/garbage|reset/)
  })

  it('breaks TLS is unreachable', async () => {
    const plain = await hostile((socket) => void socket.end('no TLS here'))
    const { report } = await measured(plain.replace('ws:', 'wss:'))
    expect(report.unreachable).toMatch(/^tls|^reset/)
  })

  it('is not there is unreachable', async () => {
    const { report } = await measured('ws://127.0.0.1:1/socket')
    expect(report.unreachable).toMatch(/^refused/)
  })
})

describe('an audit that is stopped', () => {
  it('answers with what it has, and leaves nothing open', async () => {
    let open = 0
    const target = await hostile((socket, head) => {
      open += 1
      socket.on('close', () => (open -= 1))
      accept(socket, head)
    })
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 700)
    const report = await audit(target, { ...options, silenceMs: 30_000, signal: stop.signal })
    expect(report.stopped).toMatch(/stopped/)
    expect(report.results.length).toBeGreaterThan(0)
    await expect.poll(() => open, { timeout: 3_000 }).toBe(0)
  })
})
