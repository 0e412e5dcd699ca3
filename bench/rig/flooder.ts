/** Strangers at the door, from as many addresses as there are connections. Started by `Flood.start`. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sourceAddress } from './addresses.ts'
import { answerQuestions } from './answering.ts'
import { monotonicMs } from './clock.ts'
import type { FloodOrder, FloodOutcome, FloodQuestions } from './flood-protocol.ts'

const sockets = new Set<Socket>()
/** One buffer for all connections: nobody looks at what arrives. */
const shared = Buffer.allocUnsafe(65_536)
const unread = { buffer: shared, callback: (): boolean => true }

answerQuestions<FloodQuestions>({
  flood,
  open: () => ({ open: sockets.size }),
  async drop() {
    for (const socket of sockets) socket.resetAndDestroy()
    await sleep(50)
    return undefined
  },
})

/** Makes what is due every few milliseconds. What a busy machine was late with is made up for at most a tenth of a second. */
async function flood(order: FloodOrder): Promise<FloodOutcome> {
  const { perSecond, forMs, maxOpen } = order
  const counts = { connected: 0, failed: 0, skipped: 0, mostOpen: 0 }
  const request = Buffer.from(order.request, 'latin1')
  const startedAtMs = monotonicMs()
  let at = 0
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = monotonicMs() - startedAtMs) {
    const due = Math.floor((elapsedMs * perSecond) / 1_000)
    at = Math.max(at, due - perSecond / 10)
    for (; at < due; at++) {
      if (sockets.size >= maxOpen) counts.skipped++
      else makeOne(order, { request, at: Math.floor(at) }, counts)
    }
    counts.mostOpen = Math.max(counts.mostOpen, sockets.size)
    await sleep(2)
  }
  return { ...counts, elapsedMs: monotonicMs() - startedAtMs }
}

function makeOne(
  { port, firstAddress }: FloodOrder,
  { request, at }: { readonly request: Buffer; readonly at: number },
  counts: { connected: number; failed: number },
): void {
  let isConnected = false
  const localAddress = sourceAddress(firstAddress + at)
  const socket = connect({ port, host: '127.0.0.1', localAddress, onread: unread })
  sockets.add(socket)
  socket.once('connect', () => {
    isConnected = true
    counts.connected++
    if (request.length > 0) socket.write(request)
  })
  socket.on('error', () => undefined)
  socket.once('close', () => {
    sockets.delete(socket)
    if (!isConnected) counts.failed++
  })
}
