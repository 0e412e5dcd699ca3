/** Sends a canary as somebody, and looks for its effect on a socket of somebody else: whatever its sender is told does not count. */
import { randomBytes } from 'node:crypto'
import type { Scene } from './check.ts'
import { effectOf } from './configured-patterns.ts'
import { say, type Probe } from './dialects/dialect.ts'
import type { Exchange } from './exchange.ts'
import type { Canary } from './options.ts'
import type { Changes, Stay } from './oracle.ts'
import type { Pattern } from './pattern.ts'
import { anonymous, type IdentityName, type Presented } from './presented.ts'
import type { Visit } from './visit.ts'

/** How one trial of a canary went. */
export interface Trial {
  readonly kind: 'effect' | 'no effect' | 'kept out' | 'blind'
  /** What was seen, or why nothing can be. */
  readonly says: string
  /** Of the sender, then of whoever watched. */
  readonly exchanges: readonly Exchange[]
}

/** Who sends a canary, and what is different from a good client. */
export interface Sender {
  readonly presented: Presented
  readonly changes?: Changes
  readonly alter?: (probe: Probe) => Probe
}

/** How long the effect of a message is waited for that may be sent, milliseconds: it ends the wait as soon as it is there. */
export const controlMs = 4_000
/** Least wait for the effect of a message that may not be sent, milliseconds. */
const leastMs = 600

/** How long an effect is waited for that should not be. */
export function effectMs({ oracle }: Scene): number {
  return Math.max(oracle.settleMs, leastMs)
}

/** What an identity shows; `undefined` for one that is not there. @throws LoginFailed, BudgetSpent */
export async function presentedAs(scene: Scene, who: IdentityName): Promise<Presented | undefined> {
  return who === 'anonymous' ? anonymous : scene[who]?.present()
}

/** A probe with its marker in place. */
export function fill<T extends Probe>(probe: T, marker: string): T {
  // Replacing a text of letters and digits in JSON leaves the same JSON.
  return JSON.parse(JSON.stringify(probe).replaceAll('{marker}', marker)) as T
}

/** Whatever `newMarker` gives. */
export const anyMarker: RegExp = /m[0-9a-f]{16}/g

/** A text that nobody has said before. */
export function newMarker(): string {
  return `m${randomBytes(8).toString('hex')}`
}

/** Enters, tries, and leaves. */
export async function tryCanary(
  scene: Scene,
  canary: Canary,
  sender: Sender,
  withinMs: number,
): Promise<Trial> {
  const stay = await scene.oracle.stay(sender.presented, sender.changes)
  try {
    if (stay.view.kind !== 'open')
      return { kind: 'kept out', says: 'does not enter the socket', exchanges: [stay.exchange] }
    return await tryCanaryOn(scene, canary, { stay, alter: sender.alter }, withinMs)
  } finally {
    await stay.visit.leave()
  }
}

/** Tries on a socket that is open already. */
export async function tryCanaryOn(
  scene: Scene,
  canary: Canary,
  { stay, alter = (probe) => probe }: { readonly stay: Stay; readonly alter?: Sender['alter'] | undefined },
  withinMs: number,
): Promise<Trial> {
  const { oracle, dialect, endpoint } = scene
  const { seenBy = 'high' } = canary
  const presented = seenBy === 'sender' ? anonymous : await presentedAs(scene, seenBy)
  if (presented === undefined) return blind(`there is no identity "${seenBy}" that would see the effect`)
  const watcher = seenBy === 'sender' ? stay : await oracle.stay(presented)
  try {
    if (watcher.view.kind !== 'open') return blind(`the identity "${seenBy}" does not enter the socket`)
    const marked = markCanary(scene, canary)
    subscribe(scene, watcher.visit, marked)
    const quietMs = canary.effect.includes('{marker}') && canary.watch === undefined ? 0 : oracle.settleMs
    if ((await oracle.hear(watcher.visit, (text) => marked.effect.test(text), quietMs)) !== undefined)
      return blind('what should be its effect is seen without the message, too')
    say(stay.visit, dialect, { probe: alter(marked.send), endpoint })
    const seen = await isSeen(scene, watcher.visit, marked, withinMs)
    watcher.visit.note(seen ? 'this is the effect of the message' : `no effect within ${withinMs} ms`)
    if (seen) await undoCanary(scene, marked)
    const heard = seenBy === 'sender' ? 'its sender is told what it gives' : `${seenBy} hears of it`
    return {
      kind: seen ? 'effect' : 'no effect',
      says: seen ? heard : 'no effect',
      exchanges: watcher === stay ? [stay.exchange] : [stay.exchange, watcher.exchange],
    }
  } finally {
    if (watcher !== stay) await watcher.visit.leave()
  }
}

