/** A2: a message is carried out before anybody knows who sends it. */
import { observe, sendCanary, takesEffect, undoCanary, type Watcher } from '../canary-effect.ts'
import { ChallengeTalk } from '../challenge-talk.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { say, type Dialect } from '../dialects/dialect.ts'
import { earlyOrdersOf, type EarlyOrder } from '../early-orders.ts'
import type { Canary } from '../options.ts'
import { anonymous } from '../presented.ts'
import { failOr, finding, inconclusive, notTested, pass } from '../verdict.ts'
import { Visit } from '../visit.ts'

/** Messages before authentication. */
export const earlyMessage: Check = {
  id: 'A2',
  title: 'A message is carried out before its sender was let in',
  cwe: [306, 696],
  asvs: ['2.3.1'],
  safety: 'A',
  needs: [
    {
      missing: 'a canary, a whoami probe, or patterns of private data',
      met: ({ oracle, options }) => oracle.sees || (options.canaries?.length ?? 0) > 0,
    },
  ],
  why: 'Where the credential comes in a message, everything depends on the order. A client does not have to keep it: it may send the order first and the name never, or speak an older protocol that nobody looks after.',
  remedy: {
    text: 'Give a socket states, and in the first one hear nothing but the credential; whatever else comes closes it (4401, 1008). One gate for all protocols and namespaces.',
    ws: "ws.once('message', async (data) => {\n  const user = await verify(data)\n  if (!user) return ws.close(1008)\n  ws.on('message', (message) => handle(user, message)) // not before\n})",
    socketIo:
      "io.of(/.*/).use(async (socket, next) => next((await verify(socket.handshake.auth)) ? undefined : new Error('unauthorized')))",
    countersign:
      'createGuard({ accept: [ticket({ from: firstMessage() })] }) // what comes earlier waits, or is refused',
  },
  async run(scene) {
    const working = await workingCanaries(scene)
    if (working.broken !== undefined) return inconclusive(working.broken)
    const findings: Finding[] = []
    const refused: string[] = []
    for (const order of earlyOrdersOf(scene)) {
      const attempt = await tryOrder(scene, order, working.canaries)
      if (attempt.kind === 'carried out') findings.push(attempt.finding)
      else refused.push(`${order.name}: ${attempt.says}`)
    }
    findings.push(...(await secondHello(scene)))
    const { options } = scene
    if (findings.length === 0 && !scene.oracle.sees && options.canaries?.length !== working.canaries.length)
      return notTested('identities that send and see the canaries')
    return failOr(findings, pass(refused.join('; ')))
  },
}

/** Canaries whose effect is seen when they are sent by whoever may. */
async function workingCanaries(
  scene: Scene,
): Promise<{ readonly canaries: readonly Canary[]; readonly broken?: string }> {
  const working: Canary[] = []
  for (const canary of scene.options.canaries ?? []) {
    const identity = (canary.allowedFor ?? 'high') === 'high' ? scene.high : scene.low
    const observer = await observe(scene, canary)
    if (identity === undefined || observer === undefined) {
      await observer?.stay.visit.leave()
      continue
    }
    const sender = await scene.oracle.stay(await identity.present())
    const works = await takesEffect(scene, observer, (marked) => sendCanary(scene, sender.visit, marked))
    await Promise.all([sender.visit.leave(), observer.stay.visit.leave()])
    if (!works)
      return {
        canaries: [],
        broken: `the canary "${canary.name}" has no effect even when it is sent by whoever may`,
      }
    await undoCanary(scene, observer.canary)
    working.push(canary)
  }
  return { canaries: working }
}

type Attempt =
  | { readonly kind: 'refused'; readonly says: string }
  | { readonly kind: 'carried out'; readonly finding: Finding }

