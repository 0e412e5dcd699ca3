import { isToken, trimBlanks } from './ascii.ts'
import { decodeBase64 } from './base64.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { decodePemCertificate, isDerSequence } from './pem.ts'
import { decodePercent } from './query.ts'
import type { Bytes } from './utf8.ts'

/**
 * A client certificate that a proxy says it has verified. Believe it only from a proxy that is itself proved.
 */
export interface ForwardedCertificate {
  /** The leaf certificate. */
  readonly der: Bytes
}

/** Request headers by lower-case name, as Node joins them. */
export type CertificateHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** The four ways in which proxies hand on a client certificate. */
export type CertificateFamily = 'client-cert' | 'envoy' | 'nginx' | 'apache'

/** Longest certificate, in bytes of DER. */
export const maxCertificateBytes = 16_384

/** Longest header that carries one, in characters: percent-encoded PEM, and what Envoy writes beside it. */
export const maxCertificateHeaderLength = 65_536

/** A row of the table below. */
interface Family {
  /** True for every header of the family, by its lower-case name. */
  readonly owns: (name: string) => boolean
  readonly read: (headers: CertificateHeaders) => Found<ForwardedCertificate>
}

const families: Readonly<Record<CertificateFamily, Family>> = {
  'client-cert': {
    owns: (name) => name === 'client-cert' || name === 'client-cert-chain',
    read: (headers) => parseClientCert(text(headers, 'client-cert')),
  },
  envoy: {
    owns: (name) => name === 'x-forwarded-client-cert',
    read: (headers) => parseForwardedClientCert(text(headers, 'x-forwarded-client-cert')),
  },
  nginx: {
    owns: (name) => name.startsWith('x-ssl-client-'),
    read: (headers) =>
      parseNginxCertificate(text(headers, 'x-ssl-client-cert'), text(headers, 'x-ssl-client-verify')),
  },
  apache: {
    owns: (name) => name.startsWith('ssl_client_'),
    read: (headers) =>
      parseApacheCertificate(text(headers, 'ssl_client_cert'), text(headers, 'ssl_client_verify')),
  },
}

/** Reads the certificate from the headers of one family. Ask `otherFamilies` first. */
export function findForwardedCertificate(
  headers: CertificateHeaders,
  configured: CertificateFamily,
): Found<ForwardedCertificate> {
  return families[configured].read(headers)
}

/**
 * True when the request carries a header of any family but the `configured` one (`undefined`: of any family
 * at all), or a look-alike of one with hyphens and underscores exchanged. Such a request is refused: somebody
 * tries which door is believed.
 */
export function otherFamilies(
  headers: CertificateHeaders,
  configured: CertificateFamily | undefined,
): boolean {
  return Object.keys(headers).some((name) => isForeign(name.toLowerCase(), configured))
}

function isForeign(name: string, configured: CertificateFamily | undefined): boolean {
  // Every family has the word in its names; most headers of a request do not.
  if (!name.includes('client')) return false
  if (configured !== undefined && families[configured].owns(name)) return false
  const spellings = [name.replaceAll('_', '-'), name.replaceAll('-', '_')]
  return Object.values(families).some((family) => spellings.some((spelling) => family.owns(spelling)))
}

/** `Client-Cert` of RFC 9440 §2: one byte sequence of RFC 8941 §3.3.5, without parameters. */
export function parseClientCert(value: string | undefined): Found<ForwardedCertificate> {
  const written = trimBlanks(value ?? '')
  if (written === '') return absent
  if (written.length > maxCertificateHeaderLength) return malformed('certificate too long')
  if (written.length < 2 || !written.startsWith(':') || !written.endsWith(':')) {
    return malformed('certificate is no byte sequence')
  }
  const der = decodeBase64(written.slice(1, -1), maxCertificateBytes)
  return der && isDerSequence(der) ? found({ der }) : malformed('certificate encoding')
}

/**
 * nginx: `X-SSL-Client-Cert $ssl_client_escaped_cert` (percent-encoded PEM) and `X-SSL-Client-Verify
 * $ssl_client_verify`. Only `SUCCESS` is success; `NONE` with no certificate is absent.
 */
