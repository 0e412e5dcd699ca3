/** A peer that says that it is there and reads nothing: what the target does with everything that it was meant to hear. */
import { fill, newMarker, presentedAs } from './canaries.ts'
import type { Scene } from './check.ts'
import { say, type Probe } from './dialects/dialect.ts'
import type { Exchange } from './exchange.ts'
import { opcodes } from './frames.ts'
import type { Stay } from './oracle.ts'
import type { IdentityName } from './presented.ts'
import { stayAsSomebody } from './staying.ts'

/** How it went. */
export type SlowReading =
  /** Cut off, or not told what it did not read. */
  | { readonly kind: 'dropped'; readonly says: string; readonly exchanges: readonly Exchange[] }
  | { readonly kind: 'kept'; readonly says: string; readonly exchanges: readonly Exchange[] }
  /** So much came that waiting for the end would have been a flood. */
  | { readonly kind: 'unclear'; readonly says: string }
  /** Nothing piles up where so little is sent. */
  | { readonly kind: 'not tested'; readonly says: string }

/**
 * Bytes that have to be sent before anything is kept in the target itself: the buffers of both kernels hold less, as long
 * as nobody reads.
 */
const pileBytes = 6_291_456
const mostBytes = 2 * pileBytes
/** A message that makes the target speak is sent once, and so often only where that many make a pile. */
const maxSpoken = 60
const stepMs = 100
const quietMs = 500
const pulseMs = 2_000
/** Its three sockets stay open beside those of other checks that wait. */
const leastPlaces = 12

/** Something that makes the target speak to those who listen. */
interface Source {
  readonly listener: IdentityName
  readonly listen: Probe | undefined
  readonly speaker: IdentityName
  readonly speak: Probe
}

/** Reads nothing for a while on one socket, and everything on another. @throws LoginFailed, BudgetSpent */
export async function readSlowly(scene: Scene, withinMs: number): Promise<SlowReading> {
  const { budget } = scene
  if (budget.spent.bytes + 2 * mostBytes > budget.allowance.maxBytes)
    return { kind: 'not tested', says: 'the bytes of the audit do not suffice' }
  if (budget.allowance.maxOpen < leastPlaces)
    return { kind: 'not tested', says: `it takes an allowance of ${leastPlaces} open sockets` }
  const source = sourceOf(scene)
  const stays: Stay[] = []
  try {
    const slow = await enter(scene, source)
    stays.push(slow)
    const brisk = await enter(scene, source)
    stays.push(brisk)
    const speaker = source === undefined ? undefined : await enterAs(scene, source.speaker)
    if (speaker !== undefined) stays.push(speaker)
    if (stays.some(({ view }) => view.kind !== 'open'))
      return { kind: 'not tested', says: 'not everybody enters who is needed for it' }
    const speak = (): void => {
      if (speaker !== undefined && source !== undefined)
        say(speaker.visit, scene.dialect, {
          probe: fill(source.speak, newMarker()),
          endpoint: scene.endpoint,
        })
    }
    return await compare(scene, { slow, brisk, speak }, withinMs)
  } finally {
    await Promise.all(stays.map(({ visit }) => visit.leave()))
  }
}

interface Readers {
  readonly slow: Stay
  readonly brisk: Stay
  readonly speak: () => void
}

async function compare(
  scene: Scene,
  { slow, brisk, speak }: Readers,
  withinMs: number,
): Promise<SlowReading> {
  const from = performance.now()
  const until = from + withinMs
  const trialUntil = from + Math.max(withinMs / 10, 5 * stepMs)
  const sent = new Tally()
  let spoken = 0
  let nextPulse = from
  const counts = (text: string): boolean => {
    sent.add(text)
    return false
  }
  slow.visit.stopReading()
  while (performance.now() < until && sent.bytes < mostBytes && brisk.visit.live) {
    const worthwhile = spoken === 0 || (sent.bytes / spoken) * maxSpoken >= pileBytes
    if (sent.bytes < pileBytes && spoken < maxSpoken && worthwhile) {
      speak()
      spoken += 1
    }
    if (performance.now() >= nextPulse) {
      pulse(slow, scene)
      nextPulse += Math.min(pulseMs, withinMs / 10)
    }
    await scene.oracle.hear(brisk.visit, counts, stepMs)
    const now = performance.now()
    if (now > trialUntil && (sent.bytes / (now - from)) * withinMs < pileBytes) break
  }
  if (sent.bytes < pileBytes)
    return { kind: 'not tested', says: `the target sends too little to pile up (${inMiB(sent.bytes)})` }
  const waitedAll = performance.now() >= until
  const got = await readRest(scene, slow)
  const exchanges = [slow.exchange]
  const dropped = !slow.visit.live || got < sent.bytes * 0.9
  const amount = `${inMiB(got)} of ${inMiB(sent.bytes)} had been kept for it`
  if (dropped) return { kind: 'dropped', says: `of a peer that reads nothing, ${amount}`, exchanges }
  if (!waitedAll) return { kind: 'unclear', says: `so much is sent that a slow reader was not waited for` }
  return { kind: 'kept', says: amount, exchanges }
}

/** Reads what is left, until the end or a silence. @returns how many characters it was */
async function readRest({ oracle }: Scene, { visit }: Stay): Promise<number> {
  const got = new Tally()
  visit.readOn()
  for (;;) {
    const text = await oracle.hear(visit, () => true, quietMs)
    if (text === undefined || got.add(text) > mostBytes) return got.bytes
  }
}

/** How much was heard. */
class Tally {
  bytes = 0

  add(text: string): number {
    this.bytes += text.length
    return this.bytes
  }
}

/** Says that one is there, as nobody has asked: a pong may come unasked (RFC 6455 §5.5.3). */
function pulse({ visit }: Stay, { endpoint }: Scene): void {
  visit.sendFrame({ opcode: opcodes.pong, payload: Buffer.alloc(0) }, 'a pong that nobody has asked for')
  if (endpoint.protocol === 'socket.io') visit.send('3')
}

function sourceOf({ options: { resources = [], canaries = [] }, baseline }: Scene): Source | undefined {
  const enters = (who: 'low' | 'high'): boolean => baseline[who]?.view.kind === 'open'
  for (const { of, subscribe, trigger } of resources)
    if (trigger !== undefined && enters(of))
      return { listener: of, listen: subscribe, speaker: of, speak: trigger }
  // Other checks that look for the same effect at the same time must not take this one for theirs.
  for (const { seenBy = 'high', allowedFor = 'high', effect, watch, send, undo } of canaries)
    if (
      seenBy !== 'sender' &&
      undo === undefined &&
      effect.includes('{marker}') &&
      enters(seenBy) &&
      enters(allowedFor)
    )
      return { listener: seenBy, listen: watch, speaker: allowedFor, speak: send }
  return undefined
}

async function enter(scene: Scene, source: Source | undefined): Promise<Stay> {
  if (source === undefined) return stayAsSomebody(scene)
  const stay = await enterAs(scene, source.listener)
  if (source.listen !== undefined && stay.view.kind === 'open')
    say(stay.visit, scene.dialect, { probe: fill(source.listen, newMarker()), endpoint: scene.endpoint })
  return stay
}

async function enterAs(scene: Scene, who: IdentityName): Promise<Stay> {
  const presented = await presentedAs(scene, who)
  return presented === undefined ? stayAsSomebody(scene) : scene.oracle.stay(presented)
}

function inMiB(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`
}
