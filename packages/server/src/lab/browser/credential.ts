import type { Audience, Obtainable } from './case.ts'
import { accountOf, doorOf, type LabFacts } from './facts.ts'
import { randomText } from './random-text.ts'
import { wampSigner, wampUsers } from './wamp-users.ts'
import { getJson, postJson, textOf, type Answer, type Witness } from './site.ts'

/** What a case holds in a slot. */
export type Credential =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pair'; readonly username: string; readonly secret: string }
  | { readonly kind: 'url'; readonly url: string }

/** Who asks, for what. */
export interface Request {
  readonly facts: LabFacts
  readonly username: string
  readonly audience: Audience
  readonly witness: Witness
}

interface Source {
  readonly obtain: (request: Request) => Promise<Credential>
  /** Word for `POST /lab/expired`, where an expired one can be had. */
  readonly expired?: string
  readonly read?: (answer: Answer) => Credential
  readonly invent?: (request: Request) => Credential
}

const text =
  (member: string) =>
  (answer: Answer): Credential => ({ kind: 'text', text: textOf(answer, member) })

const secretPair = (answer: Answer): Credential => ({
  kind: 'pair',
  username: textOf(answer, 'authid'),
  secret: textOf(answer, 'secret'),
})

const madeUp = (prefix: string) => (): Credential => ({ kind: 'text', text: `${prefix}${randomText()}` })

const stranger = (): Credential => ({
  kind: 'pair',
  username: `nobody-${randomText().slice(0, 8)}`,
  secret: randomText(),
})

const url = (answer: Answer): Credential => ({ kind: 'url', url: textOf(answer, 'url') })

const issue =
  (path: string, read: (answer: Answer) => Credential, more: Answer = {}) =>
  async ({ audience, witness }: Request): Promise<Credential> =>
    read(await postJson(path, { audience, ...more }, witness))

const sources: Readonly<Record<Obtainable, Source>> = {
  ticket: {
    obtain: issue('/countersign/ticket', text('ticket')),
    expired: 'ticket',
    read: text('ticket'),
    invent: madeUp('cst_'),
  },
  'frame-ticket': {
    obtain: issue('/countersign/ticket', text('ticket'), { purpose: 'frame' }),
    expired: 'frame',
    read: text('ticket'),
  },
  jwt: {
    obtain: issue('/countersign/token', text('access_token')),
    expired: 'jwt',
    read: text('access_token'),
  },
  session: {
    obtain: issue('/lab/session', text('session')),
    expired: 'session',
    read: () => ({ kind: 'text', text: '' }),
  },
  'api-key': {
    obtain: ({ facts, username }) =>
      Promise.resolve({ kind: 'text', text: accountOf(facts, username).api_key }),
    read: text('api_key'),
  },
  password: {
    obtain: async ({ facts, username }) => {
      const account = accountOf(facts, username)
      return { kind: 'pair', username: account.username, secret: account.password }
    },
    invent: stranger,
  },
  alias: {
    obtain: async ({ witness }) => text('alias')(await getJson('/lab/alias', witness)),
    expired: 'alias',
    read: text('alias'),
    invent: madeUp('csa_'),
  },
  csrf: {
    obtain: issue('/countersign/preauth', text('csrf')),
    expired: 'preauth',
    read: text('csrf'),
    invent: madeUp('csc_'),
  },
  url: {
    obtain: issue('/countersign/connect', url),
    read: url,
  },
  'plain-secret': {
    obtain: ({ facts }) => Promise.resolve(challengeUser(facts, 'plain')),
    expired: 'challenge_secret',
    read: secretPair,
    invent: ({ facts }) => ({ ...challengeUser(facts, 'plain'), secret: randomText() }),
  },
  'salted-secret': { obtain: ({ facts }) => Promise.resolve(challengeUser(facts, 'salted')) },
  'login-secret': {
    obtain: issue('/countersign/challenge-secret', secretPair),
    expired: 'challenge_secret',
    read: secretPair,
    invent: stranger,
  },
  'wamp-plain-secret': {
    obtain: async () => wampUser('plain'),
    invent: () => ({ ...wampUser('plain'), secret: randomText() }),
  },
  'wamp-salted-secret': { obtain: async () => wampUser('salted') },
  'wamp-key': {
    obtain: async () => signer(wampSigner.seed),
    invent: () => signer('0'.repeat(64)),
  },
}

/** A private key as the client takes it: the seed, and the public key behind it. */
function signer(seed: string): Credential {
  return { kind: 'pair', username: wampSigner.authid, secret: seed + wampSigner.publicKey }
}

function wampUser(which: keyof typeof wampUsers): Extract<Credential, { kind: 'pair' }> {
  const { authid, secret } = wampUsers[which]
  return { kind: 'pair', username: authid, secret }
}

function challengeUser(facts: LabFacts, which: 'plain' | 'salted'): Extract<Credential, { kind: 'pair' }> {
  const user = doorOf(facts, 'D12').challenge?.[which]
  if (user === undefined) throw new Error('the lab publishes no challenge user')
  return { kind: 'pair', username: user.authid, secret: user.secret }
}

/** Asks the site for a credential. @throws Error when the site refuses */
export function obtainCredential(what: Obtainable, request: Request): Promise<Credential> {
  return sources[what].obtain(request)
}

/** Asks the lab for a credential that is over already. @throws Error when there is no such thing */
export async function obtainExpired(what: Obtainable, request: Request): Promise<Credential> {
  const { expired, read } = sources[what]
  if (expired === undefined || read === undefined) throw new Error(`there is no expired ${what}`)
  return read(await postJson('/lab/expired', { door: request.audience, kind: expired }, request.witness))
}

/** Reads what a throw-away account was given. @throws Error when that is not what the case is about */
export function readCredential(what: Obtainable, answer: Answer): Credential {
  const { read } = sources[what]
  if (read === undefined) throw new Error(`nobody is given a ${what}`)
  return read(answer)
}

/** Makes up a credential of the right shape. @throws Error when there is no such thing */
export function inventCredential(what: Obtainable, request: Request): Credential {
  const { invent } = sources[what]
  if (invent === undefined) throw new Error(`there is no made-up ${what}`)
  return invent(request)
}
