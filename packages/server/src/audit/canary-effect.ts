/** Whether a message had its effect: seen from the socket of somebody else, whatever its sender is told. */
import { fill, newMarker } from './canaries.ts'
import type { Scene } from './check.ts'
import { say } from './dialects/dialect.ts'
import type { Canary } from './options.ts'
import type { Stay } from './oracle.ts'
import type { Visit } from './visit.ts'

/** A canary with a text of its own in it, and the socket from which its effect is seen. Whoever gets one leaves its visit. */
export interface Watcher {
  readonly stay: Stay
  readonly canary: Canary
}

/** Opens the socket from which a canary's effect is seen. @returns `undefined` when that identity does not get in */
export async function observe(
  { low, high, oracle, dialect, endpoint }: Scene,
  canary: Canary,
): Promise<Watcher | undefined> {
  const { seenBy = 'high' } = canary
  const identity = { low, high, sender: undefined }[seenBy]
  if (identity === undefined) return undefined
  const stay = await oracle.stay(await identity.present())
  if (stay.view.kind !== 'open') {
    await stay.visit.leave()
    return undefined
  }
  const marked = withMarker(canary)
  if (marked.watch !== undefined) {
    say(stay.visit, dialect, { probe: marked.watch, endpoint })
    await stay.visit.pinged(oracle.settleMs)
  }
  return { stay, canary: marked }
}

/** The canary with a text that nobody has said before. */
export function withMarker(canary: Canary): Canary {
  const { send, effect, undo, watch } = canary
  const marker = newMarker()
  return {
    ...canary,
    send: fill(send, marker),
    effect: effect.replaceAll('{marker}', marker),
    ...(undo === undefined ? {} : { undo: fill(undo, marker) }),
    ...(watch === undefined ? {} : { watch: fill(watch, marker) }),
  }
}

/** Sends a canary's message on a socket. */
export function sendCanary({ dialect, endpoint }: Scene, visit: Visit, canary: Canary): void {
  say(visit, dialect, { probe: canary.send, endpoint })
}

/** Does something with a canary, and looks whether its effect arrives. */
export async function takesEffect(
  { oracle }: Scene,
  { stay: { visit }, canary }: Watcher,
  act: (canary: Canary) => void | Promise<void>,
): Promise<boolean> {
  const effect = new RegExp(canary.effect)
  while ((await visit.next(0)) !== undefined);
  await act(canary)
  return (await oracle.hear(visit, (text) => effect.test(text), oracle.settleMs)) !== undefined
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
