/** Trials that do not disturb each other, several at a time. */
import type { Budget } from './budget.ts'

/** Places for open connections that checks may hold which only wait. */
const waitingPlaces = 8
const mostAtATime = 6

/**
 * Does some work for each item, as many at a time as the budget has places for: whoever held some and waited for more
 * would wait for himself.
 *
 * @param sockets how many sockets one trial has open at the same time
 */
export async function sideBySide<T, R>(
  { allowance: { maxOpen } }: Budget,
  { items, sockets }: { readonly items: readonly T[]; readonly sockets: number },
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const places = Math.floor((maxOpen - waitingPlaces) / sockets)
  const atATime = Math.max(1, Math.min(mostAtATime, places))
  const done: R[] = []
  for (let at = 0; at < items.length; at += atATime)
    done.push(...(await Promise.all(items.slice(at, at + atATime).map(work))))
  return done
}
