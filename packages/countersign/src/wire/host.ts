import { every, isAlphanumericCode, isDigitCode } from './ascii.ts'
import { formatIpv6, isIpv4, parseIpv6 } from './ip.ts'

/** A host and the port that was written behind it. */
export interface HostPort {
  /** Lower case; an IPv6 address stands in brackets, spelled as in RFC 5952. */
  readonly host: string
  /** 1–65535, or `undefined` when none was written. */
  readonly port: number | undefined
}

/**
 * Reads `host[:port]` (RFC 9110 §7.2), strictly: a DNS name of letters, digits, hyphens and underscores
 * without trailing dot, a canonical IPv4 address or a bracketed IPv6 address. User information, blanks,
 * percent-encoding, other spellings of an IPv4 address (`127.1`, `0x7f000001`) and empty ports are no host.
 */
export function parseHostPort(text: string): HostPort | undefined {
  if (text.length > 260) return undefined
  const colon = text.indexOf(':', text.startsWith('[') ? Math.max(text.indexOf(']'), 0) : 0)
  const host = readHost(colon < 0 ? text : text.slice(0, colon))
  if (host === undefined) return undefined
  if (colon < 0) return { host, port: undefined }
  const port = readPort(text.slice(colon + 1))
  return port === undefined ? undefined : { host, port }
}

/** The value 1–65535 of a port without leading zeros, or `undefined`. */
export function readPort(text: string): number | undefined {
  if (text === '' || text.length > 5 || text.startsWith('0') || !every(text, isDigitCode)) return undefined
  const port = Number(text)
  return port <= 65_535 ? port : undefined
}

/** True when the host of a `HostPort` is an address and no name. */
export function isAddressHost(host: string): boolean {
  return host.startsWith('[') || isIpv4(host)
}

/** The canonical host, or `undefined`. */
function readHost(text: string): string | undefined {
  if (text.startsWith('[')) {
    const groups = text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : undefined
    return groups && `[${formatIpv6(groups)}]`
  }
  const labels = text.split('.')
  if (text.length > 253 || !labels.every(isLabel)) return undefined
  // WHATWG URL §3.5: a name whose last label is a number is an IPv4 address, or nothing.
  if (isNumeric(labels.at(-1)) && !isIpv4(text)) return undefined
  return text.toLowerCase()
}

function isLabel(label: string): boolean {
  return label !== '' && label.length <= 63 && every(label, isLabelCode)
}

/** LDH of RFC 5890 §2.3.1 and the underscore, which real names have. */
function isLabelCode(code: number): boolean {
  return isAlphanumericCode(code) || code === 0x2d || code === 0x5f
}

/** The "ends in a number" test of WHATWG URL: decimal, octal or hexadecimal. */
function isNumeric(label: string | undefined): boolean {
  return label !== undefined && /^(?:[0-9]+|0x[0-9a-f]*)$/i.test(label)
}
