import { every, isAlphanumericCode } from './ascii.ts'
import { isAddressHost, parseHostPort, type HostPort } from './host.ts'

/** A web origin (RFC 6454 §4). */
export interface Origin {
  /** Lower case, without `://`. */
  readonly scheme: string
  /** Lower case; an IPv6 address stands in brackets. */
  readonly host: string
  /** The port in force, the scheme's default included; `undefined` only for schemes that have none. */
  readonly port: number | undefined
  /** The serialization, byte for byte as it was parsed: two equal origins have equal texts. */
  readonly text: string
}

/** Ports that a serialization leaves out (WHATWG URL, special schemes). */
const defaultPorts: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
  ['ftp', 21],
])

/**
 * Reads an `Origin` header as browsers write it (RFC 6454 §6.2): `scheme://host[:port]` in lower case,
 * without path, user information, trailing dot or default port. What no browser would send is `undefined`,
 * two Origins that a proxy or Node joined with a comma included.
 */
export function parseOrigin(text: string): Origin | 'null' | undefined {
  if (text === 'null') return text
  const mark = text.indexOf('://')
  if (mark < 1 || mark > 64 || text !== text.toLowerCase()) return undefined
  const scheme = text.slice(0, mark)
  if (!isScheme(scheme)) return undefined
  // The host must be written canonically already: an Origin that needs normalizing came from no browser.
  const written = text.slice(mark + 3)
  const place = parseHostPort(written)
  if (place === undefined || !written.startsWith(place.host)) return undefined
  const usual = defaultPorts.get(scheme)
  if (usual !== undefined && place.port === usual) return undefined
  return { scheme, host: place.host, port: place.port ?? usual, text }
}

/** Which Origins are allowed; made by `compileOrigins`. */
export interface OriginRules {
  /** Whole serializations, `null` among them when it was named. */
  readonly exact: ReadonlySet<string>
  /** Serializations with `*` for the left-most label. */
  readonly wildcard: ReadonlySet<string>
}

/**
 * Makes rules from a list of Origins: `https://app.example.com`, `http://localhost:8000`,
 * `https://*.example.com` (exactly one label in place of the star), `null`. There are no regular expressions
 * and there is no "any".
 *
 * @throws TypeError on misuse: anything that `parseOrigin` does not read, and a star that is not a whole
 *   left-most label before a name of two labels or `localhost`
 */
export function compileOrigins(patterns: readonly string[]): OriginRules {
  const exact = new Set<string>()
  const wildcard = new Set<string>()
  for (const pattern of patterns) {
    if (parseOrigin(pattern) !== undefined) exact.add(pattern)
    else if (isWildcard(pattern)) wildcard.add(pattern)
    else
      throw new TypeError(
        `not an Origin: ${JSON.stringify(pattern)}; write scheme://host[:port] in lower case`,
      )
  }
  return { exact, wildcard }
}

/**
 * True when this `Origin` header is allowed. The exact text decides in one look-up; a wildcard costs one
 * parse more.
 */
export function allowsOrigin(rules: OriginRules, originText: string): boolean {
  if (rules.exact.has(originText)) return true
  if (rules.wildcard.size === 0) return false
  const origin = parseOrigin(originText)
  if (origin === undefined || origin === 'null' || isAddressHost(origin.host)) return false
  const dot = originText.indexOf('.', origin.scheme.length)
  return dot > 0 && rules.wildcard.has(`${origin.scheme}://*${originText.slice(dot)}`)
}

/** Which `Host` headers are answered; made by `compileHosts`. */
export interface HostRules {
  /** `host` or `host:port`, as `parseHost` writes them. */
  readonly exact: ReadonlySet<string>
  /** Hosts that are answered whatever their port. */
  readonly anyPort: ReadonlySet<string>
}

/**
 * One spelling per `Host` header: lower case, IPv6 as in RFC 5952, the port as written.
 *
 * @returns `host` or `host:port`, or `undefined` for what is no `Host` (see `parseHostPort`)
 */
export function parseHost(text: string): string | undefined {
  const place = parseHostPort(text)
  return place && spell(place)
}

/**
 * Makes rules from a list of literals: `example.com` answers that header only (clients leave the default port
 * out), `example.com:8443` that port, `localhost:*` every port and none. A list of names is what stops DNS
 * rebinding, so there is no wildcard for names.
 *
 * @throws TypeError on misuse: anything else
 */
export function compileHosts(list: readonly string[]): HostRules {
  const exact = new Set<string>()
  const anyPort = new Set<string>()
  for (const literal of list) {
    const starred = literal.endsWith(':*')
    const place = parseHostPort(starred ? literal.slice(0, -2) : literal)
    if (place === undefined || (starred && place.port !== undefined)) {
      throw new TypeError(`not a host: ${JSON.stringify(literal)}; write host, host:port or host:*`)
    }
    ;(starred ? anyPort : exact).add(spell(place))
  }
  return { exact, anyPort }
}

/** True when this `Host` header is answered. A header spelled as in the list is decided by one look-up. */
export function allowsHost(rules: HostRules, hostText: string): boolean {
  if (rules.exact.has(hostText)) return true
  const place = parseHostPort(hostText)
  return place !== undefined && (rules.anyPort.has(place.host) || rules.exact.has(spell(place)))
}

/** A star for the left-most label, before a name that is no public suffix by itself. */
function isWildcard(pattern: string): boolean {
  const [scheme, rest, ...more] = pattern.split('://*.')
  if (scheme === undefined || rest === undefined || more.length > 0) return false
  const base = parseOrigin(`${scheme}://${rest}`)
  if (base === undefined || base === 'null' || isAddressHost(base.host)) return false
  return base.host === 'localhost' || base.host.includes('.')
}

/** `scheme` of RFC 3986 §3.1, in lower case. */
function isScheme(text: string): boolean {
  return /^[a-z]/.test(text) && every(text, isSchemeCode)
}

function isSchemeCode(code: number): boolean {
  return isAlphanumericCode(code) || code === 0x2b || code === 0x2d || code === 0x2e
}

function spell(place: HostPort): string {
  return place.port === undefined ? place.host : `${place.host}:${place.port}`
}
