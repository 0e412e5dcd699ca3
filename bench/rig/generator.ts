/** The load: raw TCP, no WebSocket library, so that the generator costs little beside the server. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const address = '127.0.0.1'

/** A series of fresh connections, one handshake each. */
export interface Load {
  readonly port: number
  /** Bytes of each attempt; the length of the list is the number of attempts. */
  readonly requests: readonly Attempt[]
  readonly concurrent: number
  /** Status that every answer must have: a figure of something else would be worth nothing. */
  readonly status: number
  /** When no further attempt is begun, ms after the start. */
  readonly untilMs: number
}

/** What one connection sends. */
export interface Attempt {
  readonly request: Buffer
  /** Sent when the head of the answer is there; the attempt is then over with the next bytes that arrive. */
  readonly frame: Buffer | undefined
}

/** How a series went. */
export interface Outcome {
  readonly elapsedMs: number
  /** How many attempts were made: fewer than asked for when time was up. */
  readonly count: number
  /** Time from the call of `connect` to the last awaited byte, one entry an attempt, ms, ascending. */
  readonly latenciesMs: Float64Array
}

/**
 * Runs a series. Every connection is reset when its answer is there.
 * @throws Error when any answer is not what the load says
 */
export async function generate(load: Load): Promise<Outcome> {
  const { requests, concurrent, untilMs } = load
  const latenciesMs = new Float64Array(requests.length)
  const startedAt = performance.now()
  let next = 0
  const one = async (): Promise<void> => {
    while (next < requests.length && performance.now() < startedAt + untilMs) {
      const at = next++
      const attempt = requests[at]
      if (attempt !== undefined) latenciesMs[at] = await attemptOne(load, attempt)
    }
  }
  await Promise.all(Array.from({ length: concurrent }, one)).finally(stayAwake())
  const elapsedMs = performance.now() - startedAt
  return { elapsedMs, count: next, latenciesMs: latenciesMs.slice(0, next).sort() }
}

/**
 * Keeps this process's core from sleeping. Waking it would be charged to the server that does so, and more often to
 * the slower one, which leaves the generator more time to sleep; clients across a network cost no such thing.
 */
export function stayAwake(): () => void {
  let awake = true
  const spin = (): void => {
    if (awake) setImmediate(spin)
  }
  spin()
  return () => {
    awake = false
  }
}

/** One buffer for all connections: each chunk is looked at before the next one can arrive. */
const shared = Buffer.allocUnsafe(65_536)

function attemptOne(load: Load, attempt: Attempt): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    let heads = 0
    const socket = connect({
      host: address,
      port: load.port,
      onread: {
        buffer: shared,
        callback(size) {
          if (heads++ === 0) {
            const status = statusOf(shared, size)
            if (status !== load.status) {
              socket.destroy()
              reject(
                new Error(
                  `expected ${load.status}, got ${shared.toString('latin1', 0, Math.min(size, 200))}`,
                ),
              )
              return false
            }
            if (attempt.frame !== undefined) {
              socket.write(attempt.frame)
              return true
            }
          }
          resolve(performance.now() - startedAt)
          socket.resetAndDestroy()
          return false
        },
      },
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed without the awaited answer')))
    socket.write(attempt.request)
  })
}

/** The digits behind `HTTP/1.1 `; on loopback a head arrives in one piece. */
function statusOf(chunk: Buffer, size: number): number {
  return size < 12 ? 0 : Number(chunk.toString('latin1', 9, 12))
}

/** Opens connections and keeps them. @throws Error when one is not answered with 101 */
export async function hold(port: number, attempts: readonly Attempt[]): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  let next = 0
  const one = async (): Promise<void> => {
    for (let attempt = attempts[next++]; attempt !== undefined; attempt = attempts[next++]) {
      sockets.push(await holdOne(port, attempt))
    }
  }
  await Promise.all(Array.from({ length: 16 }, one))
  return sockets
}

function holdOne(port: number, attempt: Attempt): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address)
    socket.on('error', reject)
    socket.write(attempt.request)
    socket.once('data', (head: Buffer) => {
      if (statusOf(head, head.length) === 101) resolve(socket)
      else reject(new Error(`expected 101, got ${head.toString('latin1', 0, 200)}`))
    })
  })
}

/** Ends held connections. */
export async function release(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.resetAndDestroy()
  await sleep(50)
}

/** Exchanges over held connections, burst by burst. */
export interface ExchangeLoad {
  readonly sockets: readonly Socket[]
  /** What is written at a time: one write a burst, or the generator would become the bottleneck. */
  readonly burst: Buffer
  /** How many bytes come back for it; the next burst leaves when they are there. */
  readonly answerBytes: number
  /** Bursts of each connection. */
  readonly bursts: number
}

/** Runs a series. @returns elapsed time, ms. @throws Error when a connection is closed */
export async function exchange(load: ExchangeLoad): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(load.sockets.map((socket) => exchangeOne(socket, load))).finally(stayAwake())
  return performance.now() - startedAt
}

function exchangeOne(socket: Socket, { burst, bursts, answerBytes }: ExchangeLoad): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 1
    const closed = (): void => reject(new Error('closed instead of an answer'))
    let pending = answerBytes
    const heard = (chunk: Buffer): void => {
      pending -= chunk.length
      if (pending > 0) return
      if (sent >= bursts) {
        socket.off('data', heard)
        socket.off('close', closed)
        resolve()
        return
      }
      sent++
      pending += answerBytes
      socket.write(burst)
    }
    socket.on('data', heard)
    socket.on('close', closed)
    socket.write(burst)
  })
}
