/** Equality of secrets. */

/** Compares two texts in time that depends on the length of `expected` alone. */
export function sameText(shown: string, expected: string): boolean {
  let differences = shown.length ^ expected.length
  for (let at = 0; at < expected.length; at++)
    differences |= (shown.charCodeAt(at) | 0) ^ expected.charCodeAt(at)
  return differences === 0
}
