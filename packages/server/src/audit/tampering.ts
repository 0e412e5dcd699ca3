/** Whether others can do to a resource what its owner alone may: they know its name, and send what its owner would send. */
import { controlMs, effectMs, fill, newMarker, presentedAs } from './canaries.ts'
import type { Finding, Scene } from './check.ts'
import { tamperingOf } from './configured-patterns.ts'
import { say, type Probe } from './dialects/dialect.ts'
import type { Resource, Tampering } from './options.ts'
import type { Pattern } from './pattern.ts'
import type { IdentityName } from './presented.ts'

/** What trying came to; a text says why nothing could be seen. */
export type Tampered = string | readonly Finding[]

/** Lets everybody else do to a resource what belongs to its owner, each to one that is new. */
export async function tamperWith(scene: Scene, resource: Resource): Promise<Tampered> {
  const { tamper } = resource
  if (tamper === undefined) return []
  const others: readonly IdentityName[] = resource.of === 'high' ? ['low', 'anonymous'] : ['anonymous']
  const tried: Tampered[] = []
  for (const who of others) tried.push(await tamperAs(scene, { resource, tamper, who }))
  return tried.find((one) => typeof one === 'string') ?? tried.flat().filter((one) => typeof one !== 'string')
}

interface Trial {
  readonly resource: Resource
  readonly tamper: Tampering
  readonly who: IdentityName
}

async function tamperAs(scene: Scene, { resource, tamper, who }: Trial): Promise<Tampered> {
  const { oracle, dialect, endpoint } = scene
  const [owning, presented] = [await presentedAs(scene, resource.of), await presentedAs(scene, who)]
  if (owning === undefined || presented === undefined) return []
  const owner = await oracle.stay(owning)
  const stranger = await oracle.stay(presented)
  try {
    if (owner.view.kind !== 'open') return `the identity "${resource.of}" does not enter the socket`
    if (stranger.view.kind !== 'open') return []
    say(owner.visit, dialect, { probe: fill(resource.subscribe, newMarker()), endpoint })
    const patterns = tamperingOf(scene, resource, tamper)
    const id = patterns.id === undefined ? '' : await idHeard(scene, owner.visit, patterns.id)
    if (id === undefined) return 'its owner is not told what it is called'
    const isHarmed = async (withinMs: number): Promise<boolean> =>
      (await oracle.hear(owner.visit, (text) => patterns.harm.test(text), withinMs)) !== undefined
    say(stranger.visit, dialect, { probe: named(tamper.send, id), endpoint })
    const harmed = await isHarmed(effectMs(scene))
    if (harmed)
      return [
        {
          says: `${who === 'low' ? 'the identity "low"' : 'a visitor without any credential'} does to “${resource.name}” what "${resource.of}" alone may do`,
          severity: who === 'low' ? 'high' : 'critical',
          confidence: 'high',
          subject: `${resource.name}, changed`,
          exchanges: [stranger.exchange, owner.exchange],
        },
      ]
    say(owner.visit, dialect, { probe: named(tamper.send, id), endpoint })
    return (await isHarmed(controlMs)) ? [] : 'what its owner does to it cannot be seen either'
  } finally {
    await Promise.all([owner.visit.leave(), stranger.visit.leave()])
  }
}

async function idHeard(
  { oracle }: Scene,
  visit: Parameters<Scene['oracle']['hear']>[0],
  pattern: Pattern,
): Promise<string | undefined> {
  const text = await oracle.hear(visit, (heard) => pattern.test(heard), controlMs)
  return text === undefined ? undefined : pattern.exec(text)?.[1]
}

/** Ids are written by the target: they are put in as JSON, never as text of it. */
function named(probe: Probe, id: string): Probe {
  const value = /^\d{1,15}$/.test(id) ? Number(id) : id
  // Replacing within the texts of JSON, by their own encoding, leaves the same JSON.
  return JSON.parse(
    JSON.stringify(probe)
      .replaceAll('"{id}"', () => JSON.stringify(value))
      .replaceAll('{id}', () => JSON.stringify(id).slice(1, -1)),
  ) as Probe
}
