/** Bytes as answers to challenges need them, by Web Crypto. */
import { UnanswerableChallenge } from './errors.ts'

/** Bytes that Web Crypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Most work that a server may ask for: as much as the server's own bound, and about five seconds. */
const maxIterations = 10_000_000

/** UTF-8 of a text. */
export function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** HMAC-SHA-256. */
export async function hmac(key: Bytes, text: string): Promise<Bytes> {
  const { subtle } = crypto
  const how = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await subtle.importKey('raw', key, how, false, ['sign'])
  return new Uint8Array(await subtle.sign('HMAC', imported, bytesOf(text)))
}

/** What a server wants derived. */
export interface Derivation {
  readonly salt: Bytes
  readonly iterations: unknown
  /** Fewest iterations that are answered. */
  readonly least: number
  readonly keyBytes: number
}

/** PBKDF2 with HMAC-SHA-256. @throws UnanswerableChallenge when less or more work is asked for than is done */
export async function pbkdf2(
  secret: string,
  { salt, iterations, least, keyBytes }: Derivation,
): Promise<Bytes> {
  if (!isCount(iterations, least, maxIterations)) throw new UnanswerableChallenge('iterations out of bounds')
  const { subtle } = crypto
  const key = await subtle.importKey('raw', bytesOf(secret), 'PBKDF2', false, ['deriveBits'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
  return new Uint8Array(await subtle.deriveBits(how, key, keyBytes * 8))
}

/** Whether a value is a whole number within bounds. */
export function isCount(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

/** Base64 with padding. */
export function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Bytes of 32 pairs of hex digits. `undefined`: it is something else. */
export function fromHex32(text: unknown): Bytes | undefined {
  if (typeof text !== 'string' || !/^[0-9a-f]{64}$/i.test(text)) return undefined
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
