/** A4: a ticket opens a second socket. */
import type { Check, Scene } from '../check.ts'
import type { Identity } from '../identity.ts'
import { isIn, low, token } from '../needs.ts'
import { homeOf, otherNodes } from '../nodes.ts'
import { describeView, type Changes, type Sight } from '../oracle.ts'
import type { Presented } from '../presented.ts'
import { failOr, finding, inconclusive, info, notTested, pass } from '../verdict.ts'
import { foreignOrigin } from './cross-site.ts'

/** A way to show a spent token again. */
interface Again {
  readonly how: string
  readonly presented: Presented
  readonly changes?: Changes
}

/** Token replay. */
export const tokenReplay: Check = {
  id: 'A4',
  title: 'A spent ticket opens another socket',
  cwe: [294],
  asvs: ['4.4.3', '6.5.1'],
  safety: 'S',
  needs: [low, token],
  why: 'A ticket in a URL or a message is written down on its way: in logs, histories and proxies. What makes that harmless is that it opens one socket and is then worth nothing.',
  remedy: {
    text: 'Take the ticket out of the store in the step that looks it up (GETDEL, DELETE … RETURNING), before anything else is decided, and let it live for half a minute at most.',
    ws: "const user = await redis.getDel(`ticket:${sha256(url.searchParams.get('ticket'))}`)\nif (user === null) return refuse(socket, 401)",
    socketIo:
      "io.use(async (socket, next) => {\n  const user = await redis.getDel(`ticket:${sha256(socket.handshake.auth.ticket)}`)\n  if (user === null) return next(new Error('unauthorized'))\n  socket.data.user = user\n  next()\n})",
    countersign:
      "createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] }) // taken, then judged",
  },
  async run(scene) {
    const { oracle, low: identity } = scene
    if (identity === undefined) return notTested(low.missing)
    const value = await identity.token()
    const first = await oracle.stay(identity.presentToken(value))
    try {
      if (!isIn(first.view, scene))
        return inconclusive(`a fresh token is ${describeView(first.view)}`, first.exchange)
      const here = await lookAgain(scene, identity, value)
      const elsewhere = await lookElsewhere(scene, identity)
      const again = [...here, ...elsewhere.seen]
      const accepted = again.find(({ sight }) => isIn(sight.view, scene))
      const { exchange, view } = (accepted ?? again.at(-1))?.sight ?? first
      if (accepted === undefined) {
        const says = [`shown again, a token is ${describeView(view)}`, ...elsewhere.remarks].join('; ')
        return elsewhere.failed ? inconclusive(says, exchange) : pass(says, exchange)
      }
      if (identity.options.token?.singleUse !== true)
        return info('one token opens several sockets; it is not declared to be of single use', exchange)
      const says = `a ticket that had opened a socket opened another one ${accepted.how}`
      return failOr([finding('high', says, { exchanges: [first.exchange, exchange] })], pass(''))
    } finally {
      await first.visit.leave()
    }
  },
}

/** A spent token that was shown again. */
interface Seen {
  readonly how: string
  readonly sight: Sight
}

/** Shows the same token in other ways, until one is accepted. */
async function lookAgain(
  { oracle, high }: Scene,
  identity: Identity,
  value: string,
): Promise<readonly Seen[]> {
  const presented = identity.presentToken(value)
  const ways: readonly Again[] = [
    { how: 'at once', presented },
    { how: 'for a page on another origin', presented, changes: { origins: [foreignOrigin] } },
    ...(high === undefined
      ? []
      : [
          {
            how: 'for another user’s browser',
            presented: { ...presented, headers: [...high.pageHeaders()], tls: high.options.tls },
          },
        ]),
  ]
  const seen: Seen[] = []
  for (const { how, presented: shown, changes } of ways) {
    const sight = await oracle.look(shown, changes)
    seen.push({ how, sight })
    if (sight.view.kind === 'open') break
  }
  return seen
}

/** What other nodes take. */
interface Elsewhere {
  readonly seen: readonly Seen[]
  readonly remarks: readonly string[]
  /** A node took no fresh token either. */
  readonly failed: boolean
}

/** Shows a token at one address that was spent at another, each way round. */
async function lookElsewhere(scene: Scene, identity: Identity): Promise<Elsewhere> {
  const home = homeOf(scene)
  const seen: Seen[] = []
  const remarks: string[] = []
  const others = otherNodes(scene)
  for (const node of others) {
    // The first way round shows that the node takes fresh tokens at all.
    for (const [spentAt, shownAt] of [[node, home] as const, [home, node] as const]) {
      const presented = identity.presentToken(await identity.token())
      const { view } = await spentAt.oracle.look(presented)
      if (!isIn(view, scene)) {
        remarks.push(`${node.name} was not tried: a fresh token is ${describeView(view)} at ${spentAt.name}`)
        break
      }
      const sight = await shownAt.oracle.look(presented)
      seen.push({ how: `at ${shownAt.name}, after ${spentAt.name}`, sight })
    }
  }
  if (others.length === 0) remarks.push('other nodes were not tried without nodes')
  return { seen, remarks, failed: others.length > 0 && remarks.length > 0 }
}
