/** The texts of SCRAM: names as they are prepared, and the message that both sides sign (RFC 5802, RFC 4013). */
import { encodeBase64 } from './base64.ts'
import { encodeUtf8 } from './utf8.ts'

/** Non-ASCII spaces, which become blanks (RFC 3454, table C.1.2). */
const spaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g
/** What is commonly mapped to nothing (RFC 3454, table B.1). */
const nothing = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g
/** Controls, private use, surrogates, non-characters, and marks that change how text is displayed (RFC 4013 §2.3). */
const prohibited =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u0340\u0341\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u

/**
 * A user name as SASLprep makes it (RFC 4013): mapped, NFKC, nothing prohibited. The rule about right-to-left text (§2.4)
 * is not applied: names are compared, never displayed.
 * @returns `undefined` for a name that may not be one
 */
export function saslPrep(name: string): string | undefined {
  const prepared = name.replace(spaces, ' ').replace(nothing, '').normalize('NFKC')
  return prepared === '' || prohibited.test(prepared) ? undefined : prepared
}

/** What both sides sign, as far as it was said in the open. */
export interface ScramExchange {
  readonly name: string
  readonly clientNonce: string
  /** The client's nonce and the server's behind it. */
  readonly nonce: string
  /** Base64. */
  readonly salt: string
  readonly iterations: number
  /** What stands for the channel behind `c=`. */
  readonly channel: string
}

/** `AuthMessage` (RFC 5802 §3): the first messages and the last, without its proof. */
export function authMessage(exchange: ScramExchange): string {
  const { name, clientNonce, nonce, salt, iterations, channel } = exchange
  return `n=${name},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${channel},r=${nonce}`
}

/** A name within the message: the two characters that delimit it are written otherwise (RFC 5802 §5.1). */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** GS2 header and channel data in base64 (RFC 5802 §6); without a binding `biws`. */
export function channelInput(
  binding: { readonly type: string; readonly data: Uint8Array } | undefined,
): string {
  if (binding === undefined) return 'biws'
  const header = encodeUtf8(`p=${binding.type},,`)
  const input = new Uint8Array(header.length + binding.data.length)
  input.set(header)
  input.set(binding.data, header.length)
  return encodeBase64(input)
}

/** `printable` of RFC 5802 §7: visible ASCII without the comma, which would end the attribute. */
export function isNonce(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x2b\x2d-\x7e]{1,256}$/.test(text)
}
