/** How much a stranger has to guess in a value that a target makes anew each time: estimated from a few dozen of them. */

/** What is said of some values. */
export interface Strength {
  readonly repeated: number
  /** Values, or their beginnings, only ever grow: a counter or a clock. */
  readonly grows: boolean
  /** An upper bound of what is random in one of them, bits: what never changes and what only grows is left out. */
  readonly bits: number
}

/** Alphabets in which values are written, smallest first, and bits of one character. */
const alphabets: readonly (readonly [RegExp, number])[] = [
  [/^[0-9]*$/, Math.log2(10)],
  [/^[0-9a-f-]*$/i, 4],
  [/^[a-z2-7=]*$/i, 5],
  [/^[A-Za-z0-9+/_=-]*$/, 6],
]
const ofAnyText = 6.5
/** A place in which fifty values show as many characters may hold any of the alphabet. */
const manySeen = 20

/** Judges values in the order in which they came; 30 or more are worth a judgement. */
export function strengthOf(values: readonly string[]): Strength {
  const written = alphabets.find(([pattern]) => values.every((value) => pattern.test(value)))
  const perCharacter = written?.[1] ?? ofAnyText
  const length = Math.min(...values.map((value) => value.length))
  const growing = growingPrefix(values, length)
  let bits = 0
  for (let at = growing; at < length; at += 1) {
    const seen = new Set(values.map((value) => value.charAt(at))).size
    bits += Math.min(perCharacter, seen >= manySeen ? perCharacter : Math.ceil(Math.log2(seen)))
  }
  return {
    repeated: values.length - new Set(values).size,
    grows: values.every((value, at) => at === 0 || isAfter(value, values[at - 1] ?? '')),
    bits: Math.floor(bits),
  }
}

/** How many leading characters change, and never go back. */
function growingPrefix(values: readonly string[], length: number): number {
  for (let end = length; end > 0; end -= 1) {
    const prefixes = values.map((value) => value.slice(0, end))
    const grows = prefixes.every((prefix, at) => at === 0 || prefix >= (prefixes[at - 1] ?? ''))
    if (grows && new Set(prefixes).size > 1) return end
  }
  return 0
}

function isAfter(value: string, before: string): boolean {
  if (/^\d{1,15}$/.test(value) && /^\d{1,15}$/.test(before)) return Number(value) > Number(before)
  return value.length === before.length && value > before
}
