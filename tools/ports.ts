import { connect, createServer } from 'node:net'

/** Whether something listens on a port of the loopback interface. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => resolve(false)).setTimeout(2_000, () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** The ports of `base` to `base + size - 1` on which something listens. */
export async function listeners(base: number, size: number): Promise<readonly number[]> {
  const ports = Array.from({ length: size }, (_, index) => base + index)
  const states = await Promise.all(ports.map(isListening))
  return ports.filter((_, index) => states[index] === true)
}

/**
 * Finds a block of free neighbouring ports below those that systems hand out by themselves (32768).
 *
 * @throws Error when there is none.
 */
export async function freeBlock(size: number, from = 18_000): Promise<number> {
  for (let base = from; base + size < 32_768; base += size) {
    const free = await Promise.all(Array.from({ length: size }, (_, index) => isFree(base + index)))
    if (free.every(Boolean)) return base
  }
  throw new Error(`no ${String(size)} free neighbouring ports between ${String(from)} and 32768`)
}
