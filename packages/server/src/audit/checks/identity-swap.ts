/** A17: a socket changes its owner, and keeps what it had. */
import {
  controlMs,
  effectMs,
  markCanary,
  openWatcher,
  presentedAs,
  subscribe,
  takesEffect,
  type Marked,
} from '../canaries.ts'
import type { Check, Scene } from '../check.ts'
import { high, isSomebody, low, sight } from '../needs.ts'
import { say } from '../dialects/dialect.ts'
import { describeView, type Stay } from '../oracle.ts'
import type { Presented } from '../presented.ts'
import { failOr, finding, inconclusive, info, notTested, pass } from '../verdict.ts'

/** Another identity on a live socket. */
export const identitySwap: Check = {
  id: 'A17',
  title: 'A live socket takes another identity and keeps what the first one had',
  cwe: [384, 287],
  asvs: ['7.2.4'],
  safety: 'S',
  needs: [sight, low, high],
  why: 'What a socket has subscribed to was granted to one person. If another one logs in on the same socket and nothing is reset, he hears what the first one may hear, and the journal names the wrong person for everything.',
  remedy: {
    text: 'Fix the identity of a socket at its first success; refuse every later one that is not the same, or close the socket and let the client come anew.',
    ws: "if (socket.user !== undefined && socket.user.id !== user.id) return socket.close(1008, 'identity is fixed')",
    socketIo:
      "socket.on('authenticate', () => socket.disconnect(true)) // identity is the middleware's, once",
    countersign: 'guardUpgrades(server, wss, guard) // a renewal in band takes the same subject only',
  },
  async run(scene) {
    const { oracle, dialect, endpoint, low: identity, high: other, baseline } = scene
    if (identity === undefined || other === undefined) return notTested(low.missing)
    const presented = await other.present()
    if (!travelsInside(presented)) return notTested('credentials of "high" that travel inside the socket')
    const stay = await oracle.stay(await identity.present())
    try {
      if (!isSomebody(stay.view, scene))
        return inconclusive(`"low" is ${describeView(stay.view)}`, stay.exchange)
      const canary = scene.options.canaries?.find(({ seenBy }) => seenBy === 'low')
      const marked = canary === undefined ? undefined : markCanary(scene, canary)
      if (marked !== undefined) subscribe(scene, stay.visit, marked)
      await dialect.enter(stay.visit, presented, { endpoint, ms: oracle.settleMs })
      const view = stay.visit.live ? await oracle.ask(stay.visit) : undefined
      const highIdentity = baseline.high?.view.kind === 'open' ? baseline.high.view.identity : undefined
      if (view?.kind !== 'open' || view.identity === undefined || view.identity !== highIdentity)
        return pass(
          `with the credentials of "high" the socket of "low" is ${view === undefined ? 'closed' : describeView(view)}`,
          stay.exchange,
        )
      return await judgeSwap(scene, stay, marked)
    } finally {
      await stay.visit.leave()
    }
  },
}

function travelsInside({ first, payload, wamp }: Presented): boolean {
  return first !== undefined || payload !== undefined || wamp !== undefined
}

/** The socket is another’s now: does it still hear what only its first owner may hear? */
async function judgeSwap(scene: Scene, swapped: Stay, marked: Marked | undefined): ReturnType<Check['run']> {
  const says = 'the socket of "low" became that of "high"'
  if (marked === undefined)
    return info(
      `${says}; whether what it had subscribed to was reset was not tested without a canary that "low" sees`,
      swapped.exchange,
    )
  const { name, allowedFor = 'high' } = marked.canary
  const presented = await presentedAs(scene, allowedFor)
  const sender = presented === undefined ? undefined : await scene.oracle.stay(presented)
  const owner = await openWatcher(scene, marked)
  const stranger = await openWatcher(scene, marked, 'high')
  try {
    if (sender?.view.kind !== 'open' || owner === undefined || stranger === undefined)
      return inconclusive(`${says}; the canary "${name}" could not be tried`, swapped.exchange)
    const hears = ({ visit: watcher }: Stay, withinMs = effectMs(scene)): Promise<boolean> =>
      takesEffect(scene, { watcher, marked, withinMs }, (probe) =>
        say(sender.visit, scene.dialect, { probe, endpoint: scene.endpoint }),
      )
    if (!(await hears(owner, controlMs)))
      return inconclusive(`${says}; the canary "${name}" has no effect`, swapped.exchange)
    if (await hears(stranger)) return info(`${says}; "high" hears the canary in any case`, swapped.exchange)
    if (!(await hears(swapped)))
      return pass(`${says}, and lost what "low" had subscribed to`, swapped.exchange)
    return failOr(
      [
        finding('high', `${says}, and still hears what only "low" may hear (${name})`, {
          exchanges: [swapped.exchange],
        }),
      ],
      pass(says),
    )
  } finally {
    await Promise.all([sender, owner, stranger].flatMap((stay) => stay?.visit.leave() ?? []))
  }
}
