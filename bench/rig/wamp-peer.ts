/** One client of a WAMP server on raw TCP: finds frames in chunks, and sends what a chunk caused in one write. */
import { connect, type Socket } from 'node:net'
import { frameOf, type Format } from './wamp-frames.ts'

/** Called for each message, header off. The bytes are a view of the chunk in hand. */
export type Heard = (message: Buffer) => void

/** A client. */
export class WampPeer {
  readonly socket: Socket
  /** Replaced as a scenario goes on. */
  heard: Heard = ignore
  #rest: Buffer | undefined
  #upgraded = false
  #queue: Buffer[] = []
  readonly #opened = Promise.withResolvers<void>()

  private constructor(port: number, format: Format, path: string) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, localAddress: nextAddress() })
    this.socket.on('data', (chunk: Buffer) => this.#chunk(chunk))
    this.socket.on('error', (error) => this.#opened.reject(error))
    this.socket.on('close', () => this.#opened.reject(new Error('closed before the handshake')))
    this.socket.write(upgradeRequest(path, format))
  }

  /** Opens one. @param format its subprotocol */
  static async open(port: number, format: Format, path = '/'): Promise<WampPeer> {
    const peer = new WampPeer(port, format, path)
    await peer.#opened.promise
    return peer
  }

  /** Queues a copy of a frame; it leaves with the chunk in hand, or by `flush`. */
  send(frame: Buffer): void {
    this.#queue.push(Buffer.from(frame))
  }

  /** Sends what is queued, in one write. */
  flush(): void {
    if (this.#queue.length === 0) return
    const [only] = this.#queue
    this.socket.write(this.#queue.length === 1 && only !== undefined ? only : Buffer.concat(this.#queue))
    this.#queue = []
  }

  /** Sends one frame and waits for the next message. */
  ask(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.socket.once('close', () => reject(new Error('closed instead of an answer')))
      this.heard = (message) => {
        this.heard = ignore
        resolve(Buffer.from(message))
      }
      this.send(frame)
      this.flush()
    })
  }

  /** The closing handshake (RFC 6455 §7.1.2), begun here; done when the server has ended the connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve())
      this.send(closeFrame)
      this.flush()
    })
  }

  /** Ends at once. */
  drop(): void {
    this.socket.resetAndDestroy()
  }

  #chunk(chunk: Buffer): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (!bytes.subarray(0, 12).equals(switching)) {
        this.#opened.reject(new Error(`expected 101, got ${bytes.toString('latin1', 0, 60)}`))
        this.drop()
        return
      }
      bytes = bytes.subarray(end + 4)
      this.#upgraded = true
      this.#opened.resolve()
    }
    this.#frames(bytes)
    this.flush()
  }

  #frames(bytes: Buffer): void {
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] ?? 0
      const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
      if (from > bytes.length) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
      if (from + length > bytes.length) break
      const opcode = (bytes[at] ?? 0) & 15
      if (opcode === 1 || opcode === 2) this.heard(bytes.subarray(from, from + length))
      at = from + length
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at)
  }
}

/** Close code 1000. */
const closeFrame = frameOf(Buffer.from([3, 232]), 'json', 0x88)

let connections = 0

/**
 * Linux has all of 127/8 on loopback. Whoever closes first waits for a minute before the port is free again: one address
 * would run out of ports.
 */
function nextAddress(): string {
  return process.platform === 'linux' ? `127.0.${(++connections >>> 14) & 255}.2` : '127.0.0.1'
}

const switching = Buffer.from('HTTP/1.1 101')

/** One handshake, the same for every server. */
export function upgradeRequest(path: string, format: Format): string {
  return `GET ${path} HTTP/1.1\r\nHost: bench.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YmVuY2gtYmVuY2gtYmVuYw==\r\nSec-WebSocket-Protocol: wamp.2.${format}\r\n\r\n`
}

function ignore(): void {
  // Nothing is waited for.
}
