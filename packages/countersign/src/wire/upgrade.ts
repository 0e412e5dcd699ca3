import { trimBlanks } from './ascii.ts'
import { isBase64Of16Bytes } from './base64.ts'
import { isExtensionList } from './extensions.ts'
import { parseSubprotocols } from './subprotocol.ts'

/** The parts of a request that the opening handshake is checked on; Node's `IncomingMessage` is one. */
export interface UpgradeRequest {
  readonly method?: string | undefined
  readonly httpVersion: string
  /** By lower-case name, as Node joins them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Name, value, name, value, …: the only place where a repeated header is still seen. */
  readonly rawHeaders: readonly string[]
}

/** How to answer a request that is no valid opening handshake. */
export interface UpgradeRefusal {
  readonly status: 400 | 405 | 426
  /** Constant words for the journal. */
  readonly why: string
  /** Headers that the answer must carry. */
  readonly headers: Readonly<Record<string, string>>
}

/** RFC 9110 §15.5.6: a 405 names what is allowed. */
const notGet: UpgradeRefusal = { status: 405, why: 'method is not GET', headers: { allow: 'GET' } }

/** RFC 6455 §4.2.2 and §4.4: a 426 names the version that is spoken. */
const wrongVersion: UpgradeRefusal = {
  status: 426,
  why: 'WebSocket version is not 13',
  headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' },
}

/**
 * The server's reading of the opening handshake (RFC 6455 §4.2.1), to be done before anything is asked of a
 * guard: a request that the WebSocket library would refuse afterwards must not spend a ticket first. For the
 * same reason `Upgrade` must be `websocket` alone, and the offered subprotocols and extensions must parse.
 *
 * @returns `'ok'`, or how to answer
 */
export function checkUpgrade(request: UpgradeRequest): 'ok' | UpgradeRefusal {
  const { method, httpVersion, headers, rawHeaders } = request
  if (method !== 'GET') return notGet
  if (httpVersion !== '1.1' && !/^(?:1\.[1-9]|[23]\.0)$/.test(httpVersion))
    return bad('HTTP version below 1.1')
  if (!isNamed(one(headers['upgrade']) ?? '', 'websocket')) return bad('no upgrade to websocket')
  if (!lists(one(headers['connection']), 'upgrade')) return bad('connection is not upgraded')
  const counted = countHeaders(rawHeaders)
  if (counted !== undefined) return bad(counted)
  if (one(headers['sec-websocket-version']) !== '13') return wrongVersion
  if (!isBase64Of16Bytes(one(headers['sec-websocket-key']) ?? '')) return bad('WebSocket key')
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0')
    return bad('body')
  const extensions = one(headers['sec-websocket-extensions'])
  if (extensions !== undefined && !isExtensionList(extensions)) return bad('extensions')
  const offered = parseSubprotocols(one(headers['sec-websocket-protocol']))
  return offered.kind === 'malformed' ? bad('subprotocols') : 'ok'
}

/** How often a header may stand in the request. */
interface Rule {
  readonly name: string
  /** Its place in the set of headers that were seen. */
  readonly bit: number
  readonly required: boolean
}

/** Headers that may stand in a request once at most. */
const once: readonly Rule[] = [
  { name: 'host', bit: 1, required: true },
  { name: 'sec-websocket-key', bit: 2, required: true },
  // An absent version is answered with 426, not here.
  { name: 'sec-websocket-version', bit: 4, required: false },
  { name: 'origin', bit: 8, required: false },
  { name: 'authorization', bit: 16, required: false },
]

const requiredBits: number = once.reduce((bits, rule) => (rule.required ? bits | rule.bit : bits), 0)

/** The rule that a name of this length may fall under; no two of them are equally long. */
const onceByLength: readonly (Rule | undefined)[] = Array.from({ length: 22 }, (_none, length) =>
  once.find((rule) => rule.name.length === length),
)

/** The reason to refuse, or `undefined`. One walk over the raw names, no map. */
function countHeaders(rawHeaders: readonly string[]): string | undefined {
  let seen = 0
  let isName = false
  for (const name of rawHeaders) {
    isName = !isName
    if (!isName) continue
    const rule = onceByLength[name.length]
    if (rule === undefined || !isNamed(name, rule.name)) continue
    if ((seen & rule.bit) !== 0) return 'repeated header'
    seen |= rule.bit
  }
  return (seen & requiredBits) === requiredBits ? undefined : 'missing header'
}

/** Lower-cases only what has the right length and is not spelled so already. */
function isNamed(written: string, name: string): boolean {
  return written.length === name.length && (written === name || written.toLowerCase() === name)
}

/** A header that came as a list is no header here: refused where it is required. */
function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function lists(value: string | undefined, token: string): boolean {
  if (value === undefined) return false
  // What nearly every client sends, without making a list of it.
  if (isNamed(value, token)) return true
  return value.split(',').some((entry) => trimBlanks(entry).toLowerCase() === token)
}

function bad(why: string): UpgradeRefusal {
  return { status: 400, why, headers: {} }
}
