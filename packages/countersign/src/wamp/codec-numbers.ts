/** Numbers as binary serializers know them. */

/** Largest id, 2^53, and the largest integer that is written as one: beyond it a number is no longer exact. */
export const largestId = 0x20_0000_0000_0000

/** Whether a number is written as an integer. Minus zero is none, nor is what a double cannot tell from its neighbour. */
export function isWholeNumber(value: number): boolean {
  return Math.abs(value) <= largestId && Number.isInteger(value) && !Object.is(value, -0)
}

/** A number where a number is exact. */
export function exact(value: bigint): number | bigint {
  return value >= -BigInt(largestId) && value <= BigInt(largestId) ? Number(value) : value
}

/**
 * A big-endian integer of up to eight bytes, rounded beyond 2^53. Bytes beyond the end are zeros: whether they are there is
 * the caller's question.
 */
export function uintAt(bytes: Uint8Array, at: number, size: number): number {
  let value = 0
  for (let index = at; index < at + size; index++) value = value * 256 + (bytes[index] ?? 0)
  return value
}

/** An id as it was read; -1 beyond 2^53. Its last byte tells 2^53 from 2^53 + 1, which is rounded to it. */
export function exactId(value: number, lastByte: number | undefined): number {
  return value < largestId || (value === largestId && lastByte === 0) ? value : -1
}

/** Peers that know doubles alone write ids as such: the integer that a float is; or -1. */
export function idOfFloat(bytes: Uint8Array, from: number, size: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, size)
  const value = size === 8 ? view.getFloat64(0) : size === 4 ? view.getFloat32(0) : half(view.getUint16(0))
  return Number.isInteger(value) && value >= 0 && value <= largestId ? value : -1
}

/** IEEE 754 binary16 (RFC 8949 appendix D). */
export function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 0x3ff
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}