export function parseNginxCertificate(
  certificate: string | undefined,
  verify: string | undefined,
): Found<ForwardedCertificate> {
  const shown = verified(certificate, verify)
  return shown.kind === 'found' ? readEscapedPem(shown.value) : shown
}

/**
 * Apache: `SSL_CLIENT_CERT` (PEM with its lines folded by blanks) and `SSL_CLIENT_VERIFY`; `(null)` is
 * absent.
 */
export function parseApacheCertificate(
  certificate: string | undefined,
  verify: string | undefined,
): Found<ForwardedCertificate> {
  const shown = verified(certificate, verify)
  return shown.kind === 'found' ? readPem(shown.value) : shown
}

/**
 * Envoy: `X-Forwarded-Client-Cert` with exactly one element that has a `Cert` (percent-encoded PEM, mostly
 * quoted). More elements mean that several proxies appended theirs, and nobody can say whose word the first
 * one is.
 */
export function parseForwardedClientCert(value: string | undefined): Found<ForwardedCertificate> {
  const written = trimBlanks(value ?? '')
  if (written === '') return absent
  if (written.length > maxCertificateHeaderLength) return malformed('certificate too long')
  let certificate: string | undefined
  for (let at = 0; at <= written.length;) {
    const pair = readPair(written, at)
    if (pair === undefined) return malformed('certificate element')
    if (pair.name === 'cert') {
      if (certificate !== undefined) return malformed('repeated certificate')
      certificate = pair.value
    }
    at = pair.end + 1
  }
  return certificate === undefined ? malformed('element without certificate') : readEscapedPem(certificate)
}

interface Pair {
  readonly name: string
  readonly value: string
  /** Position of the `;` behind the pair, or of the end. */
  readonly end: number
}

/** One `key=value` of Envoy's element. */
function readPair(written: string, start: number): Pair | undefined {
  const equals = written.indexOf('=', start)
  const name = trimBlanks(written, start, Math.max(equals, start)).toLowerCase()
  if (!isToken(name)) return undefined
  const { value, end } =
    written.charAt(equals + 1) === '"' ? quoted(written, equals + 2) : plain(written, equals + 1)
  const last = end === written.length || written.charAt(end) === ';'
  // A comma outside quotes begins a second element.
  return last ? { name, value, end } : undefined
}

type Span = Omit<Pair, 'name'>

/** A value without quotes, up to the mark that ends it. */
function plain(written: string, from: number): Span {
  let end = from
  while (end < written.length && !';,"'.includes(written.charAt(end))) end++
  return { value: trimBlanks(written, from, end), end }
}

/** A value in quotes; a backslash takes the next character as it is. */
function quoted(written: string, from: number): Span {
  let value = ''
  for (let at = from; at < written.length; at++) {
    const character = written.charAt(at)
    if (character === '"') return { value, end: at + 1 }
    if (character === '\\') at++
    value += written.charAt(at)
  }
  // Never closed: an end that is neither the header's nor a semicolon.
  return { value, end: -1 }
}

/** The certificate text when the proxy says SUCCESS, and only then. */
function verified(certificate: string | undefined, verify: string | undefined): Found<string> {
  const shown = isNothing(certificate) ? undefined : certificate
  if (shown === undefined) {
    return isNothing(verify) || verify === 'NONE' ? absent : malformed('verification without certificate')
  }
  if (shown.length > maxCertificateHeaderLength) return malformed('certificate too long')
  return verify === 'SUCCESS' ? found(shown) : malformed('certificate not verified')
}

/** Apache writes `(null)` for a variable that is not set. */
function isNothing(value: string | undefined): boolean {
  return value === undefined || value === '' || value === '(null)'
}

function readEscapedPem(escaped: string): Found<ForwardedCertificate> {
  return readPem(decodePercent(escaped) ?? '')
}

function readPem(pem: string): Found<ForwardedCertificate> {
  const der = decodePemCertificate(pem, maxCertificateBytes)
  return der === undefined ? malformed('certificate encoding') : found({ der })
}

/** A header that came as a list is a list of refusals: the joined text is no certificate in any family. */
function text(headers: CertificateHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined || typeof value === 'string' ? value : value.join(', ')
}
