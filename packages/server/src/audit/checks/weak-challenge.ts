/** A15: a challenge that can be foreseen, or that one answer fits twice. */
import { ChallengeTalk, speaksChallenges, type Said } from '../challenge-talk.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { answerChallenge } from '../dialects/wamp.ts'
import type { Exchange } from '../exchange.ts'
import { jsonOf } from '../json-of.ts'
import { strengthOf } from '../nonce-strength.ts'
import type { WampSecret } from '../presented.ts'
import { failOr, finding, notTested, pass } from '../verdict.ts'
import { isJsonObject } from 'countersign/wire'

const wanted = 50
const atATime = 10
const minBits = 128
const minBitsOfNonce = 64
const minIterations = 100_000

/** A challenge, and where it was heard. */
interface Heard {
  readonly challenge: Extract<Said, { kind: 'challenge' }>
  readonly exchange: Exchange
}

/** Weak challenges. */
export const weakChallenge: Check = {
  id: 'A15',
  title: 'Challenges can be foreseen, or answers used twice',
  cwe: [330, 331, 294, 916],
  asvs: ['6.7.2', '11.5.1', '11.4.2'],
  safety: 'A',
  needs: [speaksChallenges],
  why: 'Challenge and response keeps the secret off the line, as long as no answer is good twice. A challenge that repeats, or that can be foreseen, can be answered with what was heard before; and cheap derivation lets whoever heard one answer try passwords at leisure.',
  remedy: {
    text: 'Draw 128 random bits for each challenge, bind it to the session, throw it away with the first answer, right or wrong; derive keys with 100,000 iterations or more, or use random secrets.',
    ws: "const nonce = randomBytes(16).toString('base64url') // per hello\npending.set(socket, nonce)\n// on an answer, before it is looked at:\nconst expected = pending.get(socket)\npending.delete(socket)",
    socketIo: "socket.on('hello', () => { socket.data.nonce = randomBytes(16).toString('base64url') })",
    countersign: 'createGuard({ accept: [wampcra({ from: [challengeFrames(), wampHello()] })] })',
  },
  async run(scene) {
    const { low, options } = scene
    const secret = low?.wamp
    const authid = secret?.authid ?? options.knownUsers?.[0] ?? 'audit'
    const heard = await collect(scene, authid)
    const [first] = heard
    if (first === undefined || heard.length < wanted)
      return notTested(`a name that is challenged: of ${wanted} asked for, ${heard.length} challenges came`)
    const replayed = secret?.method === 'wampcra' ? await replay(scene, secret) : []
    const { bits } = strengthOf(heard.map(nonceOf))
    const untried =
      secret === undefined
        ? '; whether an answer is good twice was not tried without identities.low.wamp'
        : ''
    return failOr(
      [...judgeNonces(heard), ...judgeDerivation(first), ...replayed],
      pass(`${heard.length} challenges, each with about ${bits} random bits${untried}`, first.exchange),
    )
  },
}

/** Says hello in turn, as a counter shows in no other order; connects and leaves side by side. */
async function collect(scene: Scene, authid: string): Promise<readonly Heard[]> {
  const heard: Heard[] = []
  while (heard.length < wanted) {
    const talks = await Promise.all(Array.from({ length: atATime }, () => ChallengeTalk.open(scene)))
    const before = heard.length
    for (const talk of talks) {
      const said = await talk.hello({ authid, methods: ['wampcra'] })
      if (said.kind !== 'challenge') break
      heard.push({ challenge: said, exchange: talk.exchange })
    }
    await Promise.all(talks.map((talk) => talk.leave()))
    if (heard.length < before + atATime) return heard
  }
  return heard
}

/** The part that is to be new each time: a member `nonce`, or the whole challenge. */
function nonceOf({ challenge: { extra } }: Heard): string {
  const { challenge } = extra
  if (typeof challenge !== 'string') return JSON.stringify(extra)
  const inner = jsonOf(challenge)
  const nonce = isJsonObject(inner) ? inner['nonce'] : undefined
  return typeof nonce === 'string' || typeof nonce === 'number' ? String(nonce) : challenge
}

function judgeNonces(heard: readonly Heard[]): readonly Finding[] {
  const { repeated, grows, bits } = strengthOf(heard.map(nonceOf))
  const exchanges = heard.slice(0, 2).map(({ exchange }) => exchange)
  if (repeated > 0)
    return [
      finding('high', `${repeated} of ${heard.length} challenges had been used before`, {
        subject: 'repeated',
        exchanges,
      }),
    ]
  if (grows)
    return [
      finding('high', 'each challenge is greater than the one before it: it counts', {
        subject: 'foreseeable',
        exchanges,
      }),
    ]
  if (bits < minBitsOfNonce)
    return [finding('medium', `a challenge has at most ${bits} random bits`, { subject: 'short', exchanges })]
  if (bits < minBits)
    return [
      finding('low', `a challenge has at most ${bits} random bits; ${minBits} are needed to be sure`, {
        subject: 'short',
        exchanges,
      }),
    ]
  return []
}

function judgeDerivation({ challenge: { extra }, exchange }: Heard): readonly Finding[] {
  const { salt, iterations = 1_000, keylen = 32 } = extra
  if (typeof salt !== 'string') return []
  const weak = (says: string, subject: string): Finding =>
    finding('low', says, { subject, confidence: 'medium', exchanges: [exchange] })
  return [
    ...(Number(iterations) < minIterations
      ? [
          weak(
            `keys are derived with ${Number(iterations)} iterations; a password that people chose needs ${minIterations}`,
            'iterations',
          ),
        ]
      : []),
    ...(Number(keylen) < 16
      ? [weak(`derived keys have ${Number(keylen)} bytes; they need 16`, 'keylen')]
      : []),
    ...(salt.length < 8 ? [weak(`a salt has ${salt.length} characters; it needs 8`, 'salt')] : []),
  ]
}

/** Whether one answer opens two sessions, and whether a second answer is heard. */
async function replay(scene: Scene, secret: WampSecret): Promise<readonly Finding[]> {
  const [one, other, third] = await Promise.all([1, 2, 3].map(() => ChallengeTalk.open(scene)))
  if (one === undefined || other === undefined || third === undefined) return []
  const hello = { authid: secret.authid, methods: [secret.method] }
  try {
    const [first, second, last] = [await one.hello(hello), await other.hello(hello), await third.hello(hello)]
    if (first.kind !== 'challenge' || second.kind !== 'challenge' || last.kind !== 'challenge') return []
    const answer = await answerChallenge(secret, first.extra)
    if ((await one.answer(answer)).kind !== 'accepted') return []
    const elsewhere = await other.answer(answer)
    await third.answer(Buffer.alloc(32).toString('base64'))
    const again = await third.answer(await answerChallenge(secret, last.extra))
    return [
      ...(elsewhere.kind === 'accepted'
        ? [
            finding('critical', 'the answer to one challenge opened a session that had been asked another', {
              subject: 'replay',
              exchanges: [one.exchange, other.exchange],
            }),
          ]
        : []),
      ...(again.kind === 'accepted'
        ? [
            finding('medium', 'a challenge that was answered wrongly may be answered again', {
              subject: 'second answer',
              exchanges: [third.exchange],
            }),
          ]
        : []),
    ]
  } finally {
    await Promise.all([one, other, third].map((talk) => talk.leave()))
  }
}
