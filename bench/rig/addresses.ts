/** Source addresses: all of 127.0.0.0/8 is this machine (RFC 1122 §3.2.1.3). */

/**
 * One of 64,516 source addresses, 127.x.y.1 with x and y from 1 to 254; the same for the same number. Neighbouring numbers
 * have different ones.
 */
export function sourceAddress(at: number): string {
  return `127.${1 + (at % 254)}.${1 + (Math.floor(at / 254) % 254)}.1`
}
