/** A17: a socket changes its owner, and keeps what it had. */
import { observe, sendCanary, takesEffect, withMarker, type Watcher } from '../canary-effect.ts'
import type { Check, Scene } from '../check.ts'
import { high, isSomebody, low, sight } from '../needs.ts'
import type { Canary } from '../options.ts'
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
      await dialect.enter(stay.visit, presented, { endpoint, ms: oracle.settleMs })
      const view = stay.visit.live ? await oracle.ask(stay.visit) : undefined
      const highIdentity = baseline.high?.view.kind === 'open' ? baseline.high.view.identity : undefined
      if (view?.kind !== 'open' || view.identity === undefined || view.identity !== highIdentity)
        return pass(
          `with the credentials of "high" the socket of "low" is ${view === undefined ? 'closed' : describeView(view)}`,
          stay.exchange,
        )
      return await judgeSwap(scene, stay)
    } finally {
      await stay.visit.leave()
    }
  },
}

function travelsInside({ first, payload, wamp }: Presented): boolean {
  return first !== undefined || payload !== undefined || wamp !== undefined
}

/** The socket is another’s now: does it still hear what only its first owner may hear? */
async function judgeSwap(scene: Scene, swapped: Stay): ReturnType<Check['run']> {
  const says = 'the socket of "low" became that of "high"'
  const canary = scene.options.canaries?.find(({ seenBy }) => seenBy === 'low')
  if (canary === undefined)
    return info(
      `${says}; whether what it had subscribed to was reset was not tested without a canary that "low" sees`,
      swapped.exchange,
    )
  const sender = await senderOf(scene, canary)
  const owner = await observe(scene, canary)
  const stranger = await observe(scene, { ...canary, seenBy: 'high' })
  try {
    if (sender?.view.kind !== 'open' || owner === undefined || stranger === undefined)
      return inconclusive(`${says}; the canary "${canary.name}" could not be tried`, swapped.exchange)
    const hears = (watcher: Watcher): Promise<boolean> =>
      takesEffect(scene, watcher, (marked) => sendCanary(scene, sender.visit, marked))
    if (!(await hears(owner)))
      return inconclusive(`${says}; the canary "${canary.name}" has no effect`, swapped.exchange)
    if (await hears(stranger)) return info(`${says}; "high" hears the canary in any case`, swapped.exchange)
    const member: Watcher = { stay: swapped, canary: withMarker(canary) }
    if (!(await hears(member)))
      return pass(`${says}, and lost what "low" had subscribed to`, swapped.exchange)
    return failOr(
      [
        finding('high', `${says}, and still hears what only "low" may hear (${canary.name})`, {
          exchanges: [swapped.exchange],
        }),
      ],
      pass(says),
    )
  } finally {
    const stays = [sender, owner?.stay, stranger?.stay]
    await Promise.all(stays.flatMap((stay) => stay?.visit.leave() ?? []))
  }
}

async function senderOf(
  { low: member, high: chief, oracle }: Scene,
  { allowedFor }: Canary,
): Promise<Stay | undefined> {
  const identity = allowedFor === 'low' ? member : chief
  return identity === undefined ? undefined : oracle.stay(await identity.present())
}
