import { connect, type Socket } from 'node:net'

/** What one peer of a flood does. */
export interface Peer {
  readonly port: number
  /** Written as soon as the connection is there. */
  readonly first: string | Buffer
  /** Written once the server has answered 101. */
  readonly upgraded?: Buffer
  /** Written one after the other, byte by byte, every `everyMs`, for ever. */
  readonly drip?: Buffer
  readonly everyMs?: number
  /** Ends by a reset as soon as everything was written. */
  readonly resets?: boolean
}

/** How a flood has gone. */
export interface FloodReport {
  /** Connections that came about. */
  readonly opened: number
  /** Of them, those that the server has ended. */
  readonly shed: number
}

/** Addresses of loopback that the peers come from. */
const sources: readonly string[] = Array.from({ length: 20 }, (_, at) => `127.0.1.${at + 1}`)
const roundMs = 100

/**
 * Keeps `size` connections open at a port from many addresses, and opens others in place of those that the server ends:
 * at most `perRound` each tenth of a second.
 */
export class Flood {
  readonly #peer: Peer
  readonly #size: number
  readonly #perRound: number
  readonly #open = new Set<Socket>()
  readonly #timer: NodeJS.Timeout
  #opened = 0
  #shed = 0
  #next = 0
  #sent = 0

  constructor(peer: Peer, size: number, perRound = 60) {
    this.#peer = peer
    this.#size = size
    this.#perRound = perRound
    this.#timer = setInterval(() => this.#round(), roundMs)
  }

  /** Connections that are open at the moment. */
  get open(): number {
    return this.#open.size
  }

  report(): FloodReport {
    return { opened: this.#opened, shed: this.#shed }
  }

  /** Opens no more, and drips no more. */
  pause(): void {
    clearInterval(this.#timer)
  }

  /** Ends it. */
  stop(): void {
    this.pause()
    for (const socket of this.#open) socket.destroy()
  }

  #round(): void {
    const { drip, everyMs = roundMs } = this.#peer
    this.#sent += roundMs / everyMs
    if (drip !== undefined && this.#sent >= 1) {
      this.#sent = 0
      const byte = drip.subarray(this.#next % drip.length, (this.#next % drip.length) + 1)
      this.#next++
      for (const socket of this.#open) if (socket.writable) socket.write(byte)
    }
    const missing = Math.min(this.#size - this.#open.size, this.#perRound)
    for (let one = 0; one < missing; one++) this.#connect()
  }

  #connect(): void {
    const { port, first, upgraded, resets = false } = this.#peer
    const localAddress = sources[(this.#opened + this.#open.size) % sources.length] ?? '127.0.0.1'
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    this.#open.add(socket)
    socket.on('error', () => undefined)
    socket.once('connect', () => {
      this.#opened++
      socket.write(first, () => {
        if (resets) socket.resetAndDestroy()
      })
    })
    if (upgraded === undefined) socket.resume()
    else socket.once('data', (answer: Buffer) => this.#upgraded(socket, answer, upgraded))
    socket.once('end', () => this.#shed++)
    socket.once('close', (failed) => {
      this.#open.delete(socket)
      if (failed) this.#shed++
    })
  }

  #upgraded(socket: Socket, answer: Buffer, bytes: Buffer): void {
    socket.resume()
    if (answer.toString('latin1').startsWith('HTTP/1.1 101') && socket.writable) socket.write(bytes)
  }
}
