/** Z3: the client says which role it has, and is believed. */
import { controlMs, effectMs, presentedAs, tryCanary } from '../canaries.ts'
import type { Check, Finding, Scene } from '../check.ts'
import type { Probe } from '../dialects/dialect.ts'
import { low, sight } from '../needs.ts'
import { byName } from '../self-naming.ts'
import { describeView, type Sight, type View } from '../oracle.ts'
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
    const plain = await scene.oracle.look(presented)
    const claims = claimsOf(scene.options.privilegedRole ?? defaultRole)
    const findings: Finding[] = []
    let last: Sight['exchange'] = plain.exchange
    for (const [name, sender] of await sendersWith(scene, claims)) {
      const { view, exchange } = await scene.oracle.look(sender.presented, sender.changes)
      if (rises(view, plain.view, scene))
        findings.push(
          finding(`${describeView(view)} instead of ${describeView(plain.view)}`, name, [exchange]),
        )
      last = exchange
    }
    findings.push(...(await byEffect(scene, claims)), ...(await byName(scene)))
    if (findings.length > 0) return { kind: 'fail', findings }
    return {
      kind: 'pass',
      says: `saying that one is “${claims.role}” changes nothing (${describeView(plain.view)})`,
      exchanges: [last],
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
    const plain = await presentedAs(scene, 'low')
    if (own === undefined || plain === undefined) continue
    if ((await tryCanary(scene, canary, { presented: own }, controlMs)).kind !== 'effect') continue
    // What works without a claim is a finding of its own: see Z1.
    if ((await tryCanary(scene, canary, { presented: plain }, effectMs(scene))).kind === 'effect') continue
    const saying =
      (claimed: Claims) =>
      (probe: Probe): Probe =>
        probeWith(claimed, probe, scene)
    const senders = [
      ['the message', { presented: plain, alter: saying(claims) }] as const,
      ['a mark in the message', { presented: plain, alter: saying(flatClaimsOf(claims)) }] as const,
      ...(await sendersWith(scene, claims)),
    ]
    for (const [place, sender] of senders) {
      const trial = await tryCanary(scene, canary, sender, effectMs(scene))
      if (trial.kind === 'effect')
        findings.push(finding(`“${canary.name}” has its effect, ${trial.says}`, place, trial.exchanges))
    }
  }
  return findings
}
