/** Which peers are believed when they speak for others. Nothing is believed unless it is named here. */
import { timingSafeEqual, createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MisuseError } from '../core/errors.ts'
import { normalizeAddress } from '../wire/address.ts'
import type { CertificateFamily } from '../wire/client-certificate.ts'
import { forwardedProto } from '../wire/forwarded.ts'

/** Options about proxies that stand before the server. */
export interface ProxyOptions {
  /** Addresses or CIDR blocks of the proxies, and `unix` for a Unix socket. No names, no "private ranges". */
  readonly trusted: readonly string[]
  /** The one header in which they name the client. @default 'x-forwarded-for' */
  readonly header?: 'x-forwarded-for' | 'forwarded'
  /** Client certificates that they have verified, in exactly one family of headers. */
  readonly certificates?: {
    /** The one family of headers that the proxy writes; a request with any other is refused. */
    readonly family: CertificateFamily
    /** How the proxy proves itself: over a Unix socket, by its own client certificate, or by a shared secret. */
    readonly proof: 'unix' | 'mtls' | { readonly header: string; readonly secret: string }
  }
}

/** The options, compiled. */
export interface ProxyTrust {
  /** The header that is read; the other is a client's word. */
  readonly header: 'x-forwarded-for' | 'forwarded'
  readonly certificates: ProxyOptions['certificates']
  /** Whether this peer may name a client. */
  trusts(address: string): boolean
  /** Whether the proxy says that the client's connection was TLS (`X-Forwarded-Proto`, or `proto=` of RFC 7239). */
  saysSecure(request: IncomingMessage): boolean
  /** Whether the peer has proved to be the proxy whose word on certificates counts. */
  vouches(request: IncomingMessage): boolean
}

/** @throws MisuseError for anything but addresses, CIDR blocks and `unix` */
export function trustProxies(options: ProxyOptions): ProxyTrust {
  const blocks = new BlockList()
  for (const entry of options.trusted) if (entry !== 'unix') addBlock(blocks, entry)
  const unix = options.trusted.includes('unix')
  const header = options.header ?? 'x-forwarded-for'
  return {
    header,
    certificates: options.certificates,
    trusts(address) {
      if (address === 'unix') return unix
      const canonical = normalizeAddress(address)
      return canonical !== undefined && blocks.check(canonical, isIPv6(canonical) ? 'ipv6' : 'ipv4')
    },
    saysSecure: header === 'forwarded' ? forwardedIsSecure : xForwardedIsSecure,
    vouches: (request) => vouches(request, options.certificates?.proof),
  }
}

/** `address` or `address/bits`; an address alone is a block of one. */
function addBlock(blocks: BlockList, entry: string): void {
  const [address = '', length, ...rest] = entry.split('/')
  const canonical = normalizeAddress(address)
  if (canonical === undefined || rest.length > 0)
    throw new MisuseError('invalid_option', `trusted: ${entry} is no CIDR block`)
  const family = isIPv6(canonical) ? 'ipv6' : 'ipv4'
  const most = family === 'ipv6' ? 128 : 32
  const bits = length === undefined ? most : Number(/^\d{1,3}$/.exec(length)?.[0] ?? NaN)
  if (Number.isNaN(bits) || bits > most) {
    throw new MisuseError('invalid_option', `trusted: ${entry} is no CIDR block`)
  }
  blocks.addSubnet(canonical, bits, family)
}

/** The last value is the one that the nearest proxy wrote. */
function xForwardedIsSecure(request: IncomingMessage): boolean {
  const proto = request.headers['x-forwarded-proto']
  const text = Array.isArray(proto) ? proto.join(',') : proto
  return text?.split(',').at(-1)?.trim().toLowerCase() === 'https'
}

/** RFC 7239 §5.4. Read as the addresses are: what stands in quotes, such as a client's `Host`, is no pair of its own. */
function forwardedIsSecure(request: IncomingMessage): boolean {
  return forwardedProto(request.headers.forwarded) === 'https'
}

/** Compared by digests, so that neither the length nor the place of a difference is told by the clock. */
function vouches(
  request: IncomingMessage,
  proof: NonNullable<ProxyOptions['certificates']>['proof'] | undefined,
): boolean {
  if (proof === 'unix') return isUnixSocket(request.socket)
  if (proof === 'mtls') return request.socket instanceof TLSSocket && request.socket.authorized
  if (proof === undefined) return false
  const shown = request.headers[proof.header.toLowerCase()]
  return typeof shown === 'string' && timingSafeEqual(digest(shown), digest(proof.secret))
}

/** Equal lengths for `timingSafeEqual`. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Whether this is a Unix socket: it has no address at either end. A TCP peer that has reset has lost only its own. */
export function isUnixSocket(socket: Socket): boolean {
  return !socket.destroyed && socket.remoteAddress === undefined && socket.localAddress === undefined
}
