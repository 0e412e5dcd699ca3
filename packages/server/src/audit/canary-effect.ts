/** Whether a message had its effect: seen from the socket of somebody else, whatever its sender is told. */
import type { Scene } from './check.ts'
import { effectOf } from './configured-patterns.ts'
import { say } from './dialects/dialect.ts'
import type { Canary } from './options.ts'
import type { Stay } from './oracle.ts'
import type { Visit } from './visit.ts'

/** Opens the socket from which a canary's effect is seen. @returns `undefined` when that identity does not get in */
export async function observe(
  { low, high, oracle }: Scene,
  { seenBy = 'high' }: Canary,
): Promise<Stay | undefined> {
  const identity = { low, high, sender: undefined }[seenBy]
  if (identity === undefined) return undefined
  const stay = await oracle.stay(await identity.present())
  if (stay.view.kind === 'open') return stay
  await stay.visit.leave()
  return undefined
}

/** Sends a canary's message on a socket. */
export function sendCanary({ dialect, endpoint }: Scene, visit: Visit, canary: Canary): void {
  say(visit, dialect, { probe: canary.send, endpoint })
}

/** Does something, and looks whether the canary's effect arrives. */
export async function takesEffect(
  scene: Scene,
  { canary, observer }: { readonly canary: Canary; readonly observer: Visit },
  act: () => void | Promise<void>,
): Promise<boolean> {
  const { oracle } = scene
  const effect = effectOf(scene, canary, '{marker}')
  while ((await observer.next(0)) !== undefined);
  await act()
  return (await oracle.hear(observer, (text) => effect.test(text), oracle.settleMs)) !== undefined
}

/** Takes back what a canary did, on a socket of whoever may send it. */
export async function undoCanary(scene: Scene, canary: Canary): Promise<void> {
  const identity = (canary.allowedFor ?? 'high') === 'high' ? scene.high : scene.low
  if (canary.undo === undefined || identity === undefined) return
  const { visit } = await scene.oracle.stay(await identity.present())
  say(visit, scene.dialect, { probe: canary.undo, endpoint: scene.endpoint })
  await scene.oracle.hear(visit, () => true, scene.oracle.settleMs)
  await visit.leave()
}
