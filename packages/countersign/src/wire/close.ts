import { utf8Width } from './utf8.ts'

/**
 * Longest reason of a close frame, in bytes: a control frame holds 125, two of them for the code (RFC 6455
 * §5.5).
 */
export const maxCloseReasonBytes = 123

/**
 * The text as a close frame can carry it: well-formed, at most 123 bytes of UTF-8, cut between two characters
 * and never inside one.
 */
export function closeReason(text: string): string {
  let bytes = 0
  let length = 0
  for (const character of text) {
    bytes += utf8Width(Number(character.codePointAt(0)))
    if (bytes > maxCloseReasonBytes) break
    length += character.length
  }
  return text.slice(0, length).toWellFormed()
}

/**
 * True for a code that an endpoint may put into a close frame (RFC 6455 §7.4 and the IANA registry):
 * 1000–1014 without the reserved 1004 and the never sent 1005 and 1006, and 3000–4999.
 */
export function isValidCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  if (code >= 3000) return code <= 4999
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)
}
