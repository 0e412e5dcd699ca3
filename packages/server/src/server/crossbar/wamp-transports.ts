/** Transports that speak WAMP: WebSocket and RawSocket, by themselves or as a part of another. */
import { authOf } from './auth.ts'
import { cookieOf } from './cookie.ts'
import { isLocal } from './endpoint.ts'
import type {
  AuthMethodName,
  AuthNode,
  EndpointNode,
  RawSocketNode,
  SerializerName,
  SessionSettings,
  WebSocketNode,
} from './node.ts'
import {
  below,
  complain,
  flag,
  ignored,
  list,
  members,
  oneOf,
  optional,
  shaped,
  text,
  warn,
  type Spot,
} from './reader.ts'
import { settingReaders, settingsOver } from './settings.ts'
import { messageBytes, websocketOptions } from './websocket-options.ts'

/** What a transport hears from around it. */
export interface Around {
  readonly endpoint: EndpointNode
  /** Of its worker. */
  readonly session: SessionSettings
}

/** Keys of both transports. `auth` is read before, since what it says decides how the rest is judged. */
const common = {
  id: optional(text(64), undefined),
  type: ignored,
  debug: optional(flag, false),
  auth: ignored,
}

/** Reads what makes a transport or a service one of WAMP over WebSocket. `endpoint` is judged elsewhere. */
export function websocketOf(spot: Spot, around: Around, hasEndpoint: boolean): WebSocketNode {
  const { auth, written } = authOf(below(spot, 'auth'))
  const isSecure = around.endpoint.kind === 'tcp' && around.endpoint.tls !== undefined
  const read = members(spot, {
    ...common,
    ...(hasEndpoint ? { endpoint: ignored } : {}),
    url: optional(shaped(/^wss?:\/\/\S+$/, 'must be a URL of a WebSocket', 2_048), undefined),
    serializers: optional(serializersOf, everySerializer),
    cookie: optional((inner: Spot) => cookieOf(inner, isSecure), undefined),
    options: ignored,
  })
  const ambient = speaks(auth, 'cookie') || speaks(auth, 'tls')
  const options = websocketOptions(below(spot, 'options'), ambient)
  judgeAuth(spot, auth, around.endpoint)
  if (speaks(auth, 'cookie')) judgeCookie(spot, auth, read.cookie !== undefined)
  return {
    kind: 'websocket',
    url: read.url,
    serializers: read.serializers,
    auth,
    cookie: read.cookie,
    options: options.options,
    session: settingsOver(settingsOver(around.session, options.written), written),
  }
}

/** Reads what makes a transport one of WAMP over RawSocket. */
export function rawsocketOf(spot: Spot, around: Around, hasEndpoint: boolean): RawSocketNode {
  const { auth, written } = authOf(below(spot, 'auth'))
  const read = members(spot, {
    ...common,
    ...(hasEndpoint ? { endpoint: ignored } : {}),
    serializers: optional(serializersOf, everySerializer),
    options: optional(
      (inner: Spot) => members(inner, { max_message_size: messageBytes, ...settingReaders }),
      undefined,
    ),
  })
  judgeAuth(spot, auth, around.endpoint)
  if (speaks(auth, 'cookie')) {
    complain(below(below(spot, 'auth'), 'cookie'), 'cannot apply: a RawSocket carries no cookies')
  }
  return {
    kind: 'rawsocket',
    serializers: read.serializers,
    auth,
    // The opening octets of a RawSocket can announce no more.
    maxMessageBytes: Math.min(read.options?.max_message_size ?? mostRawBytes, mostRawBytes),
    session: settingsOver(settingsOver(around.session, read.options ?? {}), written),
  }
}

/** 2^24: the length exponent of the RawSocket handshake ends there (WAMP, "RawSocket Transport"). */
const mostRawBytes = 16_777_216

/** In the order of preference where a client leaves the choice. */
const everySerializer: readonly SerializerName[] = ['json', 'msgpack', 'cbor']

/** Each once; at least one that is spoken here. */
function serializersOf(spot: Spot): readonly SerializerName[] {
  const names = list(oneOf(['json', 'msgpack', 'cbor', 'ubjson', 'flatbuffers'], 'json'), 1)(spot)
  const spoken = everySerializer.filter((name) => names.includes(name))
  for (const [index, name] of names.entries()) {
    if (name === 'ubjson' || name === 'flatbuffers')
      warn(below(spot, index), 'cannot apply: it is not spoken here')
  }
  if (spoken.length === 0 && names.length > 0) complain(spot, 'names nothing that is spoken here')
  return spoken
}

/** Whether a method is configured, as a first or a second factor. */
function speaks(auth: AuthNode, method: AuthMethodName): boolean {
  return auth.methods.some((one) => one.method === method)
}

/**
 * What an `auth` block needs of the endpoint. Everyone may join where nothing is configured, which is fine as long
 * as everyone is this machine.
 */
function judgeAuth(spot: Spot, auth: AuthNode, endpoint: EndpointNode): void {
  const at = below(spot, 'auth')
  const tls = endpoint.kind === 'tcp' ? endpoint.tls : undefined
  if (auth.open && !isLocal(endpoint)) {
    warn(at, 'is missing: EVERYONE WHO REACHES THIS TRANSPORT JOINS as role "anonymous"')
  }
  if (speaks(auth, 'tls') && (tls === undefined || tls.caCertificates.length === 0)) {
    complain(
      below(at, 'tls'),
      'needs "ca_certificates" of the endpoint’s "tls": clients are not asked for certificates',
    )
  }
  if (speaks(auth, 'ticket') && tls === undefined && !isLocal(endpoint)) {
    warn(below(at, 'ticket'), 'lets tickets travel in clear: the endpoint has no "tls"')
  }
}

/** A cookie is bound to who authenticated otherwise: it begins nothing. */
function judgeCookie(spot: Spot, auth: AuthNode, hasCookie: boolean): void {
  const at = below(below(spot, 'auth'), 'cookie')
  if (!hasCookie) complain(at, 'needs the block "cookie" of the transport')
  if (!auth.methods.some(({ method, first }) => method !== 'cookie' && first)) {
    complain(at, 'needs another method, which cookies are bound by')
  }
}
