import { hasControl, isToken, trimBlanks } from './ascii.ts'
import { decodeBase64 } from './base64.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { decodeUtf8, fitsUtf8 } from './utf8.ts'

/** An `Authorization` header taken apart. */
export interface Authorization {
  /** Lower case: schemes are compared without regard to case (RFC 9110 §11.1). */
  readonly scheme: string
  /** What follows the scheme, trimmed; empty when nothing does. Secret. */
  readonly rest: string
}

/** The credentials of RFC 7617. */
export interface BasicCredentials {
  readonly username: string
  /** May be empty: a token often travels alone, as the user name. */
  readonly password: string
}

/** Longest user name and longest password of Basic, in bytes of UTF-8 each. */
export const maxBasicPartBytes = 1_024

/** Longest token of Bearer, in characters. */
export const maxBearerLength = 16_384

/** Longest `Authorization` header: the longest token and room for the name of a scheme. */
export const maxAuthorizationLength: number = maxBearerLength + 64

// Regular expressions here, because tokens are long and their characters cannot be predicted: a loop of range checks
// takes eight times as long. Neither can backtrack: no character is in two of their parts.

/** Visible ASCII and blanks. */
const fieldText = /^[\x20-\x7e]*$/
/** `b64token` of RFC 6750 §2.1. */
const b64token = /^[A-Za-z0-9._~+/-]+=*$/

/**
 * Splits an `Authorization` header into scheme and rest (RFC 9110 §11.6.2). Look at the raw headers besides:
 * a second header of this name is dropped by Node without a word.
 */
export function parseAuthorization(value: string | undefined): Found<Authorization> {
  if (value === undefined) return absent
  if (value.length > maxAuthorizationLength) return malformed('authorization too long')
  const text = trimBlanks(value)
  if (text === '') return absent
  const blank = text.indexOf(' ')
  const scheme = blank < 0 ? text : text.slice(0, blank)
  const rest = blank < 0 ? '' : trimBlanks(text, blank)
  if (!isToken(scheme) || !fieldText.test(rest)) return malformed('authorization characters')
  return found({ scheme: scheme.toLowerCase(), rest })
}

/**
 * Reads what follows `Basic` (RFC 7617 §2, `charset="UTF-8"`): canonical base64 of well-formed UTF-8 without
 * control characters; the first colon separates. Both parts empty is absent.
 */
export function parseBasic(rest: string): Found<BasicCredentials> {
  if (rest === '') return absent
  const bytes = decodeBase64(rest, maxBasicPartBytes * 2 + 1)
  if (bytes === undefined) return malformed('basic encoding')
  const text = decodeUtf8(bytes)
  if (text === undefined || hasControl(text)) return malformed('basic characters')
  const colon = text.indexOf(':')
  if (colon < 0) return malformed('basic without colon')
  const username = text.slice(0, colon)
  const password = text.slice(colon + 1)
  if (!fitsUtf8(username, maxBasicPartBytes) || !fitsUtf8(password, maxBasicPartBytes)) {
    return malformed('basic too long')
  }
  return username === '' && password === '' ? absent : found({ username, password })
}

/** Reads what follows `Bearer`: a `b64token` of RFC 6750 §2.1. */
export function parseBearer(rest: string): Found<string> {
  if (rest === '') return absent
  if (rest.length > maxBearerLength) return malformed('bearer too long')
  return b64token.test(rest) ? found(rest) : malformed('bearer characters')
}
