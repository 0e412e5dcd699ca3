/** Z2: what belongs to one user is read by another, who only has to know its name. */
import { controlMs, effectMs, fill, newMarker, presentedAs } from '../canaries.ts'
import type { Check, Finding, Need, Scene } from '../check.ts'
import { dataOf } from '../configured-patterns.ts'
import { say } from '../dialects/dialect.ts'
import type { Exchange } from '../exchange.ts'
import type { Resource } from '../options.ts'
import type { Stay } from '../oracle.ts'
import type { IdentityName } from '../presented.ts'
import { tamperWith } from '../tampering.ts'
import { waysTo, type Way } from '../ways-to.ts'

const maxResources = 6

const resources: Need = {
  missing: 'a resource: something that only one identity may read',
  met: ({ options }) => (options.resources?.length ?? 0) > 0,
}

/** Other people's rooms, topics and histories. */
export const horizontal: Check = {
  id: 'Z2',
  title: 'A user reads or changes what belongs to another',
  cwe: [639, 863],
  asvs: ['8.2.2'],
  safety: 'S',
  needs: [resources],
  why: 'Names of rooms, topics and users are no secrets. A server that subscribes whoever names one hands everybody’s data to anybody who can count; prefix and wildcard patterns do the same in one message.',
  remedy: {
    text: 'Decide each subscription by who asks and for what, when it is made; allow a pattern only to those who may read everything that it covers; take subscriptions back when the right is lost.',
    ws: 'if (message.owner !== user.id && !(await isMember(user.id, message.room))) return refuse()',
    socketIo:
      "socket.on('join', async (room, answer) => {\n  if (!(await isMember(socket.data.user.id, room))) return answer({ error: 'forbidden' })\n  await socket.join(room)\n  answer({})\n})",
    countersign:
      "messagePolicy({\n  actions: { 'room.join': { roles: ['member'], resource: 'room' } },\n  authorize: (principal, action, room = '') => isMember(principal.id, room),\n})",
  },
  async run(scene) {
    const findings: Finding[] = []
    const unproven: string[] = []
    const exchanges: Exchange[] = []
    for (const resource of (scene.options.resources ?? []).slice(0, maxResources)) {
      const tried = await steal(scene, resource)
      if (typeof tried === 'string') unproven.push(`${resource.name}: ${tried}`)
      else {
        findings.push(...tried.findings)
        exchanges.push(...tried.exchanges)
      }
      const tampered = await tamperWith(scene, resource)
      if (typeof tampered === 'string') unproven.push(`${resource.name}: ${tampered}`)
      else findings.push(...tampered)
    }
    if (findings.length > 0) return { kind: 'fail', findings }
    if (unproven.length > 0)
      return { kind: 'inconclusive', says: unproven.join('; '), exchanges: exchanges.slice(0, 4) }
    return {
      kind: 'pass',
      says: 'what belongs to one identity reaches no other',
      exchanges: exchanges.slice(0, 4),
    }
  },
}

/** What trying one resource came to; a text when its owner could not read it either. */
async function steal(
  scene: Scene,
  resource: Resource,
): Promise<string | { readonly findings: readonly Finding[]; readonly exchanges: readonly Exchange[] }> {
  const owner = await enter(scene, resource.of)
  if (owner === undefined) return `the identity "${resource.of}" does not enter the socket`
  const thieves: { readonly who: IdentityName; readonly way: Way; readonly stay: Stay }[] = []
  try {
    const marker = newMarker()
    say(owner.visit, scene.dialect, { probe: fill(resource.subscribe, marker), endpoint: scene.endpoint })
    await owner.visit.pinged(scene.oracle.settleMs)
    const others: readonly IdentityName[] = resource.of === 'high' ? ['low', 'anonymous'] : ['anonymous']
    const ways = waysTo(resource, scene.endpoint.protocol)
    const entering = others.flatMap((who) =>
      ways.map(async (way) => {
        const stay = await enter(scene, who)
        if (stay !== undefined) thieves.push({ who, way, stay })
      }),
    )
    await Promise.all(entering)
    await Promise.all(thieves.map(({ way, stay }) => way.take(scene, stay, marker)))
    await trigger(scene, resource, marker)
    const data = dataOf(scene, resource, marker)
    const overhears = (stay: Stay, withinMs: number): Promise<string | undefined> =>
      scene.oracle.hear(stay.visit, (text, kind) => kind === 'data' && data.test(text), withinMs)
    if ((await overhears(owner, controlMs)) === undefined)
      return `its owner, the identity "${resource.of}", does not hear it either`
    const heard = await Promise.all(thieves.map(({ stay }) => overhears(stay, effectMs(scene))))
    return {
      findings: thieves.flatMap((thief, at) => (heard[at] === undefined ? [] : [findingOf(resource, thief)])),
      exchanges: thieves.map(({ stay }) => stay.exchange),
    }
  } finally {
    await Promise.all([owner, ...thieves.map(({ stay }) => stay)].map(({ visit }) => visit.leave()))
  }
}

/** A socket of an identity; `undefined` where it does not get in. */
async function enter(scene: Scene, who: IdentityName): Promise<Stay | undefined> {
  const presented = await presentedAs(scene, who)
  if (presented === undefined) return undefined
  const stay = await scene.oracle.stay(presented)
  if (stay.view.kind === 'open') return stay
  await stay.visit.leave()
  return undefined
}

async function trigger(scene: Scene, resource: Resource, marker: string): Promise<void> {
  if (resource.trigger === undefined) return
  const stay = await enter(scene, resource.of)
  if (stay === undefined) return
  say(stay.visit, scene.dialect, { probe: fill(resource.trigger, marker), endpoint: scene.endpoint })
  await stay.visit.pinged(scene.oracle.settleMs)
  await stay.visit.leave()
}

function findingOf(
  { name, of }: Resource,
  { who, way, stay }: { readonly who: IdentityName; readonly way: Way; readonly stay: Stay },
): Finding {
  const thief = who === 'low' ? 'the identity "low"' : 'a visitor without any credential'
  return {
    says: `${thief} hears “${name}”, which belongs to "${of}", by ${way.name}`,
    severity: who === 'low' ? 'high' : 'critical',
    confidence: 'high',
    subject: name,
    exchanges: [stay.exchange],
  }
}
