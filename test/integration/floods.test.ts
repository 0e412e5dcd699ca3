import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { freeBlock } from '../../tools/ports.ts'
import { frame } from '../countersign/support/sockets.ts'
import { opening } from './support/attacker.ts'
import { Flood, type Peer } from './support/flood.ts'
import { countersign, end, start, type Running } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-floods-'))
const inFolder = { cwd: folder }
const deadlineMs = 3_000
let port = 0
let server: Running
let key = ''

function configuration(first: number): string {
  return `store: countersign.db
keyFile: countersign.key
site:
  listen: 127.0.0.1:${first}
guards:
  - name: chat
    path: /socket
    limits: { deadlineMs: ${deadlineMs} }
    accept:
      - { method: api_key, from: [first-message] }
  - name: challenged
    listen: 127.0.0.1:${first + 1}
    limits: { deadlineMs: ${deadlineMs} }
    accept:
      - { method: wampcra }
  - name: certified
    listen: 127.0.0.1:${first + 2}
    origins: []
    tls: { cert: pki/localhost.pem, key: pki/localhost.key }
    accept:
      - { method: api_key, from: [bearer] }
challengeSecrets:
  - { authid: sensor, secretFile: sensor.secret, subject: sensor }
`
}

beforeAll(async () => {
  port = await freeBlock(4, 27_000 + Math.floor(Math.random() * 100) * 4)
  writeFileSync(join(folder, 'sensor.secret'), 'a secret of some length\n', { mode: 0o600 })
  await countersign(['cert', 'ca', '--out', 'pki'], inFolder)
  await countersign(['cert', 'client', '--ca', 'pki', '--name', 'localhost'], inFolder)
  writeFileSync(join(folder, 'countersign.yaml'), configuration(port))
  const created = await countersign(['key', 'create', '--name', 'k', '--subject', 'robot'], inFolder)
  key = created.stdout.trim()
  server = start(['serve', 'countersign.yaml'], inFolder)
  await server.line(`ready wss://127.0.0.1:${port + 2}/`)
})

afterAll(async () => {
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

/** How long it took until the program greeted, ms. @throws Error when it did not within five seconds */
function greeted(
  url: string,
  says: readonly ((heard: string) => string)[],
  options: WebSocket.ClientOptions = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const left = [...says]
    const socket = new WebSocket(url, { ...options, rejectUnauthorized: false })
    const late = setTimeout(() => reject(new Error('was not greeted within 5 s')), 5_000)
    const say = (heard: string): void => {
      const next = left.shift()
      if (next !== undefined) socket.send(next(heard))
    }
    socket.on('open', () => say(''))
    socket.on('error', reject)
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)))
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (!text.startsWith('Hello')) return say(text)
      clearTimeout(late)
      socket.terminate()
      return resolve(performance.now() - began)
    })
  })
}

const challenge = (heard: string): string => {
  const { extra } = JSON.parse(heard) as { readonly extra: { readonly challenge: string } }
  const signature = createHmac('sha256', 'a secret of some length').update(extra.challenge).digest('base64')
  return JSON.stringify({ type: 'authenticate', signature })
}
const hello = JSON.stringify({ type: 'hello', authid: 'sensor', methods: ['wampcra'] })

/** A client that has every right to come in, at the door that is flooded. */
const clients: Readonly<Record<'chat' | 'challenged' | 'certified' | 'site', () => Promise<number>>> = {
  chat: () => greeted(`ws://127.0.0.1:${port}/socket`, [() => key]),
  challenged: () => greeted(`ws://127.0.0.1:${port + 1}/`, [() => hello, challenge]),
  certified: () =>
    greeted(`wss://127.0.0.1:${port + 2}/`, [], { headers: { authorization: `Bearer ${key}` } }),
  async site() {
    const began = performance.now()
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`)
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`)
    return performance.now() - began
  },
}

/** The opening handshake at a door. */
const openingOf = (at: number, path: string, fields: readonly string[] = []): string =>
  opening(at, fields, `GET ${path} HTTP/1.1`, `127.0.0.1:${at}`)

