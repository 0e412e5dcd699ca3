/** Z1: a message of the mighty, sent by somebody who is not. */
import { controlMs, effectMs, presentedAs, tryCanary } from '../canaries.ts'
import type { Check, Finding, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { canary as canaries } from '../needs.ts'
import type { Canary } from '../options.ts'
import type { IdentityName } from '../presented.ts'

const maxCanaries = 8

/** What one canary came to. */
type Replay =
  | { readonly kind: 'unproven'; readonly why: string }
  | { readonly kind: 'held' | 'open'; readonly findings: readonly Finding[]; readonly exchanges: Exchange[] }

/** Privileged messages from low and from nobody. */
export const vertical: Check = {
  id: 'Z1',
  title: 'A message that is for privileged users works for others, too',
  cwe: [862, 285],
  asvs: ['8.2.1', '8.3.1'],
  safety: 'S',
  needs: [canaries],
  why: 'Pages hide buttons, they protect nothing: whoever has a socket can send any message on it. What may be done must be decided where it is done, for each message.',
  remedy: {
    text: 'Decide for every message whether the user of this socket may send it, by a table that denies what it does not name; look at the rights that the user has now.',
    ws: 'ws.on(\'message\', (data) => {\n  const message = JSON.parse(data)\n  if (!mayDo(user.role, message.type)) return ws.send(\'{"type":"error","reason":"forbidden"}\')\n  handlers[message.type](message)\n})',
    socketIo:
      "socket.use(([event], next) => next(mayDo(socket.data.user.role, event) ? undefined : new Error('forbidden')))",
    countersign:
      "guardUpgrades(server, wss, guard, {\n  messages: messagePolicy({ actions: { 'user.ban': { roles: ['admin'] }, 'chat.send': { roles: ['member'] } } }),\n})",
  },
  async run(scene) {
    const replays: Replay[] = []
    for (const canary of (scene.options.canaries ?? []).slice(0, maxCanaries))
      replays.push(await replay(scene, canary))
    const proven = replays.filter((one) => one.kind !== 'unproven')
    const findings = proven.flatMap((one) => one.findings)
    if (findings.length > 0) return { kind: 'fail', findings }
    const unproven = replays.filter((one) => one.kind === 'unproven').map(({ why }) => why)
    const exchanges = proven.flatMap((one) => one.exchanges).slice(0, 4)
    if (unproven.length > 0) return { kind: 'inconclusive', says: unproven.join('; '), exchanges }
    return { kind: 'pass', says: 'privileged messages have no effect when others send them', exchanges }
  },
}

async function replay(scene: Scene, canary: Canary): Promise<Replay> {
  const { allowedFor = 'high', name } = canary
  const owner = await presentedAs(scene, allowedFor)
  if (owner === undefined) return { kind: 'unproven', why: `${name}: there is no identity "${allowedFor}"` }
  const control = await tryCanary(scene, canary, { presented: owner }, controlMs)
  if (control.kind !== 'effect')
    return { kind: 'unproven', why: `${name}: sent by "${allowedFor}" as it should be: ${control.says}` }
  const findings: Finding[] = []
  const exchanges: Exchange[] = []
  const others: readonly IdentityName[] = allowedFor === 'high' ? ['low', 'anonymous'] : ['anonymous']
  for (const who of others) {
    const presented = await presentedAs(scene, who)
    if (presented === undefined) continue
    const trial = await tryCanary(scene, canary, { presented }, effectMs(scene))
    exchanges.push(...trial.exchanges)
    if (trial.kind === 'effect')
      findings.push({
        says: `“${name}” has its effect when ${who === 'low' ? 'the identity "low"' : 'a visitor without any credential'} sends it: ${trial.says}`,
        severity: who === 'low' ? 'high' : 'critical',
        confidence: 'high',
        subject: name,
        exchanges: trial.exchanges,
      })
  }
  return { kind: findings.length > 0 ? 'open' : 'held', findings, exchanges }
}