/** A canary with a marker of its own in everything that belongs to it. */
export interface Marked {
  readonly canary: Canary
  readonly send: Probe
  readonly watch: Probe | undefined
  readonly effect: Pattern
  readonly undo: Probe | undefined
}

/** Marks a canary anew, so that no other message is taken for it. @throws SyntaxError for an effect that is no pattern */
export function markCanary(scene: Scene, canary: Canary): Marked {
  const marker = newMarker()
  const { send, watch, undo } = canary
  return {
    canary,
    send: fill(send, marker),
    watch: watch === undefined ? undefined : fill(watch, marker),
    effect: effectOf(scene, canary, marker),
    undo: undo === undefined ? undefined : fill(undo, marker),
  }
}

/** Subscribes on the socket from which the effect will be seen, where one hears nothing without. */
export function subscribe({ dialect, endpoint }: Scene, visit: Visit, { watch }: Marked): void {
  if (watch !== undefined) say(visit, dialect, { probe: watch, endpoint })
}

/**
 * Opens the socket of whoever sees a canary's effect, for several trials or unusual senders. Whoever gets it leaves it.
 * @returns `undefined` when that identity does not get in, or nobody but the sender sees it
 */
export async function openWatcher(
  scene: Scene,
  marked: Marked,
  seenBy: Canary['seenBy'] = marked.canary.seenBy ?? 'high',
): Promise<Stay | undefined> {
  const presented = seenBy === 'sender' ? undefined : await presentedAs(scene, seenBy)
  if (presented === undefined) return undefined
  const stay = await scene.oracle.stay(presented)
  if (stay.view.kind === 'open') {
    subscribe(scene, stay.visit, marked)
    return stay
  }
  await stay.visit.leave()
  return undefined
}

/** What was heard before is dropped; then somebody acts, and the effect comes to the watcher in time or does not. */
export async function takesEffect(
  scene: Scene,
  {
    watcher,
    marked,
    withinMs,
  }: { readonly watcher: Visit; readonly marked: Marked; readonly withinMs: number },
  act: (probe: Probe) => void,
): Promise<boolean> {
  // A subscription is older than whatever follows it once its socket has answered.
  if (marked.watch !== undefined) await watcher.pinged(scene.oracle.settleMs)
  while ((await watcher.next(0)) !== undefined);
  act(marked.send)
  return isSeen(scene, watcher, marked, withinMs)
}

/** Takes an effect back, as whoever may. */
export async function undoCanary(scene: Scene, { canary, undo }: Marked): Promise<void> {
  if (undo === undefined) return
  const presented = await presentedAs(scene, canary.allowedFor ?? 'high')
  if (presented === undefined) return
  const stay = await scene.oracle.stay(presented)
  if (stay.view.kind === 'open') {
    say(stay.visit, scene.dialect, { probe: undo, endpoint: scene.endpoint })
    await stay.visit.pinged(scene.oracle.settleMs)
  }
  await stay.visit.leave()
}

async function isSeen(
  { oracle }: Scene,
  watcher: Visit,
  { effect }: Marked,
  withinMs: number,
): Promise<boolean> {
  return (await oracle.hear(watcher, (text) => effect.test(text), withinMs)) !== undefined
}

function blind(says: string): Trial {
  return { kind: 'blind', says, exchanges: [] }
}