/** A frame that announces a text of 100 bytes, and then comes a byte at a time. */
const announced = Buffer.from([0x81, 0x80 | 100, 0, 0, 0, 0])
const tinyFragments = Buffer.concat([
  Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x61]),
  ...Array<Buffer>(5_000).fill(Buffer.from([0x00, 0x81, 0, 0, 0, 0, 0x61])),
])

/** 16 MiB of zeros, compressed, in a frame that says so. */
function bomb(): Buffer {
  const deflated = deflateRawSync(Buffer.alloc(16 * 1_048_576))
  const text = frame(deflated, 2)
  const head = text.subarray(0, 1)
  head[0] = 0xc2
  return text
}

/** Kinds of floods: who is flooded, the size, what each peer does. */
const kinds: readonly [string, keyof typeof clients, number, () => Peer][] = [
  [
    'headers that come a byte at a time',
    'chat',
    1_500,
    () => ({
      port,
      first: `GET /socket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `,
      drip: Buffer.from('a'),
    }),
  ],
  [
    'bodies that come a byte at a time',
    'site',
    1_000,
    () => ({
      port,
      first: `POST /login HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{`,
      drip: Buffer.from(' '),
    }),
  ],
  ['connections that say nothing', 'chat', 2_000, () => ({ port, first: '' })],
  [
    'upgrades that say nothing more',
    'chat',
    1_500,
    () => ({ port, first: openingOf(port, '/socket'), upgraded: Buffer.alloc(0) }),
  ],
  [
    'first messages that come a byte at a time',
    'chat',
    1_500,
    () => ({
      port,
      first: openingOf(port, '/socket'),
      upgraded: announced,
      drip: Buffer.from('a'),
      everyMs: 300,
    }),
  ],
  [
    'thousands of fragments of one byte before acceptance',
    'chat',
    500,
    () => ({ port, first: openingOf(port, '/socket'), upgraded: tinyFragments }),
  ],
  [
    'compressed messages of 16 MiB before acceptance',
    'chat',
    300,
    () => ({
      port,
      first: openingOf(port, '/socket', [
        'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      ]),
      upgraded: bomb(),
    }),
  ],
  [
    'pings before acceptance',
    'chat',
    500,
    () => ({
      port,
      first: openingOf(port, '/socket'),
      upgraded: Buffer.concat(Array<Buffer>(2_000).fill(frame('', 9))),
    }),
  ],
  [
    'openings whose challenge is never answered',
    'challenged',
    1_000,
    () => ({ port: port + 1, first: openingOf(port + 1, '/'), upgraded: frame(hello) }),
  ],
  [
    'resets in the middle of the handshake',
    'chat',
    500,
    () => ({ port, first: openingOf(port, '/socket'), resets: true }),
  ],
  ['TLS connections that say nothing', 'certified', 2_000, () => ({ port: port + 2, first: '' })],
  [
    'half of a ClientHello',
    'certified',
    1_500,
    () => ({
      port: port + 2,
      first: Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
      drip: Buffer.from([7]),
    }),
  ],
]

describe('a flood from twenty addresses', () => {
  it.each(kinds)('of %s keeps nobody else out, and is shed', async (_what, door, size, peer) => {
    const flood = new Flood(peer(), size)
    const took: number[] = []
    try {
      // Long enough for the first of them to be at their deadline while others come.
      const until = Date.now() + 6_000
      while (Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        took.push(await clients[door]())
      }
      flood.pause()
      const patienceMs = Date.now() + 12_000
      while (flood.open > 0 && Date.now() < patienceMs)
        await new Promise((resolve) => setTimeout(resolve, 100))
    } finally {
      flood.stop()
    }
    const { opened, shed } = flood.report()
    const slowest = Math.max(...took)
    console.log(
      `${_what}: ${opened} connections, ${shed} shed, slowest of ${took.length} clients ${slowest.toFixed(0)} ms`,
    )
    expect(opened).toBeGreaterThanOrEqual(size)
    expect(flood.open).toBe(0)
    expect(slowest).toBeLessThan(1_000)
    expect(server.child.exitCode).toBeNull()
  })
})
