/** Where a target can be asked for a name with a wrong secret: each place is asked in the same way for whatever name. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Header } from './answer.ts'
import { ChallengeTalk, speaksChallenges, type Said } from './challenge-talk.ts'
import type { Scene } from './check.ts'
import { answerChallenge } from './dialects/wamp.ts'
import type { Exchange } from './exchange.ts'
import { Identity } from './identity.ts'
import type { FormOptions } from './options.ts'
import { anonymous } from './presented.ts'
import type { PageAnswer } from './page-request.ts'
import { shapeOfAnswer, shapeOfSaid } from './reply-shape.ts'
import { siteUrl } from './target.ts'
import { Visit, type VisitNeeds } from './visit.ts'

/** What came back. */
export interface Reply {
  /** What is left when that is taken out which differs each time. */
  readonly shape: string
  /** From the question to its first answer, milliseconds. */
  readonly ms: number
  /** The salt of a challenge. */
  readonly salt: string | undefined
  readonly accepted: boolean
  readonly throttled: boolean
  /** Nothing came back that could be compared. */
  readonly silent: boolean
  readonly exchange: Exchange
}

/** How a question differs from the usual one. */
export interface Question {
  /** @default a random one */
  readonly secret?: string
  readonly headers?: readonly Header[]
  readonly localAddress?: string
  /** Leaves at the challenge, which costs its holder nothing. @default false */
  readonly untilChallenge?: boolean
}

/** One place. */
export interface Channel {
  readonly name: string
  /** Whether a question counts as a failed login, so that many of them may lock an account. */
  readonly counts: boolean
  ask(user: string, question?: Question): Promise<Reply>
}

const slowdown = /too.?many|rate.?limit|throttl|locked|try again|retry|later|wait/i
const slowCodes: ReadonlySet<number> = new Set([4429, 4503, 1013])

/** The places that a target has, as far as the configuration shows them. */
export function channelsOf(scene: Scene): readonly Channel[] {
  const { form, basic } = scene.low?.options ?? {}
  return [
    ...(speaksChallenges.met(scene) ? methodsOf(scene).map((method) => talkChannel(scene, method)) : []),
    ...(form === undefined ? [] : formChannel(scene, form)),
    ...(basic === undefined ? [] : [basicChannel(scene)]),
  ]
}

function methodsOf({ endpoint }: Scene): readonly string[] {
  return endpoint.protocol === 'wamp' ? ['wampcra', 'ticket', 'wamp-scram'] : ['wampcra', 'wamp-scram']
}

/** As many as one check needs, and no more: each is remembered by the masking. */
const wrongSecrets = Array.from({ length: 64 }, () => randomBytes(24).toString('base64'))
const wrongSecret = (): string => wrongSecrets[randomInt(wrongSecrets.length)] ?? ''
const placeOf = ({ localAddress }: Question): Partial<VisitNeeds> =>
  localAddress === undefined ? {} : { localAddress }

function talkChannel(scene: Scene, method: string): Channel {
  return {
    name: `the challenge for ${method}`,
    counts: false,
    async ask(user, question = {}) {
      const talk = await ChallengeTalk.open(scene, placeOf(question), { headers: question.headers ?? [] })
      try {
        const nonce = randomBytes(16).toString('base64')
        const scram = method === 'wamp-scram' ? { extra: { nonce, channel_binding: null } } : {}
        const startedAt = performance.now()
        const first = await talk.hello({ authid: user, methods: [method], ...scram })
        const ms = performance.now() - startedAt
        const said = [first]
        if (first.kind === 'challenge' && question.untilChallenge !== true) {
          said.push(await talk.answer(await answerOf(first, question)))
        }
        // How it closes belongs to the answer, and comes behind it.
        if (said.length > 1 || first.kind === 'refused') await talk.visit.closed(scene.oracle.settleMs)
        return replyOf(said, { user, ms, talk })
      } finally {
        await talk.leave()
      }
    },
  }
}

async function answerOf(
  { method, extra }: Extract<Said, { kind: 'challenge' }>,
  { secret }: Question,
): Promise<string> {
  if (secret === undefined) return wrongSecret()
  return method === 'ticket' ? secret : answerChallenge({ authid: '', method: 'wampcra', secret }, extra)
}

interface Heard {
  readonly user: string
  readonly ms: number
  readonly talk: ChallengeTalk
}

