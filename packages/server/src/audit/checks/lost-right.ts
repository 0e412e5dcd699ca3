/** Z6: a right is taken away, and the socket that is open goes on using it. */
import { controlMs, effectMs, presentedAs, tryCanaryOn } from '../canaries.ts'
import type { Check, Need, Outcome, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { runHook, undoHook } from '../hooks.ts'
import { hook, low } from '../needs.ts'
import type { Canary } from '../options.ts'
import type { Stay } from '../oracle.ts'

const defaultBudgetMs = 5_000
const looksMs = [200, 1_000]

function ownCanary({ options }: Scene): Canary | undefined {
  return options.canaries?.find(({ allowedFor }) => allowedFor === 'low')
}

const lowCanary: Need = {
  missing: 'a canary that "low" may send until its role is taken away',
  met: (scene) => ownCanary(scene) !== undefined,
}

/** A lost right on a live socket. */
export const lostRight: Check = {
  id: 'Z6',
  title: 'A right that was taken away still works on open sockets',
  cwe: [863, 613],
  asvs: ['8.3.2'],
  safety: 'S',
  needs: [low, hook('role'), lowCanary],
  lastly: true,
  why: 'A socket that remembers the rights of the moment when it was opened keeps them for days. Whoever is demoted, leaves a team or is found out goes on as before.',
  remedy: {
    text: 'Look at the user’s present rights for each message, and tell every process at once when they change; where that is not possible, close the user’s sockets.',
    ws: "bus.on('roles-changed', (userId) => { for (const ws of socketsOf(userId)) ws.close(4001, 'roles changed') })",
    socketIo: 'io.in(`user:${userId}`).disconnectSockets(true)',
    countersign:
      'await guard.revoke({ subject }) // or refresh the lease with a ticket that has the new roles',
  },
  async run(scene) {
    const canary = ownCanary(scene)
    const presented = await presentedAs(scene, 'low')
    if (canary === undefined || presented === undefined)
      return { kind: 'not tested', missing: lowCanary.missing }
    const stay = await scene.oracle.stay(presented)
    try {
      const control = await tryCanaryOn(scene, canary, { stay }, controlMs)
      if (control.kind !== 'effect')
        return {
          kind: 'inconclusive',
          says: `“${canary.name}”, sent while "low" still may: ${control.says}`,
          exchanges: control.exchanges,
        }
      const trouble = await runHook(scene, 'role')
      if (trouble !== undefined) return { kind: 'not tested', missing: trouble }
      return await watch(scene, canary, stay)
    } finally {
      await stay.visit.leave()
      await undoHook(scene, 'role')
    }
  },
}

async function watch(scene: Scene, canary: Canary, stay: Stay): Promise<Outcome> {
  const { endBudgetMs = defaultBudgetMs } = scene.options
  const from = performance.now()
  const sinceMs = (): number => Math.round(performance.now() - from)
  let exchanges: readonly Exchange[] = []
  for (const atMs of [...looksMs.filter((ms) => ms < endBudgetMs), endBudgetMs]) {
    await scene.budget.pause(Math.max(0, atMs - sinceMs()))
    if (!stay.visit.live)
      return {
        kind: 'pass',
        says: 'the socket was closed when the right was gone',
        exchanges: [stay.exchange],
      }
    const sentMs = sinceMs()
    const trial = await tryCanaryOn(scene, canary, { stay }, effectMs(scene))
    exchanges = trial.exchanges
    if (trial.kind === 'blind') return { kind: 'inconclusive', says: trial.says, exchanges }
    if (trial.kind !== 'effect')
      return { kind: 'pass', says: `the right was gone ${sentMs} ms after it was taken away`, exchanges }
  }
  return {
    kind: 'fail',
    findings: [
      {
        says: `“${canary.name}” still has its effect ${endBudgetMs} ms after the right to it was taken away`,
        severity: 'high',
        confidence: 'high',
        subject: canary.name,
        exchanges,
      },
    ],
  }
}
