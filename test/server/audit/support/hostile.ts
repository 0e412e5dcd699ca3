/** Targets that do to each connection what no good server does. */
import { createHash } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { deflateRawSync } from 'node:zlib'

/** What a target does with a connection, once it has the head of the handshake. */
export type Behaviour = (socket: Socket, head: string) => void

/** A target that runs. */
export interface HostileTarget {
  readonly url: string
  close(): void
}

/** Starts a target that does what it likes with each connection. */
export async function openHostile(behave: Behaviour): Promise<HostileTarget> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', (data: Buffer) => behave(socket, data.toString('latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/socket`, // it listens
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Accepts a handshake. */
export function accept(socket: Socket, head: string, extensions = ''): void {
  const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] ?? ''
  const answer = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer}\r\n${extensions}\r\n`,
  )
}

/** The head of a frame whose length stands in 8 bytes. */
function longFrame(first: number, length: number): Buffer {
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

/** As much as the peer takes. */
function flood(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
    socket.once('drain', more)
  }
  more()
}

const bomb = deflateRawSync(Buffer.alloc(67_108_864))
/** The one character that needs it makes all the others take two bytes in memory. */
const mebibyte = Buffer.from(`${'a'.repeat(1_048_573)}€`)
const small = deflateRawSync(mebibyte)

/** Everything that such a target does. */
export const behaviours: readonly (readonly [does: string, behave: Behaviour])[] = [
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
      flood(socket, Buffer.concat([Buffer.from([0x81, 126, 0x10, 0x00]), Buffer.alloc(4_096, 'a')]))
    },
  ],
  [
    'sends messages of a mebibyte, one after the other',
    (socket, head) => {
      accept(socket, head)
      flood(socket, Buffer.concat([longFrame(0x81, mebibyte.length), mebibyte]))
    },
  ],
  [
    'answers every message with a mebibyte',
    (socket, head) => {
      accept(socket, head)
      socket.on('data', () => socket.write(Buffer.concat([longFrame(0x81, mebibyte.length), mebibyte])))
    },
  ],
  [
    'compresses a mebibyte to a kilobyte, again and again, where it may compress',
    (socket, head) => {
      const compresses = /permessage-deflate/i.test(head)
      accept(socket, head, compresses ? 'Sec-WebSocket-Extensions: permessage-deflate\r\n' : '')
      if (compresses) flood(socket, Buffer.concat([longFrame(0xc1, small.length), small]))
      else socket.on('data', () => socket.write(Buffer.from([0x81, 2, 123, 125])))
    },
  ],
  [
    'announces 2 GiB',
    (socket, head) => {
      accept(socket, head)
      socket.write(longFrame(0x82, 2_147_483_648))
    },
  ],
  [
    'sends a compressed bomb',
    (socket, head) => {
      accept(socket, head, 'Sec-WebSocket-Extensions: permessage-deflate\r\n')
      socket.write(Buffer.concat([longFrame(0xc2, bomb.length), bomb]))
    },
  ],
  [
    'sends a million tiny fragments',
    (socket, head) => {
      accept(socket, head)
      const pairs = Array.from({ length: 2_000 }, () => Buffer.from([0x01, 1, 97, 0x00, 1, 97]))
      flood(socket, Buffer.concat(pairs))
    },
  ],
]
