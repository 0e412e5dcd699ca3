/** What bytes cost before acceptance: a message that comes in tiny packets is kept in as many buffers until it is whole. */

/** Bytes that a packet counts at least. A buffer of one byte takes about two hundred of memory. */
const leastBytes = 64

/** Bytes that a packet of this size counts. */
export function chunkWeight(bytes: number): number {
  return Math.max(bytes, leastBytes)
}
