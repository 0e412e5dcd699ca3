/** I7: a socket may say as much as it likes. */
import type { Check, Outcome, Scene } from '../check.ts'
import { intrusive } from '../needs.ts'
import { samplesOf } from '../sample-messages.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'
import type { Visit } from '../visit.ts'

const bursts = 30
const perBurst = 10
const burstMs = 100
const lateMs = 1_000
/** A neighbour that waits so long, and so much longer than before, notices. */
const slow = { ms: 500, times: 10 }

/** No limit to the rate of messages. */
export const messageRate: Check = {
  id: 'I7',
  title: 'One socket may send any number of messages a second',
  cwe: [770, 799],
  asvs: ['2.4.1'],
  safety: 'I',
  needs: [intrusive],
  lastly: true,
  why: 'Each message costs the server more than it costs its sender: a look at a database, a broadcast to a thousand others. Without a limit one page with a loop is enough.',
  remedy: {
    text: 'Count the messages of each socket and user, refuse what is too much, and close where it goes on.',
    ws: "const bucket = new RateLimiterMemory({ points: 100, duration: 10 })\nws.on('message', async (data) => {\n  try { await bucket.consume(user.id) } catch { return ws.close(1008, 'too many messages') }\n  handle(data)\n})",
    socketIo:
      "socket.use((_packet, next) => bucket.consume(socket.data.user.id).then(() => next(), () => next(new Error('too many'))))",
    countersign: 'messagePolicy({ actions, rate: { max: 100, intervalMs: 10_000 } }) // the default',
  },
  async run(scene) {
    const [sample] = samplesOf(scene)
    if (sample === undefined) return { kind: 'not tested', missing: 'a message that may be sent' }
    const sender = await stayAsSomebody(scene)
    const neighbour = await stayAsSomebody(scene)
    try {
      if (sender.view.kind !== 'open' || neighbour.view.kind !== 'open')
        return { kind: 'not tested', missing: nobodyGetsIn }
      return await flood(scene, { sender: sender.visit, neighbour: neighbour.visit }, sample.text)
    } finally {
      await Promise.all([sender.visit.leave(), neighbour.visit.leave()])
    }
  },
}

async function flood(
  scene: Scene,
  { sender, neighbour }: { readonly sender: Visit; readonly neighbour: Visit },
  message: string,
): Promise<Outcome> {
  sender.send(message)
  const usual = await scene.oracle.hear(sender, () => true, scene.oracle.settleMs)
  const quietMs = (await neighbour.pinged(lateMs)) ?? lateMs
  let worstMs = 0
  let sent = 0
  let answered = 0
  const listen = async (withinMs: number): Promise<void> => {
    await scene.oracle.hear(sender, (text) => isLike(text, usual) && ++answered < 0, withinMs)
  }
  const until = performance.now() + bursts * burstMs
  for (let burst = 0; burst < bursts && sender.live; burst++) {
    for (let one = 0; one < perBurst; one++) sender.send(message)
    sent += perBurst
    worstMs = Math.max(worstMs, (await neighbour.pinged(lateMs)) ?? lateMs)
    await listen(Math.max(0, until - performance.now() - (bursts - burst - 1) * burstMs))
  }
  await listen(lateMs)
  const exchanges = [sender.exchange]
  const { ending } = sender
  if (ending !== undefined)
    return { kind: 'pass', says: `closed with ${ending.code} after at most ${sent} messages`, exchanges }
  const suffers = worstMs > slow.ms && worstMs > quietMs * slow.times
  const latency = `a neighbour waited ${Math.round(worstMs)} ms at most, ${Math.round(quietMs)} ms before`
  if (usual !== undefined && answered < sent * 0.9)
    return {
      kind: 'pass',
      says: `${answered} of ${sent} messages in 3 s were answered; ${latency}`,
      exchanges,
    }
  if (usual === undefined && !suffers)
    return { kind: 'info', says: `the message has no answer that could be counted; ${latency}`, exchanges }
  return {
    kind: 'fail',
    findings: [
      {
        says: `${sent} messages in 3 s, and all of them were taken; ${latency}`,
        severity: suffers ? 'medium' : 'low',
        confidence: usual === undefined ? 'medium' : 'high',
        exchanges,
      },
    ],
  }
}

/** Whether an answer has the form of the usual one: a refusal has another. */
function isLike(text: string, usual: string | undefined): boolean {
  return usual !== undefined && shapeOf(text) === shapeOf(usual)
}

function shapeOf(text: string): string {
  return text.replaceAll(/\d+/g, '#').slice(0, 200)
}
