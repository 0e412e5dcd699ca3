/** Builds a `Handshake` out of a Node request: the one place where headers and sockets are read. */
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Handshake, PeerCertificate } from '../core/handshake.ts'
import type { Reason } from '../core/reasons.ts'
import { serialOf } from '../core/revocation.ts'
import { findForwardedCertificate, otherFamilies } from '../wire/client-certificate.ts'
import { clientAddress } from '../wire/forwarded.ts'
import { parseTarget } from '../wire/target.ts'
import { isUnixSocket, type ProxyTrust } from './proxies.ts'

/** What an adapter knows besides the request. */
export interface HandshakeSources {
  readonly trust: ProxyTrust | undefined
  /** Whether client certificates are looked at: costs a little, so only where a method takes them. */
  readonly certificates: boolean
}

/**
 * The facts of one request.
 * @returns a reason instead when the request must be refused before the guard is asked at all
 */
export function handshakeOf(request: IncomingMessage, sources: HandshakeSources): Handshake | Reason {
  const { headers, socket } = request
  const target = request.url ?? ''
  if (parseTarget(target).kind !== 'found') return 'protocol_violation'
  const { trust } = sources
  const peer = socket.remoteAddress ?? (isUnixSocket(socket) ? 'unix' : 'gone')
  const encrypted = socket instanceof TLSSocket
  const proxied = trust !== undefined && trust.trusts(peer)
  const certificate = sources.certificates ? certificateOf(request, { trust, proxied }) : undefined
  if (typeof certificate === 'string') return certificate
  return {
    target,
    host: headers.host,
    origin: headers.origin,
    cookie: headers.cookie,
    authorization: headers.authorization,
    subprotocol: headers['sec-websocket-protocol'],
    remoteAddress: proxied ? clientAddress(peer, forwardedOf(request), trust) : peer,
    secure: encrypted || (proxied && trust.saysSecure(request)),
    certificate,
  }
}

/** The two headers by which proxies name clients; which one counts is the trust's to say. */
function forwardedOf(request: IncomingMessage): {
  readonly forwarded: string | undefined
  readonly xForwardedFor: string | undefined
} {
  const { forwarded, 'x-forwarded-for': list } = request.headers
  return { forwarded, xForwardedFor: Array.isArray(list) ? list.join(',') : list }
}

/** The certificate of the TLS connection, or of the configured header family from a proxy that proved itself. */
function certificateOf(
  request: IncomingMessage,
  via: { readonly trust: ProxyTrust | undefined; readonly proxied: boolean },
): PeerCertificate | Reason | undefined {
  const family = via.trust?.certificates?.family
  if (otherFamilies(request.headers, family)) return 'protocol_violation'
  if (family === undefined) return tlsCertificate(request.socket)
  const search = findForwardedCertificate(request.headers, family)
  if (search.kind === 'absent') return undefined
  if (search.kind === 'malformed') return 'invalid_credential'
  if (!via.proxied || via.trust?.vouches(request) !== true) return 'protocol_violation'
  return readCertificate(search.value.der, true)
}

/** Proved by the handshake of TLS; whether an authority vouches for it is said by `authorized`. */
export function tlsCertificate(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : describe(certificate, socket.authorized)
}

/** The bytes come from a header: what OpenSSL cannot read refuses the attempt. */
function readCertificate(der: Uint8Array, trusted: boolean): PeerCertificate | Reason {
  try {
    return describe(new X509Certificate(der), trusted)
  } catch {
    return 'invalid_credential'
  }
}

/** As values: nothing of Node's object leaves, and no private key could be in it. */
function describe(certificate: X509Certificate, trusted: boolean): PeerCertificate {
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    sha1: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    serial: serialOf(certificate.serialNumber),
    subject: certificate.subject,
    commonName: /^CN=(.*)$/m.exec(certificate.subject)?.[1],
    // A comma inside a name is escaped by Node, so that no name can pose as several.
    alternativeNames: certificate.subjectAltName?.split(', ') ?? [],
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    trusted,
  }
}
