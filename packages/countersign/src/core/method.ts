/** How a credential is judged: a named conversation, and the places where its credential travels. */
import type { Carrier, HandshakeCarrier } from './carrier.ts'
import type { Credential } from './credential.ts'
import type { Talk } from './drive.ts'
import type { Handshake } from './handshake.ts'
import type { Verdict } from './verdict.ts'

/** What a method is given. */
export interface Shown {
  /** One that `recognises` has said yes to. */
  readonly credential: Credential
  /** Second proof that travels beside an ambient credential: the CSRF token. `undefined`: none was shown. */
  readonly proof: string | undefined
  /** The facts of the attempt, for what a credential may be bound to: origin, address. */
  readonly handshake: Handshake
  /** Audience of the guard: what the credential must have been issued for where the method names none itself. */
  readonly audience: string
  /**
   * When the attempt began, ms since the epoch. After `hear` the time that came with the answer counts
   * instead.
   */
  readonly now: number
}

/** One entry of a guard's `accept` list. */
export interface Method {
  /**
   * The field's word for it: `ticket`, `session`, `application_session`, `jwt`, `password`, `api_key`, `certificate`,
   * `preauth`; of WAMP `anonymous`, `ticket`, `wampcra`, `scram`, `cryptosign`, `tls`, `cookie`. Principals say the name
   * on the wire where a method has several (`wamp-scram`), and of a cookie the one by which it was earned.
   */
  readonly name: string
  /**
   * Places where its credential travels. Methods may share a place: the first that recognises what is there
   * judges it.
   */
  readonly from: readonly Carrier[]
  /** Where the second proof travels, for methods that demand one. */
  readonly csrf: HandshakeCarrier | undefined
  /** What a guard must be lent for it that not every guard has: the password hasher. @default nothing */
  readonly needs?: readonly 'passwords'[]
  /** Whether this credential is one of its own, by shape alone. Total and cheap: it decides who judges, not how. */
  recognises(credential: Credential): boolean
  /** Judges. Everything it needs is asked for; it refuses by value and lets outages pass through. */
  judge(shown: Shown): Talk<Verdict>
}

/** A carrier or several, as options name them. */
export type From<C extends Carrier = Carrier> = C | readonly C[]

/** The list form of a `from` option. */
export function placesOf<C extends Carrier>(from: From<C>): readonly C[] {
  return isList(from) ? from : [from]
}

function isList<C extends Carrier>(from: From<C>): from is readonly C[] {
  return Array.isArray(from)
}