function replyOf(said: readonly Said[], { user, ms, talk }: Heard): Reply {
  const { ending } = talk.visit
  const end = ending === undefined ? 'open' : `closed ${ending.code} ${ending.reason}`
  const texts = said.map((one) => shapeOfSaid(one, user))
  const challenge = said.find((one) => one.kind === 'challenge')
  const salt = challenge?.extra['salt']
  const last = said.at(-1)
  return {
    shape: [...texts, end].join('\n'),
    ms,
    salt: typeof salt === 'string' ? salt : undefined,
    accepted: last?.kind === 'accepted',
    throttled:
      slowCodes.has(ending?.code ?? 0) ||
      (last?.kind !== 'accepted' && slowdown.test([texts.at(-1), end].join(' '))),
    silent: said[0]?.kind === 'silent' || !talk.visit.opened,
    exchange: talk.exchange,
  }
}

/** The field of a form in which the name stands: the one that holds the name of `low`, by its value or by its own name. */
function formChannel(scene: Scene, form: FormOptions): readonly Channel[] {
  const { knownUsers = [], guessed } = scene.options
  const names = Object.keys(form.fields)
  const field =
    names.find(
      (name) => knownUsers.includes(form.fields[name] ?? '') || form.fields[name] === guessed?.user,
    ) ?? names.find((name) => /user|name|mail|login|authid/i.test(name))
  const hidden = names.find((name) => /pass|secret|pin/i.test(name))
  if (field === undefined || hidden === undefined) return []
  const ask = async (user: string, question: Question = {}): Promise<Reply> => {
    const filled = { ...form.fields, [field]: user, [hidden]: question.secret ?? wrongSecret() }
    const { needs, endpoint } = scene
    const identity = new Identity(
      'low',
      { form: { ...form, fields: filled } },
      { needs: { ...needs, ...placeOf(question) }, endpoint },
    )
    const startedAt = performance.now()
    const answer = await identity.fillIn(question.headers)
    return pageReply(answer, {
      user,
      ms: performance.now() - startedAt,
      address: siteUrl(endpoint, form.url).href,
      hide: (text) => needs.masking.hide(text),
    })
  }
  return [{ name: `the login at ${form.url}`, counts: true, ask }]
}

interface Asked {
  readonly user: string
  readonly ms: number
  readonly address: string
  readonly hide: (text: string) => string
}

function pageReply(answer: PageAnswer, { user, ms, address, hide }: Asked): Reply {
  const shape = shapeOfAnswer(answer, user)
  const status = answer.kind === 'answered' ? answer.status : 0
  const throttled = status === 429 || status === 503 || (status >= 400 && slowdown.test(shape))
  return {
    shape,
    ms,
    salt: undefined,
    accepted: status >= 200 && status < 400 && !throttled && !/invalid|wrong|incorrect|failed/i.test(shape),
    throttled,
    silent: status === 0,
    exchange: [
      { atMs: 0, from: 'scanner', text: `POST ${address} as ${user}` },
      { atMs: Math.round(ms), from: 'target', text: hide(shape).slice(0, 800) },
    ],
  }
}

/** HTTP Basic in the handshake. */
function basicChannel(scene: Scene): Channel {
  return {
    name: 'HTTP Basic at the handshake',
    counts: true,
    async ask(user, question = {}) {
      const pair = `${user}:${question.secret ?? wrongSecret()}`
      scene.needs.masking.learn(pair)
      const headers: readonly Header[] = [
        ['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`],
        ...(question.headers ?? []),
      ]
      const startedAt = performance.now()
      const visit = await Visit.open(
        { ...scene.needs, ...placeOf(question) },
        scene.oracle.attempt({ ...anonymous, headers }),
      )
      const ms = performance.now() - startedAt
      try {
        const ending = visit.opened ? await visit.closed(scene.oracle.settleMs) : undefined
        const shape = [
          visit.answer.kind === 'answered' && !visit.opened
            ? shapeOfAnswer(visit.answer, user)
            : visit.answer.kind,
          ...(ending === undefined ? [] : [`closed ${ending.code} ${ending.reason}`]),
        ].join('\n')
        const status = visit.answer.kind === 'answered' ? visit.answer.status : 0
        const throttled = status === 429 || status === 503 || slowCodes.has(ending?.code ?? 0)
        const accepted = visit.opened && visit.live
        return {
          shape,
          ms,
          salt: undefined,
          accepted,
          throttled,
          silent: status === 0,
          exchange: visit.exchange,
        }
      } finally {
        await visit.leave()
      }
    },
  }
}

/** Names that nobody has, in the manner of one that somebody has. */
export function unknownNames(known: string, count: number): readonly string[] {
  const [local = '', ...domain] = known.split('@')
  const length = Math.max(local.length, 8)
  return Array.from({ length: count }, () => {
    const letters = [...randomBytes(length)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')
    return [letters, ...domain].join('@')
  })
}
