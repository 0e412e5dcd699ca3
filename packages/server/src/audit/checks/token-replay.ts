/** A4: a ticket opens a second socket. */
import type { Check, Scene } from '../check.ts'
import type { Identity } from '../identity.ts'
import { isIn, low, token } from '../needs.ts'
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
      const again = await lookAgain(scene, identity, value)
      const { exchange } = again.at(-1)?.sight ?? first
      const accepted = again.find(({ sight }) => isIn(sight.view, scene))
      if (accepted === undefined)
        return pass(
          `shown again, a token is ${describeView(again.at(-1)?.sight.view ?? first.view)}`,
          exchange,
        )
      if (identity.options.token?.singleUse !== true)
        return info('one token opens several sockets; it is not declared to be of single use', exchange)
      const says = `a ticket that had opened a socket opened another one ${accepted.how}`
      return failOr([finding('high', says, { exchanges: [first.exchange, exchange] })], pass(''))
    } finally {
      await first.visit.leave()
    }
  },
}

/** Shows the same token in other ways, until one is accepted. */
async function lookAgain(
  { oracle, high }: Scene,
  identity: Identity,
  value: string,
): Promise<readonly { readonly how: string; readonly sight: Sight }[]> {
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
  const seen: { how: string; sight: Sight }[] = []
  for (const { how, presented: shown, changes } of ways) {
    const sight = await oracle.look(shown, changes)
    seen.push({ how, sight })
    if (sight.view.kind === 'open') break
  }
  return seen
}
