import { isTokenCode, skipBlanks } from './ascii.ts'

/** Longest `Sec-WebSocket-Extensions` header that is read, in characters. */
export const maxExtensionsLength = 4_096

/**
 * True for a `Sec-WebSocket-Extensions` header of the grammar in RFC 6455 §9.1: names, each with
 * `;`-separated parameters that may have a value. A header that breaks it fails the handshake by the RFC;
 * whether an offer in a good one is accepted is the business of the WebSocket library.
 */
export function isExtensionList(header: string): boolean {
  if (header.length > maxExtensionsLength) return false
  let isParameter = false
  for (let at = 0; at <= header.length; at++) {
    const first = skipBlanks(header, at)
    const end = skipToken(header, first)
    if (end === first) return false
    const after = isParameter && header.charAt(end) === '=' ? skipValue(header, end + 1) : end
    if (after < 0) return false
    at = skipBlanks(header, after)
    isParameter = header.charAt(at) === ';'
    if (at < header.length && !isParameter && header.charAt(at) !== ',') return false
  }
  return true
}

/**
 * The position behind a value, or -1. A quoted one, once unescaped, must be a token as well (RFC 6455 §9.1).
 */
function skipValue(header: string, from: number): number {
  if (header.charAt(from) !== '"') {
    const end = skipToken(header, from)
    return end === from ? -1 : end
  }
  let at = from + 1
  for (;;) {
    const escape = header.charAt(at) === '\\' ? 1 : 0
    if (!isTokenCode(header.charCodeAt(at + escape))) break
    at += 1 + escape
  }
  return at > from + 1 && header.charAt(at) === '"' ? at + 1 : -1
}

function skipToken(header: string, from: number): number {
  let at = from
  while (isTokenCode(header.charCodeAt(at))) at++
  return at
}
