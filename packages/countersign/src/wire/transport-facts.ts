/** Facts of a transport as authenticators and authorizers are told them, in the two forms that they know. */
import type { PeerCertificate } from '../core/handshake.ts'

/** What an adapter knows of a connection. */
export interface TransportSource {
  readonly framing: 'websocket' | 'rawsocket'
  /** Name of the serializer: `json`, `msgpack`, `cbor`. */
  readonly serializer: string
  /** The subprotocol that was selected; `undefined` on RawSocket. */
  readonly subprotocol: string | undefined
  /** Address of the peer: `203.0.113.7`, `2001:db8::1`, `unix`. */
  readonly address: string
  readonly port: number | undefined
  readonly secure: boolean
  /** Headers of the request, names in lower case, and of the response; empty on RawSocket. */
  readonly headersReceived: Readonly<Record<string, string>>
  readonly headersSent: Readonly<Record<string, string>>
  readonly certificate: PeerCertificate | undefined
  /** Channel bindings by type, hex. */
  readonly channels: Readonly<Partial<Record<string, string>>>
}

/** What the name of a header that holds a secret looks like, as proxies and applications write them. */
const secretName =
  /auth|cookie|token|secret|api-?key|passw|credential|session|csrf|xsrf|signature|assertion|jwt|ticket/

/** Names that the pattern hits and that hold none. */
const publicNames: ReadonlySet<string> = new Set(['sec-websocket-accept', 'www-authenticate'])

/**
 * The union of the shapes that authenticators of Crossbar.io meet before and since 22.4. Secret headers are left out:
 * `authorization`, `cookie`, tokens among the subprotocols, and whatever else is named like a secret.
 * @param passHeaders names of secret headers that stay; give what is built with any to authenticators alone
 */
export function transportFacts(
  source: TransportSource,
  passHeaders: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const { framing, serializer, secure, subprotocol = null, certificate, channels } = source
  const received = publicHeaders(source.headersReceived, passHeaders)
  const sent = publicHeaders(source.headersSent, passHeaders)
  const peer = peerOf(source)
  const card = certificate === undefined ? null : cardOf(certificate)
  return {
    type: framing,
    protocol: subprotocol,
    channel_type: secure ? 'tls' : source.address === 'unix' ? 'memory' : 'tcp',
    channel_framing: framing,
    channel_serializer: serializer,
    channel_id: channels,
    peer,
    is_server: true,
    is_secure: secure,
    peer_cert: card,
    client_cert: card,
    websocket_protocol: subprotocol,
    http_headers_received: received,
    http_headers_sent: sent,
    // The value of a session cookie is a credential; its holders are known by authid.
    http_cbtid: null,
    cbtid: null,
  }
}

/** Facts without the headers that hold secrets, whoever built them. Anything but a dictionary is no fact. */
export function withoutSecrets(
  transport: unknown,
  passHeaders: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof transport !== 'object' || transport === null) return {}
  const facts: Record<string, unknown> = { ...transport }
  for (const member of ['http_headers_received', 'http_headers_sent']) {
    const headers = facts[member]
    if (typeof headers === 'object' && headers !== null)
      facts[member] = publicHeaders({ ...headers }, passHeaders)
  }
  return facts
}

function publicHeaders(
  headers: Readonly<Record<string, unknown>>,
  passHeaders: readonly string[],
): Readonly<Record<string, unknown>> {
  const pass = new Set(passHeaders.map((name) => name.toLowerCase()))
  const kept: Record<string, unknown> = {}
  for (const [written, value] of Object.entries(headers)) {
    const name = written.toLowerCase()
    if (pass.has(name)) kept[written] = value
    else if (name === 'sec-websocket-protocol' && typeof value === 'string')
      kept[written] = publicProtocols(value)
    else if (name === 'referer' && typeof value === 'string') kept[written] = value.replace(/[?#].*$/s, '')
    else if (publicNames.has(name) || !secretName.test(name)) kept[written] = value
  }
  return kept
}

/** Names of WAMP; whatever else stands in the list may be a token. */
function publicProtocols(list: string): string {
  const entries = list.split(',').map((entry) => entry.trim())
  return entries.filter((entry) => entry.startsWith('wamp.')).join(', ')
}

/** `tcp4:203.0.113.7:50000`, as Twisted and Autobahn write endpoints. */
function peerOf({ address, port }: TransportSource): string {
  if (address === 'unix') return 'unix'
  return `${address.includes(':') ? 'tcp6' : 'tcp4'}:${address}:${port ?? 0}`
}

/** As Autobahn describes certificates: fingerprints in upper case with colons. */
function cardOf(certificate: PeerCertificate): Readonly<Record<string, unknown>> {
  return {
    sha1: colons(certificate.sha1),
    sha256: colons(certificate.fingerprint),
    serial: certificate.serial,
    not_before: new Date(certificate.notBeforeMs).toISOString(),
    not_after: new Date(certificate.notAfterMs).toISOString(),
    subject: { cn: certificate.commonName ?? null, dn: certificate.subject },
    alternative_names: certificate.alternativeNames,
    verified: certificate.trusted,
  }
}

function colons(hex: string): string {
  return hex.toUpperCase().replace(/..(?!$)/g, '$&:')
}
