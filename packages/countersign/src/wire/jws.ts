import { decodeBase64url, decodeBase64urlInto } from './base64.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { isJsonObject, parseJson, type JsonObject } from './json.ts'
import { decodeUtf8, type Bytes } from './utf8.ts'

/** A JWS in compact form, taken apart and verified by nobody yet: no claim of it may be acted on. */
export interface CompactJws {
  /** `alg` is a non-empty string and not `none`. */
  readonly header: JsonObject & { readonly alg: string }
  readonly payload: JsonObject
  /** The ASCII text that the signature covers: header and payload as they were encoded. */
  readonly signingInput: string
  readonly signature: Bytes
}

/** Longest compact JWS unless the caller says otherwise, in bytes. */
export const maxJwsBytes = 16_384

/** Deepest nesting of header and payload. */
const maxDepth = 32

/**
 * Header parameters that change what the signature covers or how it is read: RFC 7515 §4.1.11, RFC 7797 §3,
 * and the compression of RFC 7516 §4.1.3, which has no place in a JWS.
 */
const refusedParameters = ['crit', 'b64', 'zip'] as const

/**
 * The strict reading that precedes every signature check (RFC 7515 §7.1, RFC 8725 §3). Refuses what verifying
 * libraries let pass: blanks inside a segment, padding, non-zero unused bits, ill-formed UTF-8, repeated
 * members, `alg: none` in any case. One token has one spelling, so a cache or a deny list by its text holds.
 */
export function parseCompactJws(token: string, maxBytes: number = maxJwsBytes): Found<CompactJws> {
  if (token === '') return absent
  if (token.length > maxBytes) return malformed('JWS too long')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second <= first + 1 || second + 1 === token.length || token.includes('.', second + 1)) {
    return malformed('JWS segments')
  }
  const header = readSegment(token.slice(0, first), maxBytes)
  if (header.kind !== 'found') return header
  const payload = readSegment(token.slice(first + 1, second), maxBytes)
  if (payload.kind !== 'found') return payload
  const signature = decodeBase64url(token.slice(second + 1), maxBytes)
  if (signature === undefined) return malformed('JWS encoding')
  if (!namesAlgorithm(header.value)) return malformed('JWS algorithm')
  if (refusedParameters.some((name) => name in header.value)) return malformed('JWS header parameter')
  const signingInput = token.slice(0, second)
  return found({ header: header.value, payload: payload.value, signingInput, signature })
}

/**
 * RFC 8725 §3.1: which algorithms are good is the method's table; that there is one, and not `none`, is form.
 */
function namesAlgorithm(header: JsonObject): header is CompactJws['header'] {
  const { alg } = header
  return typeof alg === 'string' && alg !== '' && alg.toLowerCase() !== 'none'
}

/** Where segments of the usual length are decoded: read before the next one is written, and never handed out. */
const scratch = new Uint8Array(maxJwsBytes)

/** One base64url segment that encodes a JSON object. */
function readSegment(segment: string, maxBytes: number): Found<JsonObject> {
  const bytes = segment.length > maxJwsBytes ? new Uint8Array(segment.length) : scratch
  const size = decodeBase64urlInto(bytes, segment)
  if (size < 0 || size > maxBytes) return malformed('JWS encoding')
  const text = decodeUtf8(bytes.subarray(0, size))
  if (text === undefined) return malformed('JWS encoding')
  const json = parseJson(text, { maxBytes, maxDepth })
  if (json.kind !== 'found') return json
  return isJsonObject(json.value) ? found(json.value) : malformed('JWS segment is no object')
}
