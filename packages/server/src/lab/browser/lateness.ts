/** Whether numbered messages stop when a lease has ended, and how near to the end the last one came. */
import type { Guest } from './guest.ts'
import type { Ticks } from './knock.ts'

/** The server tells an end within 50 ms; the rest is for a busy machine, ms. */
export const toldWithinMs = 750

/** How long a message may be on its way to a page that reckons by its own clock, ms. */
const onItsWayMs = 250

/** Fewer messages than this prove nothing. */
const fewestTicks = 10

type Ending = Pick<Guest, 'firstEndMs' | 'graceMs'>

/** What is wrong with the messages; empty when nothing is. */
export function comesLate(ticks: Ticks, guest: Ending | undefined): string {
  if (guest === undefined || ticks.count < fewestTicks) return 'no messages came that could have been late'
  const lateMs = latenessOf(ticks, guest)
  // By the server's own clock there is nothing to allow for: not one message is sent from that instant on.
  const allowedMs = guest.graceMs + (ticks.leftMs === undefined ? onItsWayMs : 0)
  return lateMs > allowedMs ? `a message came ${lateMs} ms after the end` : ''
}

/** The last message, in words. */
export function tellTicks(ticks: Ticks, guest: Ending): string {
  const lateMs = latenessOf(ticks, guest)
  const when = lateMs > 0 ? `${lateMs} ms after the end of the lease` : `${-lateMs} ms before the lease ended`
  return `The last of ${ticks.count} messages came ${when}; the grace is ${guest.graceMs} ms, and nothing may follow it.`
}

/** By the server's clock where it says, else by this page's, ms; negative: before the end. */
function latenessOf({ leftMs, atMs }: Ticks, { firstEndMs }: Ending): number {
  return leftMs === undefined ? atMs - firstEndMs : -leftMs
}
