/** A8: a socket outlives the logout of its user. */
import type { Check, Finding, Scene } from '../check.ts'
import { runHook } from '../hooks.ts'
import type { Identity } from '../identity.ts'
import { defaultEndBudgetMs, describeFate, watch } from '../lasting.ts'
import { hook, isSomebody, low, sight } from '../needs.ts'
import { describeView } from '../oracle.ts'
import type { Presented } from '../presented.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'

/** Logout. */
export const logout: Check = {
  id: 'A8',
  title: 'A socket stays its user’s after the logout',
  cwe: [613],
  asvs: ['7.4.1'],
  safety: 'S',
  needs: [sight, low, hook('logout')],
  lastly: true,
  why: 'Whoever logs out on a shared machine believes that the session is over. A socket that was judged once, when it was opened, goes on reading and sending in their name for as long as it stays open.',
  remedy: {
    text: 'Keep the open sockets of each session, and close all of them where the session is deleted; on several nodes, tell the others.',
    ws: 'const socketsOf = new Map() // session id → Set of sockets\nfunction logOut(sessionId) {\n  sessions.delete(sessionId)\n  for (const ws of socketsOf.get(sessionId) ?? []) ws.terminate()\n}',
    socketIo:
      "io.on('connection', (socket) => socket.join(`session:${socket.request.session.id}`))\n// at logout, on all nodes:\nio.in(`session:${sessionId}`).disconnectSockets(true)",
    countersign: "await guard.revoke({ session: login.id }, 'logged_out')",
  },
  async run(scene) {
    const { oracle, low: identity, options } = scene
    if (identity === undefined) return notTested(low.missing)
    const budgetMs = options.endBudgetMs ?? defaultEndBudgetMs
    await identity.loginAgain()
    const presented = await identity.present()
    const stay = await oracle.stay(presented)
    try {
      if (!isSomebody(stay.view, scene))
        return inconclusive(`before the logout: ${describeView(stay.view)}`, stay.exchange)
      const trouble = await runHook(scene, 'logout')
      if (trouble !== undefined) return notTested(trouble)
      const fate = await watch(scene, stay, stay.visit.ageMs)
      const says = describeFate(fate, budgetMs)
      stay.visit.note(says)
      const findings: readonly Finding[] = [
        ...(fate.kind === 'alive'
          ? [
              finding('high', `after the logout ${says}`, {
                subject: 'open socket',
                exchanges: [stay.exchange],
              }),
            ]
          : []),
        ...(await entersAgain(scene, identity, presented)),
      ]
      const otherwise = fate.kind === 'unknown' ? inconclusive : pass
      return failOr(findings, otherwise(`after the logout ${says}`, stay.exchange))
    } finally {
      await stay.visit.leave()
      await identity.loginAgain()
    }
  },
}

/** Whether what was shown before the logout opens sockets behind it; a spent ticket would not in any case. */
async function entersAgain(
  scene: Scene,
  identity: Identity,
  presented: Presented,
): Promise<readonly Finding[]> {
  if (identity.options.token?.singleUse === true) return []
  const { view, exchange } = await scene.oracle.look(presented)
  if (!isSomebody(view, scene)) return []
  const says = 'what opened a socket before the logout opens another one after it'
  return [
    finding(identity.ambient ? 'high' : 'medium', says, { subject: 'new socket', exchanges: [exchange] }),
  ]
}
