/**
 * Comparison of paired measurements. Times that are measured over a network depend on each other and have long tails: a
 * test that assumes neither is used, on differences of pairs (Wilcoxon 1945), and an interval that is drawn from the
 * measurements themselves (Efron 1979).
 */

/** A signed-rank test. */
export interface SignedRank {
  /** The smaller sum of ranks. */
  readonly w: number
  /** Two-sided, by the normal approximation with corrections for ties and continuity; 1 where nothing differs. */
  readonly p: number
}

/** An interval in which a value lies with the confidence that was asked for. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/** The middle one; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2
}

/** Whether differences lie around zero. Those that are zero are left out, as Wilcoxon did. */
export function signedRank(differences: readonly number[]): SignedRank {
  const kept = differences.filter((value) => value !== 0)
  const n = kept.length
  const { ranks, ties } = ranksOf(kept.map(Math.abs))
  const positive = kept.reduce((sum, value, at) => sum + (value > 0 ? (ranks[at] ?? 0) : 0), 0)
  const w = Math.min(positive, (n * (n + 1)) / 2 - positive)
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48
  if (variance <= 0) return { w, p: 1 }
  const distance = Math.abs(positive - (n * (n + 1)) / 4)
  const z = Math.max(0, distance - 0.5) / Math.sqrt(variance)
  return { w, p: Math.min(1, complementaryError(z / Math.SQRT2)) }
}

/** Ranks from 1, equal values sharing theirs, and the sum of t³ − t over groups of t equal values. */
function ranksOf(values: readonly number[]): { readonly ranks: readonly number[]; readonly ties: number } {
  const order = values.map((value, at) => ({ value, at })).toSorted((one, other) => one.value - other.value)
  const ranks = values.map(() => 0)
  let ties = 0
  for (let start = 0; start < order.length;) {
    let end = start
    while (order[end]?.value === order[start]?.value && end < order.length) end += 1
    const count = end - start
    for (const { at } of order.slice(start, end)) ranks[at] = (start + 1 + end) / 2
    ties += count ** 3 - count
    start = end
  }
  return { ranks, ties }
}

/** How a bootstrap is drawn. */
export interface BootstrapOptions {
  /** Between 0 and 1. */
  readonly confidence: number
  /** Samples that are drawn. */
  readonly samples: number
  /** From 0 to below 1. */
  readonly random: () => number
}

/** The interval of the median, by the percentiles of medians of samples that are drawn with replacement. */
export function medianInterval(
  values: readonly number[],
  { confidence, samples, random }: BootstrapOptions,
): Interval {
  const draw = (): number => values[Math.floor(random() * values.length)] ?? 0
  const medians = Array.from({ length: samples }, () => median(values.map(draw))).toSorted(
    (one, other) => one - other,
  )
  const tail = (1 - confidence) / 2
  const at = (share: number): number => medians[Math.round(share * (samples - 1))] ?? 0
  return { from: at(tail), to: at(1 - tail) }
}

/** erfc for arguments of 0 and more, within 1.2e-7 of its value (a Chebyshev fit, Press et al.). */
function complementaryError(x: number): number {
  const t = 1 / (1 + x / 2)
  const fit = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ]
  const exponent = fit.reduceRight((sum, coefficient) => sum * t + coefficient, 0)
  return t * Math.exp(-x * x + exponent)
}
