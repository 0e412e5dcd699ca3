/** Credentials as they are laid on the table in one attempt. */
import type { JsonObject } from 'countersign/wire'
import type { Header } from './answer.ts'
import type { TlsOptions } from './dial.ts'

/** Who the scanner is in an attempt. */
export type IdentityName = 'anonymous' | 'low' | 'high'

/** What an identity shows at one attempt: each member where its login says so. */
export interface Presented {
  readonly who: IdentityName
  /** `Cookie`, `Authorization` or others. */
  readonly headers: readonly Header[]
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly subprotocols: readonly string[]
  /** The first message on a plain socket. */
  readonly first: string | undefined
  /** Members of Socket.IO's `auth`, of GraphQL's `connection_init` payload, or of the details of WAMP's HELLO. */
  readonly payload: JsonObject | undefined
  readonly wamp: WampSecret | undefined
  /** Shown in the TLS handshake. */
  readonly tls: ClientCertificate | undefined
  /** A browser sends it by itself to whatever page asks: a cookie, Basic, a client certificate. */
  readonly ambient: boolean
}

/** A client certificate and its key, as PEM or as PKCS#12. */
export type ClientCertificate = Pick<TlsOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>

/** How a session of WAMP authenticates. */
export interface WampSecret {
  readonly authid: string
  /** `tls`: by the client certificate of the connection, and no secret. */
  readonly method: 'wampcra' | 'ticket' | 'tls'
  /** Empty where the method has none. */
  readonly secret: string
}

/** Nobody. */
export const anonymous: Presented = Object.freeze({
  who: 'anonymous',
  headers: [],
  query: [],
  subprotocols: [],
  first: undefined,
  payload: undefined,
  wamp: undefined,
  tls: undefined,
  ambient: false,
})
