/** What leaves by one transport: how much of it still waits, and which refusals the gate tells on its own. */
import type { ConsoleSocket } from './desk.ts'

/** Packets that may wait before commands pause. */
const maxWaiting = 200

/** Told by the gate before any listener: too large, too fast, malformed. */
const refusal =
  /^2\/console,\["auth_error",\{"reason":"(\w{1,32})"|^3\/console,\d+\[\{"error":\{"reason":"(\w{1,32})"/

/** Counts by Engine.IO's events: `packetCreate` for each packet, `drain` when all were handed to the transport. */
export function outgoing(
  { conn }: ConsoleSocket,
  refused: (reason: string) => void,
): { ready(): Promise<unknown> | undefined } {
  let waiting = 0
  conn.on('packetCreate', ({ data }: { readonly data?: unknown }) => {
    waiting++
    const [, told, answered] = (typeof data === 'string' ? refusal.exec(data) : undefined) ?? []
    const reason = told ?? answered
    // `authorize` has written down what it forbade.
    if (reason !== undefined && reason !== 'forbidden') refused(reason)
  })
  conn.on('drain', () => (waiting = 0))
  const ready = (): Promise<unknown> | undefined =>
    waiting <= maxWaiting ? undefined : new Promise((resolve) => conn.once('drain', () => resolve(undefined)))
  return { ready }
}
