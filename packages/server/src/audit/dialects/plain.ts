/** Messages of the application's own, with nothing around them. */
import { ChallengeTalk } from '../challenge-talk.ts'
import type { WampSecret } from '../presented.ts'
import type { Visit } from '../visit.ts'
import type { Dialect, Entry, Within } from './dialect.ts'
import { answerChallenge } from './wamp.ts'

/** A plain socket. Nobody says who is in: the oracle finds out. */
export const plain: Dialect = {
  protocol: 'plain',
  subprotocols: [],
  addressOf: ({ url }) => new URL(url),
  enter(visit, { first, wamp }, within) {
    if (wamp !== undefined) return prove(visit, wamp, within)
    if (first !== undefined) visit.send(first)
    return Promise.resolve({ kind: 'in' })
  },
  messagesOf: (probe) => [typeof probe === 'string' ? probe : JSON.stringify(probe)],
  read: (message) => ({
    kind: 'data',
    text: message.kind === 'text' ? message.text : message.bytes.toString('utf8'),
  }),
}

/** Proves oneself by frames with a `type`, where a secret is given. */
async function prove(visit: Visit, secret: WampSecret, { endpoint, ms }: Within): Promise<Entry> {
  const talk = new ChallengeTalk(visit, { ...endpoint, patienceMs: ms })
  const first = await talk.hello({ authid: secret.authid, methods: [secret.method] })
  const said =
    first.kind === 'challenge' ? await talk.answer(await answerChallenge(secret, first.extra)) : first
  if (said.kind === 'accepted') return { kind: 'in' }
  return said.kind === 'silent' ? { kind: 'silent' } : { kind: 'refused', words: said.kind }
}
