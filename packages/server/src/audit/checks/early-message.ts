/** A2: a message is carried out before anybody knows who sends it. */
import {
  controlMs,
  effectMs,
  markCanary,
  openWatcher,
  presentedAs,
  takesEffect,
  undoCanary,
  type Marked,
} from '../canaries.ts'
import { ChallengeTalk } from '../challenge-talk.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { say, type Dialect } from '../dialects/dialect.ts'
import { expectOf, identityIn, privateOf } from '../configured-patterns.ts'
import { earlyOrdersOf, type EarlyOrder } from '../early-orders.ts'
import type { Canary } from '../options.ts'
import type { Stay } from '../oracle.ts'
import { Pattern } from '../pattern.ts'
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
    const marked = markCanary(scene, canary)
    const presented = await presentedAs(scene, canary.allowedFor ?? 'high')
    const watcher = await openWatcher(scene, marked)
    if (presented === undefined || watcher === undefined) {
      await watcher?.visit.leave()
      continue
    }
    const { visit } = await scene.oracle.stay(presented)
    const { dialect } = scene
    const works = await isCarriedOut(scene, { marked, watcher, visit, dialect, withinMs: controlMs })
    await Promise.all([visit.leave(), watcher.visit.leave()])
    if (!works)
      return {
        canaries: [],
        broken: `the canary "${canary.name}" has no effect even when it is sent by whoever may`,
      }
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
      const marked = markCanary(scene, canary)
      const watcher = await openWatcher(scene, marked)
      if (watcher === undefined) continue
      const early = { marked, watcher, visit, dialect, withinMs: effectMs(scene) }
      const works = await isCarriedOut(scene, early)
      await watcher.visit.leave()
      if (works)
        return {
          kind: 'carried out',
          finding: effectFinding(order, canary, [visit.exchange, watcher.exchange]),
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

interface Sending {
  readonly marked: Marked
  readonly watcher: Stay
  /** On which it is sent, and what is spoken there. */
  readonly visit: Visit
  readonly dialect: Dialect
  readonly withinMs: number
}

async function isCarriedOut(scene: Scene, { watcher, visit, dialect, ...trial }: Sending): Promise<boolean> {
  const done = await takesEffect(scene, { ...trial, watcher: watcher.visit }, (probe) =>
    say(visit, dialect, { probe, endpoint: scene.endpoint }),
  )
  if (done) await undoCanary(scene, trial.marked)
  return done
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
  const telling = privateOf(scene.budget, patterns).filter(({ source }) => !known.includes(source))
  const expect = expectOf(scene.budget, whoami)
  const says = (text: string): boolean => {
    if (Pattern.each(telling, text).some((match) => match !== null)) return true
    const identity = identityIn(expect?.exec(text))
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
