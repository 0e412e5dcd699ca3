/** Clients whose token is revoked: how often they come again, as the server counts it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { most, perSecond, timesEach } from '../rig/arrivals.ts'
import type { Part } from '../rig/part.ts'
import type { Server } from '../rig/process.ts'
import type { Row } from '../rig/report.ts'
import { startSite, StormCrowd, subject } from './crowd.ts'

/** How they learn of it. */
interface Case {
  readonly name: string
  /** Whether they have lost their connections just before. */
  readonly away: boolean
  /** Tokens that a client has, one after the other; all of them are revoked. */
  readonly tokens: number
}

const cases: readonly Case[] = [
  { name: 'connected', away: false, tokens: 1 },
  { name: 'away, one token each', away: true, tokens: 1 },
  { name: 'away, ever other tokens', away: true, tokens: 3 },
]

/** By the client's rule: after a second refusal in a row it stops. */
const mostAttempts = 2
/** How long all of them may take to give up. */
const patienceMs = 40_000
/** After the last has given up: whoever would come again by any advice but the longest has come by then. */
const quietMs = 6_000

/** One row for each case. */
export const part: Part = {
  name: 'storms: revoked',
  async *measure(quick) {
    for (const one of cases) yield await measureCase(one, quick ? 500 : 5_000)
  },
}

async function measureCase(one: Case, count: number): Promise<Row> {
  const server = await startSite()
  let crowd: StormCrowd | undefined
  try {
    crowd = await StormCrowd.gather(server.port, count, (token) => Array.from({ length: one.tokens }, token))
    const before = (await server.ask('attempts', undefined)).client.length
    const endedAtMs = await end(one, server)
    const tookMs = await crowd.until(({ closed }) => closed === count, patienceMs)
    await sleep(quietMs)
    const { client, atMs } = await server.ask('attempts', undefined)
    const times = timesEach(client.slice(before))
    const seconds = perSecond(atMs.slice(before), endedAtMs)
    return {
      bench: 'adapters',
      table:
        'storms: clients whose token is revoked, connection attempts after that as the server counts them',
      name: `${count.toLocaleString('en')} ${one.name}`,
      figures: {
        'most of one': most(times),
        'attempts of all': client.length - before,
        'in the busiest second': most(seconds),
        'not given up': count - (await crowd.state()).closed,
        'seconds to the last': tookMs / 1_000,
      },
      targets: [
        { figure: 'most of one', bound: mostAttempts, sense: 'at most' },
        { figure: 'not given up', bound: 0, sense: 'at most' },
      ],
    }
  } finally {
    await crowd?.stop()
    await server.stop()
  }
}

async function end({ away }: Case, server: Server): Promise<number> {
  if (away) return (await server.ask('loseAndRevoke', { subject })).atMs
  return (await server.ask('revoke', { subject })).atMs
}
