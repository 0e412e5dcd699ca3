/** A11: what a refusal says tells which names exist. */
import type { Check, Finding } from '../check.ts'
import { knownUsers } from '../needs.ts'
import { channelsOf, unknownNames, type Channel, type Reply } from '../refusal-channels.ts'
import { failOr, finding, inconclusive, info, notTested, pass } from '../verdict.ts'

const knownAsked = 3
const unknownAsked = 6

/** What one place gave away. */
interface Verdict {
  readonly channel: Channel
  readonly kind: 'alike' | 'told' | 'partly' | 'throttled' | 'silent'
  readonly says: string
  readonly exchanges: readonly Reply['exchange'][]
}

/** User enumeration by content. */
export const userNames: Check = {
  id: 'A11',
  title: 'A refusal tells whether the name exists',
  cwe: [204],
  asvs: ['6.3.8'],
  safety: 'A',
  needs: [knownUsers],
  why: 'Who knows which names exist guesses passwords for those alone, and writes to their owners. Names leak by words, by codes, by a frame more or less, by a challenge that has a salt for some and for others not, and by a salt that changes for those who do not exist.',
  remedy: {
    text: 'Answer unknown names as known ones: challenge them in the shape that real users have, with a salt drawn from a keyed hash of the name, verify against a random key, and refuse in the same words with the same code.',
    ws: "const salt = user?.salt ?? hmac(decoyKey, name).subarray(0, 16)\nsend({ type: 'challenge', salt, iterations: 100_000, nonce })\n// later, whoever it was:\nclose(3000, 'invalid_credential')",
    socketIo:
      "io.use((socket, next) => check(socket.handshake.auth).then(() => next(), () => next(new Error('unauthorized'))))",
    countersign:
      'createGuard({ accept: [wampcra({ from: challengeFrames() })], decoyKey }) // keep decoyKey: decoys stay the same over restarts',
  },
  async run(scene) {
    const channels = channelsOf(scene)
    const verdicts: Verdict[] = []
    for (const channel of channels) verdicts.push(await compareTwice(channel, scene.options.knownUsers ?? []))
    const heard = verdicts.filter(({ kind }) => kind !== 'silent')
    if (heard.length === 0)
      return notTested(
        'a place that asks for a name: a login form or Basic of "low", WAMP, or challenge frames',
      )
    const findings = heard.filter(({ kind }) => kind === 'told').map(findingOf)
    const says = heard.map((verdict) => verdict.says).join('; ')
    const exchanges = heard.flatMap((verdict) => verdict.exchanges.slice(0, 1))
    if (heard.some(({ kind }) => kind === 'throttled'))
      return failOr(findings, inconclusive(says, ...exchanges))
    return failOr(
      findings,
      heard.some(({ kind }) => kind === 'partly') ? info(says, ...exchanges) : pass(says, ...exchanges),
    )
  },
}

/** A difference counts when it is there again: an answer may be late once, and decoys are drawn. */
async function compareTwice(channel: Channel, names: readonly string[]): Promise<Verdict> {
  const first = await compare(channel, names)
  return first.kind === 'told' || first.kind === 'partly' ? compare(channel, names) : first
}

/** Asks one place for names that exist and names that do not, each with a wrong secret. */
async function compare(channel: Channel, names: readonly string[]): Promise<Verdict> {
  const verdict = (
    kind: Verdict['kind'],
    what: string,
    ...replies: readonly (Reply | undefined)[]
  ): Verdict => ({
    channel,
    kind,
    says: `${channel.name}: ${what}`,
    exchanges: replies.flatMap((reply) => (reply === undefined ? [] : [reply.exchange])),
  })
  const asked = names.slice(0, knownAsked)
  const [someName = ''] = asked
  const strangers = unknownNames(someName, unknownAsked)
  const [known, unknown] = await Promise.all(
    [asked, strangers].map((list) => Promise.all(list.map((name) => channel.ask(name)))),
  )
  const [real] = known ?? []
  const [decoy] = unknown ?? []
  if (known === undefined || unknown === undefined || real === undefined || decoy === undefined)
    return verdict('silent', 'nobody was asked for')
  const all = [...known, ...unknown]
  if (all.every(({ silent }) => silent)) return verdict('silent', 'no answer')
  if (all.some(({ throttled }) => throttled)) return verdict('throttled', 'it slows the scanner down', real)
  // A page may name accounts for whoever looks: only what depends on the name that was asked for tells anything.
  const bare = ({ shape }: Reply): string =>
    [...asked, ...strangers].reduce((text, name) => text.replaceAll(name, '{name}'), shape)
  const shapes = new Set(known.map(bare))
  const decoys = new Set(unknown.map(bare))
  if (![...shapes].some((shape) => decoys.has(shape)))
    return verdict(
      'told',
      'a name that exists is answered in another way than one that does not',
      real,
      decoy,
    )
  if (decoy.salt !== undefined && (await saltsTell(channel, [someName, strangers[0] ?? ''], [real, decoy])))
    return verdict('told', 'the salt of a name that does not exist changes each time', real, decoy)
  return [...shapes].every((shape) => decoys.has(shape))
    ? verdict(
        'alike',
        `names that exist and names that do not are answered alike (${decoys.size} shapes)`,
        real,
        decoy,
      )
    : verdict(
        'partly',
        'some names that exist are answered in a way in which no unknown one was',
        real,
        decoy,
      )
}

/** Whether the same name has the same salt again, when it exists, and another one when it does not. */
async function saltsTell(
  channel: Channel,
  [someName, stranger]: readonly [string, string],
  [real, decoy]: readonly [Reply, Reply],
): Promise<boolean> {
  const [realAgain, decoyAgain] = await Promise.all(
    [someName, stranger].map((name) => channel.ask(name, { untilChallenge: true })),
  )
  return real.salt === realAgain?.salt && decoy.salt !== decoyAgain?.salt
}

function findingOf({ channel, says, exchanges }: Verdict): Finding {
  return finding('medium', says, { subject: channel.name, exchanges })
}
