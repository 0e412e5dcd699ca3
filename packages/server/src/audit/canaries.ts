/** Sends a canary as somebody and looks for its effect on a socket of somebody else: no answer counts, only the effect. */
import { randomBytes } from 'node:crypto'
import type { Scene } from './check.ts'
import { effectOf } from './configured-patterns.ts'
import { say, type Probe } from './dialects/dialect.ts'
import type { Exchange } from './exchange.ts'
import type { Canary } from './options.ts'
import type { Changes, Stay } from './oracle.ts'
import { anonymous, type IdentityName, type Presented } from './presented.ts'

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
    const marker = newMarker()
    const effect = effectOf(scene, canary, marker)
    const isEffect = (text: string): boolean => effect.test(text)
    if (canary.watch !== undefined)
      say(watcher.visit, dialect, { probe: fill(canary.watch, marker), endpoint })
    const marked = canary.effect.includes('{marker}')
    const quietMs = marked && canary.watch === undefined ? 0 : oracle.settleMs
    if ((await oracle.hear(watcher.visit, isEffect, quietMs)) !== undefined)
      return blind('what should be its effect is seen without the message, too')
    say(stay.visit, dialect, { probe: alter(fill(canary.send, marker)), endpoint })
    const seen = await oracle.hear(watcher.visit, isEffect, withinMs)
    watcher.visit.note(
      seen === undefined ? `no effect within ${withinMs} ms` : 'this is the effect of the message',
    )
    if (seen !== undefined) await undo(scene, canary, marker)
    return {
      kind: seen === undefined ? 'no effect' : 'effect',
      says:
        seen === undefined
          ? 'no effect'
          : seenBy === 'sender'
            ? 'its sender is told what it gives'
            : `${seenBy} hears of it`,
      exchanges: watcher === stay ? [stay.exchange] : [stay.exchange, watcher.exchange],
    }
  } finally {
    if (watcher !== stay) await watcher.visit.leave()
  }
}

function blind(says: string): Trial {
  return { kind: 'blind', says, exchanges: [] }
}

/** Takes an effect back, as whoever may. */
async function undo(scene: Scene, canary: Canary, marker: string): Promise<void> {
  if (canary.undo === undefined) return
  const presented = await presentedAs(scene, canary.allowedFor ?? 'high')
  if (presented === undefined) return
  const stay = await scene.oracle.stay(presented)
  if (stay.view.kind === 'open') {
    say(stay.visit, scene.dialect, { probe: fill(canary.undo, marker), endpoint: scene.endpoint })
    await stay.visit.pinged(scene.oracle.settleMs)
  }
  await stay.visit.leave()
}
