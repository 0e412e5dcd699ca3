/**
 * A node configuration of Crossbar.io as values: every default filled in, file names absolute, variables replaced,
 * all of it frozen. Names of the format are kept in camel case, with units (`open_handshake_timeout` →
 * `openHandshakeTimeoutMs`). Secrets stand in it in clear: log no part of it.
 */
import type { AuthNode } from './auth-node.ts'

export type * from './auth-node.ts'

/** All routers that a file describes. */
export interface CrossbarNode {
  /** As written; a file without is of version 1. Rules of both versions are read in either. */
  readonly version: 1 | 2
  readonly routers: readonly RouterNode[]
}

/** One worker of type `router`: its realms are its own, also where another worker uses the same names. */
export interface RouterNode {
  readonly id: string | undefined
  readonly realms: readonly RealmNode[]
  readonly listeners: readonly ListenerNode[]
  /** What holds for its transports unless they say otherwise. */
  readonly session: SessionSettings
}

/** What a session is given; every member is one of our own keys (see `settings.ts`). */
export interface SessionSettings {
  /** From the opened transport to HELLO, ms. @default 10,000 */
  readonly helloTimeoutMs: number
  /** From each CHALLENGE to AUTHENTICATE, ms. @default 10,000 */
  readonly authenticateTimeoutMs: number
  /** For the answer of an authenticator, ms. @default 5,000 */
  readonly authenticatorTimeoutMs: number
  /** @default 'spec' */
  readonly errorUris: 'spec' | 'crossbar'
  /** @default 'auto' */
  readonly cancelReply: 'auto' | 'always' | 'never'
  /** Bytes that wait for a client that reads slowly. @default 1,048,576 */
  readonly maxQueuedBytes: number
}

/** A realm: its own world of procedures and topics. */
export interface RealmNode {
  readonly name: string
  /** Names are unique. */
  readonly roles: readonly RoleNode[]
  /** @default 'loose' */
  readonly uriCheck: 'strict' | 'loose'
  /** @default true */
  readonly metaApi: boolean
  /** @default false */
  readonly bridgeMetaApi: boolean
  /** Events that are dispatched in one go. @default 100 */
  readonly eventChunk: number
  readonly history: readonly HistoryNode[]
  readonly stats: StatsNode | undefined
}

/** Newest events that are kept for one subscription pattern. */
export interface HistoryNode {
  readonly uri: string
  readonly match: 'exact' | 'prefix' | 'wildcard'
  readonly limit: number
}

/** When `wamp.session.on_stats` is published. */
export interface StatsNode {
  /** A power of two. @default 512 */
  readonly ratedMessageBytes: number
  /** 0: never for this reason. */
  readonly afterRatedMessages: number
  /** 0: never for this reason. */
  readonly afterMs: number
  readonly onJoin: boolean
  readonly onLeave: boolean
}

/** What sessions of a role may do. */
export interface RoleNode {
  readonly name: string
  /** Told to callees and subscribers. */
  readonly trustlevel: number | undefined
  readonly grant: GrantNode
}

/** Rules, none of them meaning that everything is denied, or a procedure that decides. */
export type GrantNode =
  | { readonly kind: 'rules'; readonly rules: readonly RuleNode[] }
  | {
      readonly kind: 'authorizer'
      readonly uri: string
      /** How long a decision may be kept, ms. @default 60,000 */
      readonly cacheTtlMs: number
      /** What a kept decision is kept by. @default 'session' */
      readonly cacheKey: 'session' | 'authid' | 'role'
    }

/** One rule. Stars of the older notation are resolved: `uri` holds no star of theirs any more. */
export interface RuleNode {
  readonly uri: string
  readonly match: 'exact' | 'prefix' | 'wildcard'
  readonly allow: Readonly<Record<'call' | 'register' | 'publish' | 'subscribe', boolean>>
  readonly disclose: { readonly caller: boolean; readonly publisher: boolean }
  readonly cache: boolean
}

/** Where a transport listens. */
export type EndpointNode =
  | {
      readonly kind: 'tcp'
      /** `undefined`: every address of this machine. */
      readonly host: string | undefined
      /** 0: any that is free. */
      readonly port: number
      /** @default 4 */
      readonly ipVersion: 4 | 6
      /** @default 50 */
      readonly backlog: number
      /** Whether other processes may listen there, too. @default false */
      readonly shared: boolean
      readonly tls: TlsNode | undefined
    }
  | { readonly kind: 'unix'; readonly path: string; readonly backlog: number }

/** PEM files, absolute. */
export interface TlsNode {
  readonly key: string
  readonly certificate: string
  readonly chainCertificates: readonly string[]
  readonly dhparam: string | undefined
  /** In the notation of OpenSSL. */
  readonly ciphers: string | undefined
  /** Not empty: clients must show a certificate that one of these signed. */
  readonly caCertificates: readonly string[]
}

/** One listening transport. */
export type ListenerNode =
  | {
      readonly kind: 'web'
      readonly id: string | undefined
      readonly endpoint: EndpointNode
      readonly web: WebNode
    }
  | {
      readonly kind: 'websocket'
      readonly id: string | undefined
      readonly endpoint: EndpointNode
      readonly websocket: WebSocketNode
    }
  | {
      readonly kind: 'rawsocket'
      readonly id: string | undefined
      readonly endpoint: EndpointNode
      readonly rawsocket: RawSocketNode
    }
  | {
      readonly kind: 'universal'
      readonly id: string | undefined
      readonly endpoint: EndpointNode
      readonly rawsocket: RawSocketNode | undefined
      /** By URL path. */
      readonly websocket: readonly WebPathNode<WebSocketNode>[]
      readonly web: WebNode | undefined
    }

