/** Whether somebody can speak in the name of another, who is named in nothing but the message. */
import { controlMs, effectMs, markCanary, presentedAs } from './canaries.ts'
import type { Finding, Scene } from './check.ts'
import { say, type Probe } from './dialects/dialect.ts'
import type { Canary } from './options.ts'
import type { Stay } from './oracle.ts'
import { probeWith } from './self-claims.ts'

/** Members by which messages name their sender in the field. */
const nameMembers = [
  'nickname',
  'user',
  'username',
  'userId',
  'user_id',
  'sender',
  'from',
  'author',
  'who',
] as const

/** Messages of `low` that others hear, with `high` named in them as the sender. */
export async function byName(scene: Scene): Promise<readonly Finding[]> {
  const { baseline, options } = scene
  const mighty = baseline.high?.view
  const own = baseline.low?.view
  if (mighty?.kind !== 'open' || mighty.identity === undefined) return []
  if (own?.kind !== 'open' || own.identity === undefined || own.identity === mighty.identity) return []
  const names = { own: own.identity, other: mighty.identity }
  const findings: Finding[] = []
  for (const canary of options.canaries ?? []) {
    const { allowedFor = 'high', seenBy = 'high' } = canary
    if (allowedFor !== 'low' || seenBy !== 'high' || !canary.effect.includes('{marker}')) continue
    const finding = await speakAs(scene, canary, names)
    if (finding !== undefined) findings.push(finding)
  }
  return findings
}

interface Names {
  readonly own: string
  readonly other: string
}

async function speakAs(scene: Scene, canary: Canary, { own, other }: Names): Promise<Finding | undefined> {
  const [sending, watching] = [await presentedAs(scene, 'low'), await presentedAs(scene, 'high')]
  if (sending === undefined || watching === undefined) return undefined
  const watcher = await scene.oracle.stay(watching)
  const sender = await scene.oracle.stay(sending)
  try {
    if (watcher.view.kind !== 'open' || sender.view.kind !== 'open') return undefined
    const usual = await heardOf(scene, { canary, sender, watcher, alter: (probe) => probe }, controlMs)
    // Only where the target tells who speaks can it be deceived about it.
    if (usual === undefined || !says(usual, own) || says(usual, other)) return undefined
    const members = Object.fromEntries(nameMembers.map((name) => [name, other]))
    const alter = (probe: Probe): Probe => probeWith({ role: '', members }, probe, scene)
    const heard = await heardOf(scene, { canary, sender, watcher, alter }, effectMs(scene))
    if (heard === undefined || says(heard, own) || !says(heard, other)) return undefined
    watcher.visit.note(`it was "low", ${own}, who said this`)
    return {
      says: `“${canary.name}” of the identity "low" is heard as said by ${other}, who is named in the message`,
      severity: 'high',
      confidence: 'high',
      subject: 'the name in the message',
      exchanges: [sender.exchange, watcher.exchange],
    }
  } finally {
    await Promise.all([watcher.visit.leave(), sender.visit.leave()])
  }
}

interface Saying {
  readonly canary: Canary
  readonly sender: Stay
  readonly watcher: Stay
  readonly alter: (probe: Probe) => Probe
}

async function heardOf(
  scene: Scene,
  { canary, sender, watcher, alter }: Saying,
  withinMs: number,
): Promise<string | undefined> {
  const { oracle, dialect, endpoint } = scene
  const { send, effect } = markCanary(scene, canary)
  say(sender.visit, dialect, { probe: alter(send), endpoint })
  return oracle.hear(watcher.visit, (text) => effect.test(text), withinMs)
}

/** Whether a text names somebody: as a JSON string of its own, not as a part of a word. */
function says(text: string, name: string): boolean {
  return text.includes(JSON.stringify(name))
}
