/** I10: a peer that is gone is kept. */
import type { Check, Finding, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { Heartbeats, neglectOf, type Neglect } from '../heartbeats.ts'
import { readSlowly } from '../slow-reader.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'
import { failOr, inconclusive, notTested, pass } from '../verdict.ts'

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
    const [gone, slow] = await Promise.all([leaveAlone(scene, deadPeerMs), readSlowly(scene, deadPeerMs)])
    if (gone === undefined) return notTested(nobodyGetsIn)
    const findings = [...gone.findings]
    if (slow.kind === 'kept')
      findings.push({
        says: `a peer that answers pings and reads nothing is kept: after ${deadPeerMs / 1_000} s, ${slow.says}`,
        severity: 'medium',
        confidence: 'low',
        subject: 'a slow reader',
        exchanges: slow.exchanges,
      })
    const says = `${gone.says}; a slow reader: ${slow.kind === 'not tested' ? 'not tested, ' : ''}${slow.says}`
    const unclear = gone.unclear || slow.kind === 'unclear'
    return failOr(findings, unclear ? inconclusive(says, ...gone.exchanges) : pass(says, ...gone.exchanges))
  },
}

/** What became of peers that answer nothing. */
interface Gone {
  readonly says: string
  readonly findings: readonly Finding[]
  readonly unclear: boolean
  readonly exchanges: readonly Exchange[]
}

/** Two peers that answer no ping, of which one does not even read. @returns `undefined` when nobody gets in */
async function leaveAlone(scene: Scene, deadPeerMs: number): Promise<Gone | undefined> {
  const silent = await stayAsSomebody(scene, { ignoresPings: true })
  const unread = await stayAsSomebody(scene, { ignoresPings: true })
  try {
    if (silent.view.kind !== 'open' || unread.view.kind !== 'open') return undefined
    const heartbeats = new Heartbeats(silent.visit, scene.dialect)
    const until = performance.now() + deadPeerMs
    unread.visit.stopReading()
    while (silent.visit.live && performance.now() < until) {
      await heartbeats.listen(stepMs)
      await scene.budget.pause(0)
    }
    const { ending } = silent.visit
    // What the target does with a peer that does not read is seen when it reads again.
    if (ending !== undefined) await scene.budget.pause(Math.min(closeMs, deadPeerMs / 4))
    unread.visit.readOn()
    await new Heartbeats(unread.visit, scene.dialect).listen(closeMs)
    const dropped = !unread.visit.live
    const exchanges = [silent.exchange, unread.exchange]
    if (ending !== undefined) {
      const says = `a peer that answers no ping was closed after ${ending.atMs} ms`
      return { says, findings: dropped ? [] : [kept(exchanges)], unclear: false, exchanges }
    }
    const neglect = neglectOf(heartbeats.atMs, deadPeerMs)
    if (neglect.kind === 'too early') return { says: neglect.says, findings: [], unclear: true, exchanges }
    return { says: '', findings: [neglected(neglect, deadPeerMs, exchanges)], unclear: false, exchanges }
  } finally {
    await Promise.all([silent.visit.leave(), unread.visit.leave()])
  }
}

function kept(exchanges: Finding['exchanges']): Finding {
  const says = 'a peer that reads nothing is kept, though one that answers nothing is closed'
  return { says, severity: 'low', confidence: 'medium', exchanges }
}

function neglected(
  neglect: Exclude<Neglect, { kind: 'too early' }>,
  deadPeerMs: number,
  exchanges: Finding['exchanges'],
): Finding {
  const seconds = deadPeerMs / 1_000
  return neglect.kind === 'kept'
    ? {
        says: `${neglect.pings} pings went unanswered, and the socket was still open after ${seconds} s`,
        severity: 'medium',
        confidence: 'medium',
        exchanges,
      }
    : {
        says: `no ping within ${seconds} s: peers that are gone are not noticed`,
        severity: 'low',
        confidence: 'medium',
        exchanges,
      }
}