/** Services by URL path, nested ones flattened. */
export interface WebNode {
  readonly paths: readonly WebPathNode<WebServiceNode>[]
  readonly accessLog: boolean
  /** Seconds of `Strict-Transport-Security`; `undefined`: it is not sent. */
  readonly hstsMaxAgeS: number | undefined
  /** How long an idle HTTP connection is kept, ms; `undefined`: as long as the listener likes. */
  readonly clientTimeoutMs: number | undefined
}

/** A service at its path. */
export interface WebPathNode<T> {
  /** `/`, `/ws`, `/api/ws`. */
  readonly path: string
  readonly service: T
}

/** A service of the web transport. */
export type WebServiceNode =
  | WebSocketNode
  | {
      readonly kind: 'static'
      /** Absolute. */
      readonly directory: string
      readonly listing: boolean
      readonly defaultFile: string
      /** By extension, with its dot. */
      readonly mimeTypes: readonly { readonly extension: string; readonly type: string }[]
      /** Seconds; `undefined`: nothing is said about caching. */
      readonly cacheTimeoutS: number | undefined
    }
  | {
      readonly kind: 'json'
      readonly value: unknown
      readonly prettify: boolean
      readonly allowCrossOrigin: boolean
      readonly discourageCaching: boolean
    }
  | { readonly kind: 'nodeinfo' }
  | { readonly kind: 'redirect'; readonly url: string }

/** Forms of WAMP messages. */
export type SerializerName = 'json' | 'msgpack' | 'cbor'

/** WAMP over WebSocket. */
export interface WebSocketNode {
  readonly kind: 'websocket'
  /** Where clients reach it, when that is not where it listens. */
  readonly url: string | undefined
  /** Each in its plain and its batched form. */
  readonly serializers: readonly SerializerName[]
  readonly auth: AuthNode
  readonly cookie: CookieNode | undefined
  readonly options: WebSocketOptionsNode
  readonly session: SessionSettings
}

/** WAMP over RawSocket. */
export interface RawSocketNode {
  readonly kind: 'rawsocket'
  readonly serializers: readonly SerializerName[]
  readonly auth: AuthNode
  /** @default 16,777,216: what the protocol can announce at most */
  readonly maxMessageBytes: number
  readonly session: SessionSettings
}

/** Options of a WebSocket; timings of 0 mean that there is none. */
export interface WebSocketOptionsNode {
  /** `any`: a page of every site may open it. Else patterns for `compileOrigins`. @default 'any' */
  readonly allowedOrigins: 'any' | readonly string[]
  /** Whether `Origin: null` is allowed. @default true, and false where a cookie or a certificate speaks for the client */
  readonly allowNullOrigin: boolean
  readonly externalPort: number | undefined
  /** @default 0 */
  readonly openHandshakeTimeoutMs: number
  /** @default 0 */
  readonly closeHandshakeTimeoutMs: number
  /** @default 0 */
  readonly autoPingIntervalMs: number
  /** @default 0 */
  readonly autoPingTimeoutMs: number
  /** @default 12 */
  readonly autoPingBytes: number
  /** @default true */
  readonly autoPingRestartOnAnyTraffic: boolean
  /** 0: only messages are bounded. @default 0 */
  readonly maxFrameBytes: number
  /** Never without a bound. @default 16,777,216 */
  readonly maxMessageBytes: number
  /** 0: outgoing messages stay whole. @default 0 */
  readonly autoFragmentBytes: number
  /** @default false */
  readonly failByDrop: boolean
  /** @default false */
  readonly echoCloseCodeReason: boolean
  /** @default true */
  readonly tcpNoDelay: boolean
  /** Whether browsers that do not upgrade see a page. @default true */
  readonly webStatus: boolean
  /** False: a client that names no subprotocol speaks `wamp.2.json`, and none is announced to it. @default true */
  readonly requireSubprotocol: boolean
  /** @default false */
  readonly showServerVersion: boolean
  readonly compression: CompressionNode | undefined
}

/** permessage-deflate (RFC 7692). */
export interface CompressionNode {
  readonly requestNoContextTakeover: boolean
  /** `undefined`: not asked for. */
  readonly requestMaxWindowBits: number | undefined
  readonly noContextTakeover: boolean
  readonly maxWindowBits: number | undefined
  readonly memoryLevel: number | undefined
}

/** Cookie tracking of a transport. */
export interface CookieNode {
  /** @default 'cbtid' */
  readonly name: string
  /** Characters of its value. @default 24 */
  readonly length: number
  /** @default 604,800 */
  readonly maxAgeS: number
  /** @default true on a listener with TLS, else false */
  readonly secure: boolean
  /** @default true */
  readonly httpOnly: boolean
  /** @default 'Lax' */
  readonly sameSite: 'Strict' | 'Lax' | 'None'
  readonly store: CookieStoreNode
}

/** Where cookies and what is bound to them are kept. */
export type CookieStoreNode =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly file: string; readonly purgeOnStartup: boolean }
  | {
      readonly kind: 'database'
      readonly path: string
      readonly maxBytes: number
      readonly readOnly: boolean
      readonly sync: boolean
      readonly purgeOnStartup: boolean
    }
