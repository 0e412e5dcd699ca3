/** I1: one wrong message does harm to others. */
import { anyMarker, newMarker } from '../canaries.ts'
import { relayedWrongly, sentBack, splitTexts } from '../careless-input.ts'
import type { Check, Finding, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { mutationsOf, pollutionsOf, type Mutation } from '../mutations.ts'
import { samplesOf, withTexts, type Sample } from '../sample-messages.ts'
import { enterAsSomebody, nobodyGetsIn, stayAsSomebody } from '../staying.ts'

/** How long a message may keep its reader busy before the next is sent, milliseconds. */
const readMs = 250
const restMs = 500

/** What became of the others. */
type Harm = 'none' | 'gone' | 'others closed' | 'once'

/** Messages that are wrong. */
export const malformedMessage: Check = {
  id: 'I1',
  title: 'A malformed message does harm beyond its own socket',
  cwe: [20, 1287, 1321],
  asvs: ['2.2.1', '2.2.2', '15.3.5', '15.3.6'],
  safety: 'A',
  needs: [],
  why: 'Whatever a client may send, somebody will. An exception that nobody catches ends the process for everybody; a merge that follows __proto__ changes every object in it.',
  remedy: {
    text: 'Parse within bounds, check each message against a schema before anything else looks at it, and let a failure end in an answer or in the end of that one socket.',
    ws: 'ws.on(\'message\', (data) => {\n  const message = schema.safeParse(parse(data)) // parse: JSON.parse within try\n  if (!message.success) return ws.send(\'{"type":"error","reason":"invalid_message"}\')\n  handle(message.data)\n})',
    socketIo:
      "socket.on('say', (payload, answer) => {\n  const message = schema.safeParse(payload)\n  if (!message.success) return typeof answer === 'function' && answer({ error: 'invalid_message' })\n  handle(message.data)\n})",
    countersign:
      "messagePolicy({ actions: { 'chat.send': { roles: ['member'], schema } } }) // schema: of zod, valibot or arktype",
  },
  async run(scene) {
    const bystander = await stayAsSomebody(scene)
    await bystander.visit.leave()
    if (bystander.view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
    const [sample] = samplesOf(scene)
    if (sample === undefined) return { kind: 'not tested', missing: 'a message that may be sent' }
    const mutations = mutationsOf(sample)
    const hurt = await sendAll(scene, mutations)
    if (hurt.finding !== undefined) return { kind: 'fail', findings: [hurt.finding] }
    const polluted = await pollute(scene, sample)
    if (polluted !== undefined) return { kind: 'fail', findings: [polluted] }
    const careless = [
      ...(await splitTexts(scene, sample)),
      ...(await Promise.all([relayedWrongly(scene), sentBack(scene, sample)])).flat(),
    ]
    if (careless.length > 0) return { kind: 'fail', findings: careless }
    const says = `${mutations.length} malformed messages ended in answers or closed sockets, nobody else noticed`
    if (hurt.once !== undefined)
      return {
        kind: 'inconclusive',
        says: `another socket was closed after ${hurt.once}; not again when it was repeated`,
        exchanges: hurt.exchanges,
      }
    return { kind: 'pass', says, exchanges: hurt.exchanges }
  },
}

interface Hurt {
  readonly finding?: Finding
  /** What another socket was closed after, once. */
  readonly once?: string
  readonly exchanges: readonly Exchange[]
}

async function sendAll(scene: Scene, mutations: readonly Mutation[]): Promise<Hurt> {
  let sender = await enterAsSomebody(scene)
  const bystander = await enterAsSomebody(scene)
  try {
    for (const mutation of mutations) {
      if (!sender.visit.live) {
        await sender.visit.leave()
        sender = await enterAsSomebody(scene)
      }
      sender.visit.send(mutation.text)
      await sender.visit.pinged(readMs)
      // Whatever closed this socket may be about to close the other.
      if (!sender.visit.live) await bystander.visit.pinged(restMs)
      if (bystander.visit.live) continue
      const exchanges = [sender.exchange, bystander.exchange]
      const harm = await repeat(scene, mutation)
      if (harm === 'none' || harm === 'once') return { once: mutation.name, exchanges }
      return { finding: findingOf(harm, mutation, exchanges), exchanges }
    }
    return { exchanges: [sender.exchange] }
  } finally {
    await Promise.all([sender.visit.leave(), bystander.visit.leave()])
  }
}

/** Whether it was that message: nothing answers any more, or others are closed again. */
async function repeat(scene: Scene, { text }: Mutation): Promise<Harm> {
  await scene.budget.pause(restMs)
  if ((await scene.oracle.knock()) === 'unreachable') return 'gone'
  const [sender, bystander] = [await enterAsSomebody(scene), await enterAsSomebody(scene)]
  sender.visit.send(text)
  await bystander.visit.closed(restMs)
  const closed = bystander.view.kind === 'open' && !bystander.visit.live
  await Promise.all([sender.visit.leave(), bystander.visit.leave()])
  return closed ? 'others closed' : 'once'
}

function findingOf(
  harm: 'gone' | 'others closed',
  { name }: Mutation,
  exchanges: readonly Exchange[],
): Finding {
  return {
    says:
      harm === 'gone'
        ? `the target is gone after one message: ${name}`
        : `one message ends the sockets of others: ${name}`,
    severity: 'high',
    confidence: 'high',
    subject: name,
    exchanges,
  }
}

/** Whether fresh sockets know a name that a message has put into the prototype of all objects. */
async function pollute(scene: Scene, sample: Sample): Promise<Finding | undefined> {
  const name = newMarker()
  const mark = newMarker()
  const sender = await enterAsSomebody(scene)
  for (const { text } of pollutionsOf(sample, name, mark)) {
    sender.visit.send(text)
    await sender.visit.pinged(readMs)
  }
  await sender.visit.leave()
  const found = await knows(scene, sample, { name, mark })
  // What a slow answer looked like once it does not look like twice.
  if (found === undefined || (await knows(scene, sample, { name, mark })) === undefined) return undefined
  return {
    says: found.shown
      ? 'a member that one client put into __proto__ is in what a fresh socket hears'
      : 'fresh sockets are answered differently about a name that one client put into __proto__',
    severity: 'high',
    confidence: found.shown ? 'high' : 'medium',
    subject: '__proto__',
    exchanges: [sender.exchange, found.exchange],
  }
}

/** Asks about the name, and about another that nobody has used: a sound target knows neither. */
async function knows(
  scene: Scene,
  sample: Sample,
  { name, mark }: { readonly name: string; readonly mark: string },
): Promise<{ readonly shown: boolean; readonly exchange: Exchange } | undefined> {
  const other = newMarker()
  const [one, again, control, controlAgain] = await Promise.all(
    [name, name, other, other].map((asked) => answersTo(scene, withTexts(sample, asked))),
  )
  if (one === undefined || again === undefined || control === undefined) return undefined
  // A history that is replayed shows the message itself, and proves nothing.
  const shown = one.lines.some((line) => line.includes(mark) && !/prototype|__proto__/.test(line))
  const shapes = [one, again, control, controlAgain].map((answers) => answers?.shape)
  const different = shapes[0] === shapes[1] && shapes[2] === shapes[3] && shapes[0] !== shapes[2]
  return shown || different ? { shown, exchange: one.exchange } : undefined
}

interface Answers {
  readonly lines: readonly string[]
  /** Without what differs each time. */
  readonly shape: string
  readonly exchange: Exchange
}

async function answersTo(scene: Scene, questions: readonly string[]): Promise<Answers> {
  const stay = await enterAsSomebody(scene)
  const lines: string[] = []
  for (const question of questions) stay.visit.send(question)
  await scene.oracle.hear(stay.visit, (text) => lines.push(text) < 0, scene.oracle.settleMs)
  await stay.visit.leave()
  // Where a room repeats to all what one has said, each hears the names of the others, too.
  const shape = lines
    .map((line) => line.replaceAll(anyMarker, '').replaceAll(/\d+/g, '#'))
    .toSorted()
    .join('\n')
  return { lines, shape, exchange: stay.exchange }
}