/** Sends everything that could tell in one order. */
async function tryOrder(scene: Scene, order: EarlyOrder, canaries: readonly Canary[]): Promise<Attempt> {
  const { needs, oracle } = scene
  const { dialect } = order
  const changes = { subprotocols: [...scene.endpoint.subprotocols, ...dialect.subprotocols] }
  const visit = await Visit.open(needs, oracle.attempt(anonymous, changes))
  try {
    if (!visit.opened) return { kind: 'refused', says: 'no socket' }
    await order.lead(visit, scene)
    for (const canary of canaries) {
      const observer = await observe(scene, canary)
      if (observer === undefined) continue
      const works = await effectOf(scene, { observer, visit, dialect })
      if (works)
        return {
          kind: 'carried out',
          finding: effectFinding(order, canary, [visit.exchange, observer.stay.exchange]),
        }
    }
    const told = await answered(scene, visit, dialect)
    if (told === undefined)
      return { kind: 'refused', says: visit.live ? 'no effect' : `closed ${visit.ending?.code ?? ''}` }
    const says = `${order.name}, a message is answered: ${needs.masking.hide(told.slice(0, 120))}`
    return {
      kind: 'carried out',
      finding: finding('high', says, { subject: order.name, exchanges: [visit.exchange] }),
    }
  } finally {
    await visit.leave()
  }
}

interface Early {
  readonly observer: Watcher
  readonly visit: Visit
  readonly dialect: Dialect
}

async function effectOf(scene: Scene, { observer, visit, dialect }: Early): Promise<boolean> {
  try {
    const works = await takesEffect(scene, observer, ({ send }) =>
      say(visit, dialect, { probe: send, endpoint: scene.endpoint }),
    )
    if (works) await undoCanary(scene, observer.canary)
    return works
  } finally {
    await observer.stay.visit.leave()
  }
}

function effectFinding(order: EarlyOrder, { name }: Canary, exchanges: Finding['exchanges']): Finding {
  const says = `${order.name}, the message "${name}" had its effect`
  return finding('high', says, { subject: `${order.name}: ${name}`, exchanges })
}

/** What the socket answers to a question that only those may ask who were let in. */
async function answered(scene: Scene, visit: Visit, dialect: Dialect): Promise<string | undefined> {
  const { options, oracle, endpoint, baseline } = scene
  const { whoami, private: patterns = [] } = options
  if (whoami?.send !== undefined) say(visit, dialect, { probe: whoami.send, endpoint })
  const nobody = baseline.anonymous.view
  const known = nobody.kind === 'open' ? nobody.heard : []
  const telling = patterns
    .filter((pattern) => !known.includes(new RegExp(pattern).source))
    .map((pattern) => new RegExp(pattern))
  const expect = whoami === undefined ? undefined : new RegExp(whoami.expect)
  const says = (text: string): boolean => {
    if (telling.some((pattern) => pattern.test(text))) return true
    const match = expect?.exec(text)
    const identity = match?.groups?.['identity'] ?? match?.[1]
    return identity !== undefined && (nobody.kind !== 'open' || identity !== nobody.identity)
  }
  const until = performance.now() + oracle.settleMs
  for (;;) {
    const message = await visit.next(Math.max(0, until - performance.now()))
    if (message === undefined) return undefined
    const heard = dialect.read(message)
    if (heard.kind === 'control' && heard.answer !== undefined) visit.send(heard.answer)
    if (heard.kind === 'data' && says(heard.text)) return heard.text
  }
}

/** WAMP: a session that says HELLO again and is welcomed again. */
async function secondHello(scene: Scene): Promise<readonly Finding[]> {
  const { endpoint, oracle, low, baseline } = scene
  if (endpoint.protocol !== 'wamp') return []
  const enters = low !== undefined && baseline.low?.view.kind === 'open'
  const { visit, view } = await oracle.stay(enters ? await low.present() : anonymous)
  try {
    if (view.kind !== 'open') return []
    const talk = new ChallengeTalk(visit, { ...endpoint, patienceMs: oracle.settleMs })
    const said = await talk.hello({ authid: low?.wamp?.authid ?? 'audit', methods: ['anonymous'] })
    if (said.kind !== 'accepted') return []
    const says = 'a session that says HELLO a second time is welcomed a second time'
    return [finding('medium', says, { subject: 'second HELLO', exchanges: [visit.exchange] })]
  } finally {
    await visit.leave()
  }
}
