/** The first message of a Hocuspocus provider: `[document, 2 (auth), 0 (token), token, …]`, in the encoding of lib0. */
import { decodeUtf8 } from '../wire/utf8.ts'
import type { Said } from './opening.ts'

/** Type of message, and of what is in it. */
const authToken: readonly number[] = [2, 0]

/** A text in a message, and where what follows it begins. */
interface Part<T> {
  readonly value: T
  readonly end: number
}

/**
 * Where the token is. Hocuspocus hears the message with an empty one in its place. Whoever says anything else first has
 * shown no credential.
 */
export function providerOpening(data: Buffer, isBinary: boolean): Said {
  const name = isBinary ? readText(data, 0) : undefined
  if (name === undefined) return { kind: 'refused', reason: 'protocol_violation' }
  const [type, inner] = [data[name.end], data[name.end + 1]]
  if (type !== authToken[0] || inner !== authToken[1])
    return { kind: 'refused', reason: 'missing_credential' }
  const at = name.end + authToken.length
  const token = readText(data, at)
  if (token === undefined) return { kind: 'refused', reason: 'protocol_violation' }
  const heard = Buffer.concat([data.subarray(0, at), Buffer.of(0), data.subarray(token.end)])
  return { kind: 'said', text: token.value, heard }
}

/** A length and so many bytes of UTF-8. @returns `undefined`: it is none, or goes beyond the end */
function readText(data: Buffer, from: number): Part<string> | undefined {
  const length = readLength(data, from)
  if (length === undefined) return undefined
  const end = length.end + length.value
  if (end > data.length) return undefined
  const value = decodeUtf8(data.subarray(length.end, end))
  return value === undefined ? undefined : { value, end }
}

/** Seven bits a byte, the lowest first. Four bytes are more than any message may have. */
function readLength(data: Buffer, from: number): Part<number> | undefined {
  let value = 0
  for (let count = 0; count < 4; count++) {
    const byte = data[from + count]
    if (byte === undefined) return undefined
    value |= (byte & 0x7f) << (7 * count)
    if (byte < 0x80) return { value, end: from + count + 1 }
  }
  return undefined
}
