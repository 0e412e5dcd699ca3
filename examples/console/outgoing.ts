/** What leaves by one transport: how much of it still waits. */
import type { ConsoleSocket } from './desk.ts'

/** Packets that may wait before commands pause. */
const maxWaiting = 200

/**
 * Counts by Engine.IO's events: `packetCreate` for each packet, `drain` when all were handed to the transport.
 * @returns a function that says when more may follow: at once, where it answers `undefined`
 */
export function readiness({ conn }: ConsoleSocket): () => Promise<unknown> | undefined {
  let waiting = 0
  conn.on('packetCreate', () => waiting++)
  conn.on('drain', () => (waiting = 0))
  return () =>
    waiting <= maxWaiting ? undefined : new Promise((resolve) => conn.once('drain', () => resolve(undefined)))
}
