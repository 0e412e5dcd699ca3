/** Challenge-response with a secret that never travels (`countersign.challenge.v1`). */
import type { Ask, Attempt, Carrier, MaybePromise } from './carrier.ts'
import { base64 } from './challenge-bytes.ts'
import { wampcra } from './challenge-wampcra.ts'
import { Unauthorized, UnanswerableChallenge } from './errors.ts'

/** A name and the secret that proves it. */
export interface ChallengeSecret {
  readonly authid: string
  readonly secret: string
}

/** A way to answer challenges. */
export interface ChallengeMethod {
  /** As `hello` names it. */
  readonly name: string
  /** Begins an exchange. @param nonce 24 characters that nobody has used before: `nonce` of `hello` */
  begin(who: ChallengeSecret, nonce: string): ChallengeTalk
}

/** One exchange of one method. */
export interface ChallengeTalk {
  /** Answers `extra` of the challenge. @throws UnanswerableChallenge when it cannot or must not be answered */
  answer(extra: Readonly<Record<string, unknown>>): Promise<{
    readonly signature: string
    readonly extra?: Readonly<Record<string, unknown>>
  }>
  /** Whether `extra` of `auth_ok` proves the server. @default it proves itself by the URL alone */
  confirms?(extra: Readonly<Record<string, unknown>>): boolean
}

/** What is answered besides WAMP-CRA. */
export interface ChallengeOptions {
  /** In order of preference: the server takes the first that it knows. @default `[wampcra()]` */
  readonly methods?: readonly ChallengeMethod[]
}

/**
 * `hello`, `challenge`, `authenticate`, by WAMP-CRA or the methods given: `scramSha256()`, `cryptosign()`, `wampcra()`.
 * A server may choose the weakest of them, so name no more than you want. Needs Web Crypto, which browsers lend to secure
 * pages only; elsewhere the client stops. A challenge that cannot be answered ends the socket for good, with an `error` event that holds an
 * `UnanswerableChallenge`.
 */
export function challengeResponse(
  getSecret: (ask: Ask) => MaybePromise<ChallengeSecret>,
  { methods = [wampcra()] }: ChallengeOptions = {},
): Carrier {
  return async (target, ask): Promise<Attempt> => {
    const who = await getSecret(ask)
    const { authid, secret } = who
    if (typeof globalThis.crypto?.subtle === 'undefined') throw new Unauthorized('needs a secure page')
    const nonce = base64(crypto.getRandomValues(new Uint8Array(18)))
    let exchange: ChallengeTalk | undefined
    const talk = {
      first: JSON.stringify({ type: 'hello', authid, methods: methods.map(({ name }) => name), nonce }),
      replies: true,
      answer: async (method: unknown, extra: unknown): Promise<string> => {
        exchange = methods.find(({ name }) => name === method)?.begin(who, nonce)
        if (exchange === undefined) throw new UnanswerableChallenge('a method that was not offered')
        return JSON.stringify({ type: 'authenticate', ...(await exchange.answer({ ...Object(extra) })) })
      },
      // Whoever accepts without having asked has not looked at the secret.
      confirms: (extra: unknown) =>
        exchange !== undefined && (exchange.confirms?.({ ...Object(extra) }) ?? true),
    }
    return { ...target, credential: `${authid}\n${secret}`, outlivesLease: true, talk }
  }
}
