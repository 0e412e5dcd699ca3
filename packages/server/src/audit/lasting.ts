/** How long a socket outlives what should have ended it. */
import { effectMs, tryCanaryOn } from './canaries.ts'
import type { Scene } from './check.ts'
import { isSomebody } from './needs.ts'
import type { Stay } from './oracle.ts'

/** How soon a trigger must reach an open socket where nothing else is said, milliseconds. */
export const defaultEndBudgetMs = 5_000

/** What became of a socket. */
export type Fate =
  | { readonly kind: 'closed' | 'nobody'; readonly afterMs: number }
  /** Still somebody's when the time was over. */
  | { readonly kind: 'alive' }
  /** Still open, and nobody can ask it whose it is. */
  | { readonly kind: 'unknown' }

const stepMs = 250

/**
 * Watches an open socket until it is closed or nobody's any more, or the time is over.
 * @param sinceMs when the trigger took place, as an age of the visit
 */
export async function watch(scene: Scene, stay: Stay, sinceMs: number): Promise<Fate> {
  const { visit } = stay
  const { endBudgetMs = defaultEndBudgetMs, whoami } = scene.options
  let missed = 0
  let missedAtMs = 0
  for (;;) {
    const left = sinceMs + endBudgetMs - visit.ageMs
    const ending = await visit.closed(Math.max(0, Math.min(stepMs, left)))
    if (ending !== undefined) return { kind: 'closed', afterMs: Math.max(0, ending.atMs - sinceMs) }
    const askedAtMs = visit.ageMs
    const view = await scene.oracle.ask(visit)
    if (visit.ending !== undefined) continue
    if (isSomebody(view, scene)) missed = 0
    else if (missed === 0) missedAtMs = askedAtMs
    if (!isSomebody(view, scene)) missed += 1
    // Asked twice: an answer may be late once.
    if (missed >= 2 && whoami?.send !== undefined)
      return { kind: 'nobody', afterMs: Math.max(0, missedAtMs - sinceMs) }
    if (left <= 0)
      return missed === 0 || (await stillWorks(scene, stay)) ? { kind: 'alive' } : { kind: 'unknown' }
  }
}

/** Whether a message that only those may send who have logged in still has its effect. */
async function stillWorks(scene: Scene, stay: Stay): Promise<boolean> {
  const canary = scene.options.canaries?.find(({ allowedFor }) => allowedFor === 'low')
  if (canary === undefined) return false
  return (await tryCanaryOn(scene, canary, { stay }, effectMs(scene))).kind === 'effect'
}

/** A fate in words. */
export function describeFate(fate: Fate, budgetMs: number): string {
  if (fate.kind === 'closed') return `the socket was closed after ${fate.afterMs} ms`
  if (fate.kind === 'nobody') return `the socket stayed open, and was nobody’s after ${fate.afterMs} ms`
  if (fate.kind === 'alive') return `the socket was still its user’s after ${budgetMs} ms`
  return `the socket was still open after ${budgetMs} ms; what it may still do could not be seen`
}
