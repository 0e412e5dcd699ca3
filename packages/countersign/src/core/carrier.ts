/** A carrier knows one place where credentials travel: how to find one there, and what to hide afterwards. */
import type { Credential } from './credential.ts'
import type { Handshake } from './handshake.ts'

/** What a search answers: a value, nothing, or something that is none. `why` is constant words, never input. */
export type Search<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed'; readonly why: string }

/** What an adapter removes from the request before anyone else sees it. */
export interface Hiding {
  /** Query parameters, by decoded name. */
  readonly query: readonly string[]
  /** Prefixes of paths, with a slash at both ends: what follows one, up to the query, is removed. */
  readonly paths: readonly string[]
  /** Cookies, by name as it is written: cookie names have no case to fold (RFC 6265bis §4.1.1). */
  readonly cookies: readonly string[]
  /** Header fields, lower case. */
  readonly headers: readonly string[]
  /**
   * Whether entries of `Sec-WebSocket-Protocol` that hold a token are removed; public ones beside them stay.
   */
  readonly subprotocols: boolean
}

/** Nothing to hide. */
export const nothingHidden: Hiding = {
  query: [],
  paths: [],
  cookies: [],
  headers: [],
  subprotocols: false,
}

/** A place in the handshake. */
export interface HandshakeCarrier {
  readonly kind: 'handshake'
  /** Names the place uniquely, e.g. `query:ticket`: carriers of one key are searched once. */
  readonly key: string
  /** Whether clients attach it unasked (cookie, certificate), so that it proves no intent. */
  readonly ambient: boolean
  /** Whether a request without `Origin` may use it. Ambient credentials of browsers: `refuse`. */
  readonly absentOrigin: 'allow' | 'refuse'
  /** Whether whoever reads the bytes could use the credential again: refused on cleartext off loopback. */
  readonly bearer: boolean
  /**
   * What an adapter removes for it, whether a credential was found or not: a secret in the wrong place is
   * one still.
   */
  readonly hides: Hiding
  /** `WWW-Authenticate` scheme that asks for a credential here. */
  readonly scheme: 'Basic' | 'Bearer' | 'Countersign'
  /**
   * Looks into its place. Total: whatever the peer sent, it answers and never throws.
   * `absent` lets the guard look elsewhere; `malformed` refuses the attempt, because something was shown.
   */
  find(handshake: Handshake): Search<Credential>
}

/** The first message of a socket that is open but not yet accepted. */
export interface MessageCarrier {
  readonly kind: 'message'
  readonly key: string
  readonly absentOrigin: 'allow' | 'refuse'
  readonly bearer: boolean
  /** Largest message that is looked at, bytes of UTF-8. */
  readonly maxBytes: number
  /** Whether acceptance and refusal are answered by a frame where the credential came as JSON. */
  readonly replies: boolean
  /** Reads the first message. Total: any text. */
  read(text: string): Search<Credential>
}

/** The opening message of a protocol that authenticates by messages of its own: HELLO of WAMP. */
export interface HelloCarrier {
  readonly kind: 'hello'
  readonly key: string
  /** Whether what is said in answer to it would work for whoever overhears it: a ticket does, a signature does not. */
  readonly bearer: boolean
}

/** Any kind of place. */
export type Carrier = HandshakeCarrier | MessageCarrier | HelloCarrier
