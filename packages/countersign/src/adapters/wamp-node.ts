/** What Node lends to a router (time, randomness) and to its codecs (bytes and text without copies). */
import { randomFillSync } from 'node:crypto'
import type { RouterPorts, Timer } from '../wamp/ports.ts'
import type { ByteLender } from '../wamp/codec.ts'
import { Deadlines } from './wamp-deadlines.ts'

/** Whoever waits for so long, ms, does not mind a fifth of a second: what clients are given to answer in. */
const coarseMs = 10_000

/** The ports of Node. Its timers do not keep the process alive. */
export function nodeRouterPorts(): RouterPorts {
  const deadlines = new Deadlines()
  return {
    clock: {
      now: Date.now,
      every(everyMs, tick) {
        const timer = setInterval(tick, everyMs).unref()
        return () => clearInterval(timer)
      },
    },
    randomId: randomIds(),
    pick: (below) => Math.floor(Math.random() * below),
    after: (ms, fire) => (ms < coarseMs ? new NodeTimer(ms, fire) : deadlines.after(ms, fire)),
  }
}

/** Node's own conversions: a view of the bytes becomes text without a copy in between. */
export const nodeBytes: ByteLender = {
  text: (bytes, from, to) => bufferOf(bytes).toString('utf8', from, to),
  allocate: (size) => Buffer.allocUnsafe(size),
  write: (text, into, at) => bufferOf(into).write(text, at, 'utf8'),
}

/** Sockets deliver Buffers, and `allocate` makes them; anything else is seen as one without copying. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

class NodeTimer implements Timer {
  readonly #timer: NodeJS.Timeout

  constructor(ms: number, fire: () => void) {
    this.#timer = setTimeout(fire, ms).unref()
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}

/** Ids out of a pool of random bytes: one system call for 512 of them. */
function randomIds(): () => number {
  const pool = new BigUint64Array(512)
  let at = pool.length
  return () => {
    if (at === pool.length) {
      randomFillSync(pool)
      at = 0
    }
    const drawn = pool[at++] ?? 0n
    // 53 random bits and one: uniform in [1, 2^53].
    return Number(drawn >> 11n) + 1
  }
}
