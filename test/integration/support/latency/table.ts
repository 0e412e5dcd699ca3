/** What was measured, as tables: half, nearly all and all of the sockets were closed after so many milliseconds. */

/** Latencies of one cell, ms. */
export type Samples = readonly number[]

/** The value that the share of the samples does not exceed (nearest rank). */
export function quantile(samples: Samples, share: number): number {
  const sorted = [...samples].sort((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The middle one of a few values. */
export function median(values: Samples): number {
  return quantile(values, 0.5)
}

/** `0.8 / 2.1 / 3.4`: p50, p99, max. */
export function cell(samples: Samples): string {
  if (samples.length === 0) return '–'
  return [0.5, 0.99, 1].map((share) => quantile(samples, share).toFixed(1)).join(' / ')
}

/** A table in Markdown whose columns are aligned. */
export function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

const marker = /^<!-- measured: revocation latency -->\n[\s\S]*?^<!-- \/measured -->$/m

/** A page with what was measured put between its marks. @throws Error for a page that has no place for it */
export function withMeasured(page: string, tables: string): string {
  if (!marker.test(page)) throw new Error('the page has no place for what was measured')
  return page.replace(
    marker,
    () => `<!-- measured: revocation latency -->\n\n${tables}\n\n<!-- /measured -->`,
  )
}
