/** The cheapest end of a WebSocket that is open: for floods, in which every refused socket costs. */
import type { Duplex } from 'node:stream'

/** Close frames that were made before, by what they say: there are as many as a table of refusals has. */
const made = new Map<string, Buffer>()

/**
 * Writes a close frame (RFC 6455 §5.5.1, unmasked as a server's) and destroys the connection behind it. The peer reads the
 * frame unless its connection is stuck; nobody waits for its answer.
 */
export function tellAndDestroy(transport: Duplex, code: number, reason: string): void {
  if (transport.writable && transport.writableLength === 0) transport.write(frameOf(code, reason))
  transport.destroy()
}

function frameOf(code: number, reason: string): Buffer {
  const key = `${code} ${reason}`
  const known = made.get(key)
  if (known !== undefined) return known
  const frame = Buffer.concat([
    Buffer.from([0x88, 2 + reason.length, code >> 8, code & 0xff]),
    Buffer.from(reason),
  ])
  made.set(key, frame)
  return frame
}
