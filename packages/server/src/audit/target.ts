/** What is audited: one endpoint, the protocol spoken there, and the page to which it belongs. */
import type { Header } from './answer.ts'

/** What is spoken on an endpoint. */
export type Protocol = 'plain' | 'socket.io' | 'wamp' | 'graphql-transport-ws' | 'graphql-ws'

/** One endpoint. */
export interface Endpoint {
  /** `ws:` or `wss:`. Credentials that stood in it are in identities instead. */
  readonly url: URL
  readonly protocol: Protocol
  /** What its own page sends as `Origin`. */
  readonly origin: string
  /** Offered in each handshake beside those of the protocol. */
  readonly subprotocols: readonly string[]
  /** Sent in each handshake; no credentials. */
  readonly headers: readonly Header[]
  /** The page that opens the socket, where it is known. */
  readonly page: URL | undefined
  /** A namespace of Socket.IO, beginning with `/`. */
  readonly namespace: string
  /** A realm of WAMP. */
  readonly realm: string
}

/** The page's address for a path of the endpoint's own site. */
export function siteUrl(endpoint: Endpoint, path: string): URL {
  return new URL(path, endpoint.url.href.replace(/^ws/, 'http'))
}
