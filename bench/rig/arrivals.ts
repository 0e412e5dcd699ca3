/** Arrivals of a crowd, by when they came. */

/** How many came in each second from an instant on, up to the last that came. */
export function perSecond(atMs: readonly number[], fromMs: number): readonly number[] {
  const counts: number[] = []
  for (const at of atMs) {
    const second = Math.floor((at - fromMs) / 1_000)
    if (second < 0) continue
    while (counts.length <= second) counts.push(0)
    counts[second] = (counts[second] ?? 0) + 1
  }
  return counts
}

/** How often each came who came at all. */
export function timesEach(clients: readonly number[]): readonly number[] {
  const times = new Map<number, number>()
  for (const client of clients) times.set(client, (times.get(client) ?? 0) + 1)
  return [...times.values()]
}

/** The greatest of a list of any length; 0 of nothing. */
export function most(values: readonly number[]): number {
  return values.reduce((greatest, value) => Math.max(greatest, value), 0)
}
