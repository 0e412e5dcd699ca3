/** Z4: the main namespace or realm has a gate, another one beside it has none. */
import { randomBytes } from 'node:crypto'
import { presentedAs } from '../canaries.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { isSomebody, speaks } from '../needs.ts'
import type { Place } from '../options.ts'
import { describeView, type Sight } from '../oracle.ts'
import { anonymous, type IdentityName } from '../presented.ts'
import type { Endpoint } from '../target.ts'

const wellKnown = {
  'socket.io': ['/', '/admin', '/console', '/internal', '/private', '/api', '/debug', '/monitoring'],
  wamp: ['realm1', 'admin', 'internal', 'private', 'system', 'backend', 'test'],
} as const

/** What one attempt at one place came to. */
interface Attempted {
  readonly place: Place
  readonly declared: boolean
  readonly who: IdentityName
  readonly sight: Sight
}

/** Namespaces and realms without a gate. */
export const sidePlaces: Check = {
  id: 'Z4',
  title: 'A namespace or realm beside the main one has no gate',
  cwe: [288],
  asvs: ['8.2.1'],
  safety: 'A',
  needs: [speaks('socket.io', 'wamp')],
  why: 'Middleware of one Socket.IO namespace does not run for another, and each WAMP realm has its own roles. A namespace that was added later is open until somebody thinks of it.',
  remedy: {
    text: 'Put the gate before all namespaces and realms, and name those that may be entered; refuse the rest.',
    ws: '// not concerned: one path, one gate',
    socketIo:
      "io.use(authenticate)\nio.of('/admin').use(authenticate).use(onlyAdmins) // io.use covers '/' alone",
    countersign:
      "guardSocketIo(io, guard, { namespaces: { '/': { events }, '/admin': { events: adminEvents, guard: adminGuard } } })",
  },
  async run(scene) {
    const main = scene.baseline.anonymous
    const attempts = await attemptAll(scene)
    // A place that nobody has made: where it opens, every name does, and entering one says nothing.
    const nowhere = await lookAt(scene, { name: unknownPlace(scene.endpoint) }, 'anonymous')
    const anyName = nowhere?.view.kind === 'open'
    const findings = attempts.flatMap((one) => judge(one, { scene, main, anyName }))
    if (findings.length > 0) return { kind: 'fail', findings }
    const entered = attempts.filter(({ sight }) => sight.view.kind === 'open')
    const exchanges = (entered.length > 0 ? entered : attempts).slice(0, 2).map(({ sight }) => sight.exchange)
    const names = [...new Set(entered.map(({ place }) => place.name))].join(', ')
    if (entered.some(({ who, declared }) => who === 'anonymous' && !declared) && main.view.kind !== 'open')
      return {
        kind: 'info',
        says: `anybody may enter ${names}; every name opens, and nothing is heard there`,
        exchanges,
      }
    return {
      kind: 'pass',
      says: `tried ${attempts.length} ways into other places; ${names === '' ? 'none opens' : `open where they may be: ${names}`}`,
      exchanges,
    }
  },
}

async function attemptAll(scene: Scene): Promise<readonly Attempted[]> {
  const { endpoint, options, baseline } = scene
  const declared = options.places ?? []
  const own = endpoint.protocol === 'wamp' ? endpoint.realm : endpoint.namespace
  const known: readonly string[] = endpoint.protocol === 'wamp' ? wellKnown.wamp : wellKnown['socket.io']
  const guessed = known.filter((name) => name !== own && !declared.some((place) => place.name === name))
  const places = [
    ...declared.map((place) => ({ place, declared: true })),
    ...guessed.map((name): { place: Place; declared: boolean } => ({ place: { name }, declared: false })),
  ]
  const who: readonly IdentityName[] =
    baseline.low?.view.kind === 'open' ? ['anonymous', 'low'] : ['anonymous']
  const attempts = await Promise.all(
    places.flatMap((place) =>
      who.map(async (name): Promise<readonly Attempted[]> => {
        const sight = await lookAt(scene, place.place, name)
        return sight === undefined ? [] : [{ ...place, who: name, sight }]
      }),
    ),
  )
  return attempts.flat()
}

async function lookAt(scene: Scene, { name }: Place, who: IdentityName): Promise<Sight | undefined> {
  const { endpoint } = scene
  const presented = who === 'anonymous' ? anonymous : await presentedAs(scene, who)
  if (presented === undefined) return undefined
  const oracle = scene.oracle.at(endpoint.protocol === 'wamp' ? { realm: name } : { namespace: name })
  const stay = await oracle.stay(presented)
  await stay.visit.leave()
  // Silence is no entrance here: both protocols say so when one is in.
  const entered = stay.exchange.some(({ from, text }) => from === 'target' && isWelcome(text, endpoint))
  if (stay.view.kind === 'open' && !entered)
    return {
      view: { kind: 'refused', at: 'socket', code: undefined, words: 'silence' },
      exchange: stay.exchange,
    }
  return { view: stay.view, exchange: stay.exchange }
}

function isWelcome(text: string, { protocol }: Endpoint): boolean {
  return protocol === 'wamp' ? /^\[\s*2\s*,/.test(text) : text.startsWith('40')
}

function unknownPlace({ protocol }: Endpoint): string {
  const name = `audit${randomBytes(6).toString('hex')}`
  return protocol === 'wamp' ? name : `/${name}`
}

function judge(
  { place, declared, who, sight }: Attempted,
  { scene, main, anyName }: { readonly scene: Scene; readonly main: Sight; readonly anyName: boolean },
): readonly Finding[] {
  const { view, exchange } = sight
  const { name, allowedFor = 'low' } = place
  if (view.kind !== 'open' || allowedFor === 'anyone') return []
  const hears = view.heard.length > 0 || (who === 'anonymous' && isSomebody(view, scene))
  const found = (
    says: string,
    severity: Finding['severity'],
    confidence: Finding['confidence'],
  ): readonly Finding[] => [{ says, severity, confidence, subject: name, exchanges: [exchange] }]
  if (who === 'anonymous') {
    const nobody = `a visitor without any credential is in ${name}`
    if (hears) return found(`${nobody}: ${describeView(view)}`, 'high', 'high')
    if (main.view.kind === 'open' && !declared) return []
    if (anyName) return []
    return found(`${nobody}, though the way in is closed elsewhere`, 'medium', declared ? 'high' : 'medium')
  }
  if (declared && allowedFor === 'high')
    return found(`the identity "low" is in ${name}, which is for "high"`, 'high', 'high')
  return []
}
