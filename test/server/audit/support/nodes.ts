/** Two addresses of one service, whose sockets the same page opens. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from 'countersign/stores/sqlite'
import { openGuardedSite } from './guarded-site.ts'
import { openSite, type Awaitable, type Target, type User } from './site.ts'
import { ticketSite } from './tickets.ts'

/** How one node redeems a ticket out of the store that both have. */
export type Redeem = (tickets: Map<string, User>, ticket: string) => Awaitable<User | undefined>

/** Starts two sites over one map of tickets; each makes its own way to redeem one. */
export async function openTicketNodes(makeRedeem: () => Redeem): Promise<Target> {
  const tickets = new Map<string, User>()
  const first = await openSite(ticketSite(makeRedeem(), tickets))
  const origin = originOf(first)
  const second = await openSite({
    ...ticketSite(makeRedeem(), tickets),
    admits: ({ headers }, user) => headers.origin === origin && user !== undefined,
  })
  return together(first, second)
}

/** Starts two guards over one SQLite file, each with a connection of its own, as two processes have. */
export async function openGuardedNodes(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-nodes-'))
  const stores = [sqlite(join(folder, 'records.db')), sqlite(join(folder, 'records.db'))] as const
  const first = await openGuardedSite({ guard: { records: stores[0] } })
  const second = await openGuardedSite({ guard: { records: stores[1], origins: [originOf(first)] } })
  return together(first, second, () => {
    for (const store of stores) store.close()
    rmSync(folder, { recursive: true, force: true })
  })
}

/** One site, and a node that nobody listens at. */
export async function openWithDeadNode(redeem: Redeem): Promise<Target> {
  const [site, gone] = await Promise.all([openSite(ticketSite(redeem)), openSite()])
  await gone.close()
  return { ...site, overrides: { nodes: [gone.url] } }
}

function originOf({ url }: Target): string {
  return new URL(url.replace(/^ws/, 'http')).origin
}

/** One target, which names the other beside it. */
function together(first: Target, second: Target, afterwards: () => void = () => undefined): Target {
  return {
    ...first,
    overrides: { ...first.overrides, nodes: [second.url] },
    close: async () => {
      await Promise.all([first.close(), second.close()])
      afterwards()
    },
  }
}
