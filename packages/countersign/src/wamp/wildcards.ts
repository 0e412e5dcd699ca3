/** How many wildcard patterns a session has: each message of a realm may have to be held against many of them. */
import type { Session } from './session.ts'
import type { Match } from './uri.ts'

/** Wildcard patterns that a session has subscribed or registered. */
export function wildcardsOf({ subscriptions, registrations }: Session): number {
  return countOf(subscriptions) + countOf(registrations)
}

function countOf(held: ReadonlySet<{ readonly match: Match }> | undefined): number {
  let count = 0
  for (const { match } of held ?? []) if (match === 'wildcard') count++
  return count
}
