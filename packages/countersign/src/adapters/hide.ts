/** Removes credentials from a Node request, in place, before the application or the WebSocket library sees it. */
import type { IncomingMessage } from 'node:http'
import type { Hiding } from '../core/carrier.ts'
import { stripCookie } from '../wire/cookie.ts'
import { stripSegment } from '../wire/path.ts'
import { stripParameters } from '../wire/query.ts'
import { findBearerSubprotocol, parseSubprotocols, stripSubprotocols } from '../wire/subprotocol.ts'

/**
 * Hides everything that the guard's carriers name, in `url`, `headers` and `rawHeaders` alike. Call it after
 * `handshakeOf` and before anyone else sees the request; calling it again changes nothing more.
 */
export function hide(request: IncomingMessage, hiding: Hiding): void {
  const { headers, rawHeaders } = request
  const fields = rawHeaders.length
  let changed = false
  if (hiding.query.length > 0 && request.url !== undefined)
    request.url = stripParameters(request.url, hiding.query)
  for (const prefix of hiding.paths) {
    if (request.url !== undefined) request.url = stripSegment(request.url, prefix)
  }
  if (hiding.cookies.length > 0 && headers.cookie !== undefined) {
    changed = replace(request, 'cookie', (value) => stripCookie(value, hiding.cookies))
  }
  for (const name of hiding.headers) {
    if (headers[name] !== undefined) changed = replace(request, name, () => undefined) || changed
  }
  const offered = headers['sec-websocket-protocol']
  if (hiding.subprotocols && offered !== undefined) {
    const secrets = secretsOf(offered)
    if (secrets.length > 0)
      changed =
        replace(request, 'sec-websocket-protocol', (value) => stripSubprotocols(value, secrets)) || changed
  }
  // Last: it is a copy, and must hold nothing that was still to be hidden.
  if (changed) request.headersDistinct = rawHeaders.length < fields ? distinct(rawHeaders) : madeWhenAsked
}

/**
 * Entries that hold or announce a token, the marker `bearer` among them. Judged one by one: a malformed
 * offer hides its secrets all the same.
 */
function secretsOf(offered: string): readonly string[] {
  const list = parseSubprotocols(offered)
  if (list.kind !== 'found') return []
  return list.value.filter((entry, index) => {
    const before = list.value[index - 1]
    const bearer = findBearerSubprotocol(before === 'bearer' ? [before, entry] : [entry])
    return bearer.kind === 'malformed' || (bearer.kind === 'found' && bearer.value.secrets.includes(entry))
  })
}

/** Rewrites one field, or drops it when nothing is left. @returns whether it says something else now */
function replace(
  request: IncomingMessage,
  name: string,
  strip: (value: string) => string | undefined,
): boolean {
  const { headers, rawHeaders } = request
  const joined = headers[name]
  const kept = typeof joined === 'string' ? strip(joined) : undefined
  headers[name] = kept === '' ? undefined : kept
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const field = rawHeaders[at]
    if (field === undefined || field.length !== name.length || field.toLowerCase() !== name) continue
    const written = rawHeaders[at + 1] ?? ''
    const value = written === joined ? kept : strip(written)
    if (value === undefined || value === '') {
      rawHeaders.splice(at, 2)
      at -= 2
    } else rawHeaders[at + 1] = value
  }
  return kept !== joined
}

/**
 * Node makes `headersDistinct` of the raw headers, at the first look at it, wherever it finds none. The cast: its type
 * knows only what a look answers.
 */
const madeWhenAsked = undefined as unknown as IncomingMessage['headersDistinct']

/**
 * What Node's own `headersDistinct` would answer, which counts on as many raw headers as there once were. Handed to
 * Node's setter: to define the property anew would make every later access to the request a slow one. Without a
 * prototype: a header called `__proto__` is a header.
 */
function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const all: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? ''
    const text = rawHeaders[at + 1] ?? ''
    const values = all[name]
    if (values === undefined) all[name] = [text]
    else values.push(text)
  }
  return all
}
