/** I10: a peer that is gone is kept. */
import type { Check, Finding } from '../check.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

const defaultDeadPeerMs = 46_000
const stepMs = 250
const closeMs = 1_000

/** Dead peers. */
export const deadPeer: Check = {
  id: 'I10',
  title: 'A peer that is gone is never noticed',
  cwe: [772],
  asvs: ['15.2.2'],
  safety: 'A',
  needs: [],
  waits: true,
  why: 'Phones lose their network without a word. A server that does not ask keeps their sockets, their subscriptions and what was meant for them; whoever never reads makes it keep more and more.',
  remedy: {
    text: 'Ping every socket that was silent for half a minute, and end it when the next ping is due and nothing came; end those whose output piles up.',
    ws: "setInterval(() => wss.clients.forEach((ws) => {\n  if (!ws.isAlive || ws.bufferedAmount > 1_048_576) return ws.terminate()\n  ws.isAlive = false\n  ws.ping()\n}), 20_000) // and ws.on('pong', () => { ws.isAlive = true })",
    socketIo: 'new Server(server, { pingInterval: 20_000, pingTimeout: 10_000 })',
    countersign: 'wampWebSockets(router, { guard, pingIntervalMs: 20_000 }) // for sockets of ws, as there',
  },
  async run(scene) {
    const { deadPeerMs = defaultDeadPeerMs } = scene.options
    const silent = await stayAsSomebody(scene, { ignoresPings: true })
    const unread = await stayAsSomebody(scene, { ignoresPings: true })
    try {
      if (silent.view.kind !== 'open' || unread.view.kind !== 'open')
        return { kind: 'not tested', missing: nobodyGetsIn }
      const until = performance.now() + deadPeerMs
      unread.visit.stopReading()
      while (silent.visit.live && performance.now() < until) await scene.budget.pause(stepMs)
      const { ending } = silent.visit
      // What the target does with a peer that does not read is seen when it reads again.
      if (ending !== undefined) await scene.budget.pause(Math.min(closeMs, deadPeerMs / 4))
      unread.visit.readOn()
      const dropped = (await unread.visit.closed(closeMs)) !== undefined
      const exchanges = [silent.exchange, unread.exchange]
      if (ending !== undefined && dropped)
        return {
          kind: 'pass',
          says: `a peer that answers no ping was closed after ${ending.atMs} ms`,
          exchanges,
        }
      const seconds = deadPeerMs / 1_000
      return {
        kind: 'fail',
        findings: [judge({ pings: silent.visit.pings, kept: ending === undefined, seconds, exchanges })],
      }
    } finally {
      await Promise.all([silent.visit.leave(), unread.visit.leave()])
    }
  },
}

function judge(seen: {
  readonly pings: number
  readonly kept: boolean
  readonly seconds: number
  readonly exchanges: Finding['exchanges']
}): Finding {
  const { pings, kept, seconds, exchanges } = seen
  const says = !kept
    ? 'a peer that reads nothing is kept, though one that answers nothing is closed'
    : pings > 0
      ? `${pings} pings went unanswered, and the socket was still open after ${seconds} s`
      : `no ping within ${seconds} s: peers that are gone are not noticed`
  return { says, severity: kept && pings > 0 ? 'medium' : 'low', confidence: 'medium', exchanges }
}
