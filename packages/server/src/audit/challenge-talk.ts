/** Challenge and response, in the two ways in which it is spoken: by messages of WAMP, and by frames with a `type`. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from 'countersign/wire'
import type { Need, Scene } from './check.ts'
import type { Exchange } from './exchange.ts'
import { jsonOf } from './json-of.ts'
import { anonymous } from './presented.ts'
import type { Endpoint } from './target.ts'
import { Visit, type Attempt, type VisitNeeds } from './visit.ts'

/** What a target says in such a conversation. */
export type Said =
  | {
      readonly kind: 'challenge'
      readonly method: string
      readonly extra: JsonObject
      readonly message: Json
    }
  | { readonly kind: 'accepted'; readonly details: JsonObject; readonly message: Json }
  | { readonly kind: 'refused'; readonly message: Json }
  /** A close without a word, or nothing at all. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  | { readonly kind: 'silent' }

/** Who says hello, and by what he wants to prove himself. */
export interface Hello {
  readonly authid: string
  readonly methods: readonly string[]
  /** As `authextra` of WAMP. */
  readonly extra?: JsonObject
}

/** How one of the two ways is written. */
interface Language {
  hello(hello: Hello, realm: string): string
  answer(signature: string): string
  read(message: Json): Said | undefined
}

const roles = { publisher: {}, subscriber: {}, caller: {}, callee: {} }

const wamp: Language = {
  hello({ authid, methods, extra }, realm) {
    const details = {
      roles,
      authmethods: methods,
      authid,
      ...(extra === undefined ? {} : { authextra: extra }),
    }
    return JSON.stringify([1, realm, details])
  },
  answer: (signature) => JSON.stringify([5, signature, {}]),
  read(message) {
    if (!isJsonArray(message)) return undefined
    const [code, second, third] = message
    if (code === 2) return { kind: 'accepted', details: isJsonObject(third) ? third : {}, message }
    if (code === 3) return { kind: 'refused', message }
    if (code !== 4 || typeof second !== 'string') return undefined
    return { kind: 'challenge', method: second, extra: isJsonObject(third) ? third : {}, message }
  },
}

const frames: Language = {
  hello: ({ authid, methods, extra }) => JSON.stringify({ type: 'hello', authid, methods, ...extra }),
  answer: (signature) => JSON.stringify({ type: 'authenticate', signature }),
  read(message) {
    if (!isJsonObject(message)) return undefined
    const { type, method, extra } = message
    if (type === 'auth_ok') return { kind: 'accepted', details: message, message }
    if (type === 'auth_invalid') return { kind: 'refused', message }
    if (type !== 'challenge' || typeof method !== 'string') return undefined
    return { kind: 'challenge', method, extra: isJsonObject(extra) ? extra : {}, message }
  },
}

/** A target that may ask for proofs inside the socket. */
export const speaksChallenges: Need = {
  missing: 'a target that asks for proofs inside the socket (WAMP, or frames on a plain one)',
  met: ({ endpoint: { protocol } }) => protocol === 'wamp' || protocol === 'plain',
}

/** Where one speaks, and how long one waits for a word. */
export interface TalkPlace extends Pick<Endpoint, 'protocol' | 'realm'> {
  readonly patienceMs: number
}

/** One conversation. Whoever opens one leaves it. */
export class ChallengeTalk {
  readonly visit: Visit
  readonly #language: Language
  readonly #realm: string
  readonly #patienceMs: number

  /** Opens a socket for one. @throws BudgetSpent, OutOfScope */
  static async open(
    scene: Scene,
    place: Partial<VisitNeeds> = {},
    changes: Partial<Attempt> = {},
  ): Promise<ChallengeTalk> {
    const visit = await Visit.open({ ...scene.needs, ...place }, scene.oracle.attempt(anonymous, changes))
    // A derivation of keys takes its time.
    return new ChallengeTalk(visit, { ...scene.endpoint, patienceMs: scene.oracle.settleMs * 2 })
  }

  /** Speaks on a socket that is open already. */
  constructor(visit: Visit, { protocol, realm, patienceMs }: TalkPlace) {
    this.visit = visit
    this.#language = protocol === 'wamp' ? wamp : frames
    this.#realm = realm
    this.#patienceMs = patienceMs
  }

  get exchange(): Exchange {
    return this.visit.exchange
  }

  /** Says hello, and hears what comes of it. */
  async hello(hello: Hello): Promise<Said> {
    this.visit.send(this.#language.hello(hello, this.#realm))
    return this.hear()
  }

  /** Answers a challenge, and hears what comes of it. */
  async answer(signature: string): Promise<Said> {
    this.visit.hide(signature)
    this.visit.send(this.#language.answer(signature))
    return this.hear()
  }

  /** The next word of this conversation; what else is said is passed over. */
  async hear(withinMs: number = this.#patienceMs): Promise<Said> {
    const until = performance.now() + withinMs
    for (;;) {
      const message = await this.visit.next(Math.max(0, until - performance.now()))
      if (message === undefined) {
        const { ending } = this.visit
        return ending === undefined
          ? { kind: 'silent' }
          : { kind: 'closed', code: ending.code, reason: ending.reason }
      }
      const value = message.kind === 'text' ? jsonOf(message.text) : undefined
      const said = value === undefined ? undefined : this.#language.read(value)
      if (said !== undefined) return said
    }
  }

  async leave(): Promise<void> {
    await this.visit.leave()
  }
}
