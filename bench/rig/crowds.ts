/** Crowds of clients as processes of their own, on the core that servers do not use. */
import { Child } from './child.ts'
import type { CrowdQuestions } from './crowd-protocol.ts'
import type { Server } from './process.ts'

/** Clients that hold connections. */
export class Crowd extends Child<CrowdQuestions> {
  /** Starts an empty crowd. It holds as many connections as the system lets one process have. */
  static start(): Crowd {
    return new Crowd({ file: new URL('crowd.ts', import.meta.url), core: 'generator' })
  }
}

/** Connections to be opened. */
export interface Gathering {
  readonly group: string
  readonly count: number
  /** Whether the server is guarded: then each shows a ticket, of one subject that is named for the group or of one each. */
  readonly tickets: 'none' | 'one subject' | 'a subject each'
  /** When their leases end, before jitter, ms since the epoch. @default as the library has it */
  readonly leaseEndsAtMs?: number
}

/** In portions: a ticket must not expire before its turn. */
const portion = 1_000

/** Opens connections of a crowd, all of one group. */
export async function gather(server: Server, crowd: Crowd, gathering: Gathering): Promise<void> {
  const { group, count } = gathering
  for (let done = 0; done < count; done += portion) {
    const targets = await targetsOf(server, gathering, Math.min(portion, count - done))
    await crowd.ask('open', { port: server.port, group, targets })
  }
}

/** The same length of URL on both sides, and a bare server finds the group in it. */
async function targetsOf(server: Server, gathering: Gathering, count: number): Promise<readonly string[]> {
  const { group, tickets, leaseEndsAtMs } = gathering
  const shown =
    tickets === 'none'
      ? Array.from({ length: count }, () => `cst_${'A'.repeat(43)}`)
      : await server.ask('mint', {
          what: 'ticket',
          count,
          ...(tickets === 'one subject' ? { subject: group } : {}),
          ...(leaseEndsAtMs === undefined ? {} : { leaseEndsAtMs }),
        })
  return shown.map((ticket) => `/?group=${group}&ticket=${ticket}`)
}
