import { isToken, isVisible, trimBlanks } from './ascii.ts'
import { decodeBase64url } from './base64.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { decodeUtf8 } from './utf8.ts'

/** Longest `Sec-WebSocket-Protocol` header that is read, in characters. */
export const maxSubprotocolHeaderLength = 16_384

/** Most subprotocols that one handshake may offer. */
export const maxSubprotocols = 32

/** A token that travelled as a subprotocol. */
export interface BearerSubprotocol {
  readonly token: string
  /**
   * The offered entries that must be hidden: the token's, which must never be selected or echoed, and its marker's,
   * which is selected only where nothing else was offered.
   */
  readonly secrets: readonly string[]
}

/**
 * Reads a `Sec-WebSocket-Protocol` header (RFC 6455 §4.1 item 10): distinct, non-empty tokens. Anything else
 * is malformed, the empty header included, exactly as `ws` refuses it later.
 */
export function parseSubprotocols(header: string | undefined): Found<readonly string[]> {
  if (header === undefined) return absent
  if (header.length > maxSubprotocolHeaderLength) return malformed('subprotocol header too long')
  const offered = new Set<string>()
  for (let start = 0; start <= header.length;) {
    const end = entryEnd(header, start)
    const entry = trimBlanks(header, start, end)
    if (!isToken(entry)) return malformed('subprotocol characters')
    if (offered.has(entry)) return malformed('repeated subprotocol')
    if (offered.size === maxSubprotocols) return malformed('too many subprotocols')
    offered.add(entry)
    start = end + 1
  }
  return found([...offered])
}

/** A row of the table below: what such an entry begins with, and how the token behind it is read. */
interface Form {
  readonly prefix: string
  readonly read: (text: string) => string | undefined
}

/** The spellings of a bearer token in one entry; `bearer, <token>` is the spelling in two. */
const forms: readonly Form[] = [
  { prefix: 'countersign.bearer.', read: (text) => (text === '' ? undefined : text) },
  { prefix: 'base64url.bearer.authorization.k8s.io.', read: decodeToken },
  { prefix: 'base64url.bearer.phx.', read: decodeToken },
]

/** Stands before a token that is an entry of its own. */
const pairMarker = 'bearer'

/**
 * Finds the bearer token among offered subprotocols: `countersign.bearer.<token>`, the pair `bearer,
 * <token>`, `base64url.bearer.authorization.k8s.io.<base64url>` or `base64url.bearer.phx.<base64url>`.
 * Several that carry the same token agree; several that do not are malformed, and so is an entry that
 * announces a token and holds none.
 */
export function findBearerSubprotocol(offered: readonly string[]): Found<BearerSubprotocol> {
  const secrets = new Set<string>()
  let token: string | undefined
  for (const [index, entry] of offered.entries()) {
    const shown = readEntry(entry, offered[index + 1])
    if (shown === undefined) continue
    if (shown.token === undefined) return malformed('bearer subprotocol')
    if (token !== undefined && token !== shown.token) return malformed('bearer subprotocols disagree')
    token = shown.token
    for (const secret of shown.secrets) secrets.add(secret)
  }
  return token === undefined ? absent : found({ token, secrets: [...secrets] })
}

/**
 * The header without these entries; `undefined` when none is left: then drop the header. A pair that stood alone leaves
 * its marker `bearer`, which is no secret: Chromium fails a connection for which nothing that it offered was selected.
 */
export function stripSubprotocols(
  header: string | undefined,
  secrets: readonly string[],
): string | undefined {
  if (header === undefined) return undefined
  const entries = header.split(',').map((entry) => trimBlanks(entry))
  const kept = entries.filter((entry) => !secrets.includes(entry))
  if (kept.length === entries.length) return header
  if (kept.length > 0) return kept.join(', ')
  return entries.includes(pairMarker) && entries.length > 1 ? pairMarker : undefined
}

/** What one entry shows: a token, or `undefined` where one was announced and is none. */
interface Shown {
  readonly token: string | undefined
  readonly secrets: readonly string[]
}

function readEntry(entry: string, next: string | undefined): Shown | undefined {
  if (entry === pairMarker) return { token: next, secrets: next === undefined ? [entry] : [entry, next] }
  const form = forms.find(({ prefix }) => entry.startsWith(prefix))
  return form && { token: form.read(entry.slice(form.prefix.length)), secrets: [entry] }
}

/** Strict base64url of visible ASCII: a token that other carriers could not carry is none here either. */
function decodeToken(text: string): string | undefined {
  const bytes = decodeBase64url(text, maxSubprotocolHeaderLength)
  const token = bytes && decodeUtf8(bytes)
  return token !== undefined && isVisible(token) ? token : undefined
}

function entryEnd(header: string, start: number): number {
  const mark = header.indexOf(',', start)
  return mark < 0 ? header.length : mark
}
