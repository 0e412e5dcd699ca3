/** Longest message whose values are counted, bytes: far beyond what transports let through. */
export const maxCountedBytes = 0x1000_0000

/** What a level of indefinite length counts down from: more than any message holds, and even, as members are counted. */
export const countless = 0x2000_0000

/** Bits of a level: names and members in turn; ended by a break. */
export const levelBits: { readonly ofMembers: 1; readonly endless: 2 } = { ofMembers: 1, endless: 2 }

/**
 * Levels around the one that is walked: arrays, maps and tags that are open. A walk keeps the innermost one in variables
 * of its own, which is worth a factor of three.
 */
export interface OuterLevels {
  /** Values that are still to come, the open one included; those of a map count names and members. */
  readonly left: Int32Array
  readonly bits: Uint8Array
}

/** Room for so many levels. */
export function outerLevels(maxDepth: number): OuterLevels {
  return { left: new Int32Array(maxDepth + 1), bits: new Uint8Array(maxDepth + 1) }
}

/** Where ASCII bytes end, at the latest at `to`. */
export function skipAscii(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && (bytes[at] ?? 0) < 0x80) at++
  return at
}
