import { normalizeAddress } from './address.ts'
import { isTokenCode, skipBlanks, trimBlanks } from './ascii.ts'

/** The two headers that name the client of a proxy, as Node joins them. */
export interface ForwardedHeaders {
  /** RFC 7239. */
  readonly forwarded?: string | undefined
  readonly xForwardedFor?: string | undefined
}

/** Whom to believe. */
export interface ForwardedOptions {
  /** True for the canonical address of a proxy whose word counts; asked hop by hop. */
  trusts(address: string): boolean
  /** The one header that these proxies write. The other is never read: a client may send it. */
  readonly header: 'x-forwarded-for' | 'forwarded'
}

/** Most hops that are read, from the right. */
export const maxHops = 32

/** Longest header that is read, in characters; a longer one is treated as absent. */
export const maxForwardedLength = 8_192

/**
 * The address of the client behind trusted proxies. Begins with the peer of the TCP connection and walks the
 * header from right to left for as long as the last hop is trusted; the first untrusted one is the client. A
 * hop that is no address (`unknown`, `_hidden`, garbage) ends the walk at the last good one.
 *
 * @param peer what the socket says; returned as it is when it is no address and not trusted
 */
export function clientAddress(peer: string, headers: ForwardedHeaders, options: ForwardedOptions): string {
  let client = normalizeAddress(peer) ?? peer
  if (!options.trusts(client)) return client
  const header = options.header === 'forwarded' ? headers.forwarded : headers.xForwardedFor
  if (header === undefined || header.length > maxForwardedLength) return client
  const hops = options.header === 'forwarded' ? elementsOf(header).map((one) => one.for) : header.split(',')
  for (const hop of hops.slice(-maxHops).toReversed()) {
    const address = hopAddress(trimBlanks(hop))
    if (address === undefined) return client
    client = address
    if (!options.trusts(client)) return client
  }
  return client
}

/**
 * What the nearest proxy says about the scheme that its client used (RFC 7239 §5.4): the `proto` of the last element, lower
 * case. `undefined` where it says nothing, or where the header cannot be read: a client may have sent what stands before.
 */
export function forwardedProto(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxForwardedLength) return undefined
  const proto = elementsOf(header).at(-1)?.proto
  return proto === '' ? undefined : proto?.toLowerCase()
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
function hopAddress(hop: string): string | undefined {
  if (hop.startsWith('[')) {
    const close = hop.indexOf(']')
    return close > 0 && isPortSuffix(hop.slice(close + 1)) ? normalizeAddress(hop.slice(1, close)) : undefined
  }
  const colon = hop.indexOf(':')
  if (colon < 0 || hop.includes(':', colon + 1)) return normalizeAddress(hop)
  return isPortSuffix(hop.slice(colon)) ? normalizeAddress(hop.slice(0, colon)) : undefined
}

/** RFC 7239 §6: the port of a node may also be an obfuscated name. */
function isPortSuffix(text: string): boolean {
  return text === '' || /^:(?:[0-9]{1,5}|_[A-Za-z0-9._-]{1,64})$/.test(text)
}

/** What is read of one element; the empty text where it is not there. */
interface Element {
  readonly for: string
  readonly proto: string
}

/**
 * The elements of a `Forwarded` header (RFC 7239 §4). Where it cannot be read, the longest part behind a comma that can: a
 * client may have sent anything in front, and must not hide by it what the proxy has put behind. None when there is no
 * such part.
 */
function elementsOf(header: string): readonly Element[] {
  const whole = readElements(header)
  if (whole !== undefined) return whole
  const commas = [...header.matchAll(/,/g)].slice(-maxHops)
  for (const { index } of commas) {
    const rest = readElements(header.slice(index + 1))
    if (rest !== undefined) return rest
  }
  return []
}

/** All of the text, or `undefined`: also where a name that counts is there twice in one element. */
function readElements(header: string): readonly Element[] | undefined {
  const elements: Element[] = []
  let pairs = new Map<string, string>()
  let at = 0
  while (at <= header.length) {
    const pair = readPair(header, at)
    if (pair === undefined) return undefined
    if (pair.name === 'for' || pair.name === 'proto') {
      if (pairs.has(pair.name)) return undefined
      pairs.set(pair.name, pair.value)
    }
    at = pair.end + 1
    if (header.charAt(pair.end) !== ';') {
      elements.push({ for: pairs.get('for') ?? '', proto: pairs.get('proto') ?? '' })
      pairs = new Map()
    }
  }
  return elements
}

interface Pair {
  /** Lower case; empty for an empty element. */
  readonly name: string
  readonly value: string
  /** Position of the `;` or `,` behind the pair, or of the header's end. */
  readonly end: number
}

/** One `forwarded-pair`, or the empty element that RFC 9110 §5.6.1 tells recipients to bear. */
function readPair(header: string, start: number): Pair | undefined {
  const first = skipBlanks(header, start)
  const equals = skipTokens(header, first)
  const name = header.slice(first, equals).toLowerCase()
  if (name === '') return endPair(header, equals, { name, value: '' })
  if (header.charAt(equals) !== '=') return undefined
  const from = equals + 1
  if (header.charAt(from) !== '"') {
    const end = skipTokens(header, from)
    return endPair(header, end, { name, value: header.slice(from, end) })
  }
  const close = header.indexOf('"', from + 1)
  const value = header.slice(from + 1, close)
  // No address and no port has anything to escape.
  return close < 0 || value.includes('\\') ? undefined : endPair(header, close + 1, { name, value })
}

/** A pair is followed by a mark or by nothing; anything else makes the whole header unreadable. */
function endPair(header: string, at: number, pair: Omit<Pair, 'end'>): Pair | undefined {
  const end = skipBlanks(header, at)
  const good = end === header.length || header.charAt(end) === ';' || header.charAt(end) === ','
  return good ? { ...pair, end } : undefined
}

/**
 * Some proxies leave colons and brackets unquoted; they end nothing, so they are read as part of the value.
 */
function skipTokens(text: string, from: number): number {
  let at = from
  while (isTokenCode(text.charCodeAt(at)) || '[]:'.includes(text.charAt(at) || ' ')) at++
  return at
}
