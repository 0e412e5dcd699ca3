/** Z3: the client says which role it has, and is believed. */
import { controlMs, effectMs, presentedAs, tryCanary, type Sender, type Trial } from '../canaries.ts'
import type { Check, Finding, Scene } from '../check.ts'
import type { Probe } from '../dialects/dialect.ts'
import type { Canary } from '../options.ts'
import { low, sight } from '../needs.ts'
import { byName } from '../self-naming.ts'
import { describeView, type View } from '../oracle.ts'
import { sideBySide } from '../side-by-side.ts'
import { claimsOf, flatClaimsOf, probeWith, sendersWith, type Claims } from '../self-claims.ts'

const defaultRole = 'admin'

/** Self-declared rights. */
export const selfDeclared: Check = {
  id: 'Z3',
  title: 'A client gets the rights that it says it has',
  cwe: [269, 915, 863],
  asvs: ['15.3.3', '8.3.1'],
  safety: 'S',
  needs: [sight, low],
  why: 'Whatever a client sends is the client’s own choice. A role that is taken from a query, a header, the payload of a login or a message is a role that anybody may have.',
  remedy: {
    text: 'Take rights from your own records of the user who was proved, never from what came with the request; copy only named members of a message into objects of yours.',
    ws: 'const user = await userOf(session)\nconst { text, room } = schema.parse(message) // not { ...user, ...message }',
    socketIo:
      "io.use(async (socket, next) => {\n  socket.data.user = await verify(socket.handshake.auth.token) // and nothing else of auth\n  next(socket.data.user ? undefined : new Error('unauthorized'))\n})",
    countersign: 'lease.principal.roles // what the credential was issued with; there is no other way in',
  },
  async run(scene) {
    const presented = await presentedAs(scene, 'low')
    if (presented === undefined) return { kind: 'not tested', missing: low.missing }
    const claims = claimsOf(scene.options.privilegedRole ?? defaultRole)
    const senders = await sendersWith(scene, claims)
    const [plain, ...claimed] = await Promise.all([
      scene.oracle.look(presented),
      ...senders.map(([, { presented: shown, changes }]) => scene.oracle.look(shown, changes)),
    ])
    const findings = senders.flatMap(([name], at) => {
      const sight = claimed[at]
      if (sight === undefined || !rises(sight.view, plain.view, scene)) return []
      const says = `${describeView(sight.view)} instead of ${describeView(plain.view)}`
      return [finding(says, name, [sight.exchange])]
    })
    findings.push(...(await byEffect(scene, claims)), ...(await byName(scene)))
    if (findings.length > 0) return { kind: 'fail', findings }
    return {
      kind: 'pass',
      says: `saying that one is “${claims.role}” changes nothing (${describeView(plain.view)})`,
      exchanges: [(claimed.at(-1) ?? plain).exchange],
    }
  },
}

function finding(says: string, place: string, exchanges: Finding['exchanges']): Finding {
  return {
    says: `the identity "low" says in ${place} that it is more, and is believed: ${says}`,
    severity: 'high',
    confidence: 'high',
    subject: place,
    exchanges,
  }
}

/** Whether a view is that of somebody else, or shows what only others see. */
function rises(view: View, plain: View, { baseline }: Scene): boolean {
  if (view.kind !== 'open') return false
  if (plain.kind !== 'open') return view.identity !== undefined || view.heard.length > 0
  const nobody = baseline.anonymous.view
  const downgraded = nobody.kind === 'open' && nobody.identity === view.identity
  if (view.identity !== undefined && view.identity !== plain.identity && !downgraded) return true
  return view.heard.some((pattern) => !plain.heard.includes(pattern))
}

/** Privileged messages whose effect is seen only when something is said about oneself. */
async function byEffect(scene: Scene, claims: Claims): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const canary of scene.options.canaries ?? []) {
    if ((canary.allowedFor ?? 'high') !== 'high') continue
    const own = await presentedAs(scene, 'high')
    if (own === undefined) continue
    if ((await tryCanary(scene, canary, { presented: own }, controlMs)).kind !== 'effect') continue
    for (const [place, trial] of await believed(scene, canary, claims))
      findings.push(finding(`“${canary.name}” has its effect, ${trial.says}`, place, trial.exchanges))
  }
  return findings
}

type Placed = readonly [place: string, trial: Trial]

/** Where a claim gave a message its effect, which it has not without. */
async function believed(scene: Scene, canary: Canary, claims: Claims): Promise<readonly Placed[]> {
  const attempt = ([place, sender]: Suspect): Promise<Placed> =>
    tryCanary(scene, canary, sender, effectMs(scene)).then((trial) => [place, trial])
  const suspects = await suspectsOf(scene, claims)
  const together = await sideBySide(scene.budget, { items: suspects, sockets: 2 }, attempt)
  // Whose message had an effect that carries no mark is known only when each is sent alone.
  const told = canary.seenBy === 'sender' || canary.effect.includes('{marker}')
  const quiet = together.every(([, { kind }]) => kind === 'no effect' || kind === 'kept out')
  const trials = told || quiet ? together : await oneByOne(await suspectsOf(scene, claims), attempt)
  const [plain, ...claimed] = trials
  // What works without a claim is a finding of its own: see Z1.
  if (plain === undefined || plain[1].kind === 'effect') return []
  return claimed.filter(([, trial]) => trial.kind === 'effect')
}

type Suspect = readonly [place: string, sender: Sender]

/** Somebody who claims nothing, and then each way to claim; none without an identity `low`. */
async function suspectsOf(scene: Scene, claims: Claims): Promise<readonly Suspect[]> {
  const saying =
    (claimed: Claims) =>
    (probe: Probe): Probe =>
      probeWith(claimed, probe, scene)
  const ways: readonly (readonly [string, Sender['alter']])[] = [
    ['nothing', (probe) => probe],
    ['the message', saying(claims)],
    ['a mark in the message', saying(flatClaimsOf(claims))],
  ]
  const suspects: Suspect[] = []
  for (const [place, alter] of ways) {
    // A token that opens one socket is fetched for each.
    const presented = await presentedAs(scene, 'low')
    if (presented !== undefined && alter !== undefined) suspects.push([place, { presented, alter }])
  }
  return [...suspects, ...(await sendersWith(scene, claims))]
}

/** One after the other; nothing more once the first, who claims nothing, had an effect. */
async function oneByOne(
  suspects: readonly Suspect[],
  attempt: (suspect: Suspect) => Promise<Placed>,
): Promise<readonly Placed[]> {
  const done: Placed[] = []
  for (const suspect of suspects) {
    done.push(await attempt(suspect))
    if (done[0]?.[1].kind === 'effect') break
  }
  return done
}
