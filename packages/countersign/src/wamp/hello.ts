/** HELLO, read: who wants to join, how, and what the client can do (WAMP, basic profile, "Session Establishment"). */
import type { HelloCredential, JoinRequest } from '../core/credential.ts'
import { cancelReplyOf, featuresOf } from './features.ts'
import { isDict, noDict, type Dict, type Hello } from './messages.ts'
import type { RouterOptions } from './options.ts'
import type { CancelReply, Features, TransportFacts } from './session.ts'

/** What a HELLO comes to. */
export interface Opening {
  readonly hello: HelloCredential
  readonly join: JoinRequest
  readonly features: Features
  readonly cancelReply: CancelReply
  /** The client asked to be challenged again before its lease ends (`x_rechallenge`). */
  readonly rechallenge: boolean
}

/** What the router adds to it. */
export interface OpeningFacts {
  /** The id that the session will have. */
  readonly session: number
  readonly transport: TransportFacts
  readonly channels: JoinRequest['channels']
  readonly cancelReply: RouterOptions['cancelReply']
}

/** Whoever names no method wants to come in without any. */
const none: readonly string[] = ['anonymous']
/** More methods than anybody knows, and names longer than any. */
const maxMethods = 32
const maxNameLength = 1024

/** Reads a HELLO. @returns `undefined` when it breaks the protocol: no role, or a member of a wrong type */
export function readHello(message: Hello, facts: OpeningFacts): Opening | undefined {
  const { details } = message
  const features = featuresOf(details)
  const methods = methodsOf(member(details, 'authmethods'))
  const authid = textOf(member(details, 'authid'))
  const authrole = textOf(member(details, 'authrole'))
  // What a method needs of it the method checks itself; it never becomes a part of the identity.
  const authextra = member(details, 'authextra') ?? noDict
  if (features === undefined || methods === undefined) return undefined
  if (authid === null || authrole === null || !isDict(authextra)) return undefined
  const join = new Join(facts, { realm: message.realm, authrole, authextra })
  const nonce = member(authextra, 'nonce')
  return {
    hello: { kind: 'hello', authid, methods, nonce: typeof nonce === 'string' ? nonce : undefined, join },
    join,
    features,
    cancelReply: cancelReplyOf(details, facts.cancelReply),
    rechallenge: member(details, 'x_rechallenge') === true,
  }
}

/** What HELLO asks for. Facts of the transport are left where they are until a source asks for them. */
class Join implements JoinRequest {
  readonly session: number
  readonly realm: string | undefined
  readonly authrole: string | undefined
  readonly authextra: Dict
  readonly channels: JoinRequest['channels']
  readonly #transport: TransportFacts

  constructor(
    facts: OpeningFacts,
    asked: {
      readonly realm: string | undefined
      readonly authrole: string | undefined
      readonly authextra: Dict
    },
  ) {
    this.session = facts.session
    this.realm = asked.realm
    this.authrole = asked.authrole
    this.authextra = asked.authextra
    this.channels = facts.channels
    this.#transport = facts.transport
  }

  get transport(): Dict {
    return this.#transport.facts
  }
}

/** Whether nothing but anonymous was offered: a refusal then means that authentication is needed. */
export function offersNothing(hello: HelloCredential): boolean {
  return hello.methods.every((name) => name === 'anonymous')
}

/** `null` on the wire says as much as absence: clients send it for what they do not use. */
function member(dict: Dict, name: string): unknown {
  return Object.hasOwn(dict, name) ? (dict[name] ?? undefined) : undefined
}

function methodsOf(given: unknown): readonly string[] | undefined {
  if (given === undefined) return none
  if (!Array.isArray(given) || given.length > maxMethods) return undefined
  const names: string[] = []
  for (const name of given) {
    if (typeof name !== 'string' || name.length > maxNameLength) return undefined
    names.push(name)
  }
  return names.length === 0 ? none : names
}

/** @returns `null` for what is no text, or too much of it */
function textOf(given: unknown): string | undefined | null {
  if (given === undefined) return undefined
  return typeof given === 'string' && given.length <= maxNameLength ? given : null
}
