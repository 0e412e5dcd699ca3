/** What a guard costs a Socket.IO server and the client costs its program; and whether crowds of clients make storms. */
import { parts as echoes } from './adapters/client-echo.ts'
import { parts as connects } from './adapters/connects.ts'
import { parts as events } from './adapters/events.ts'
import { part as restart } from './adapters/restart.ts'
import { part as revoked } from './adapters/revoked.ts'
import type { Bench } from './rig/bench.ts'
import type { Part } from './rig/part.ts'

/** Every part; a new one is a file and a row here. */
const parts: readonly Part[] = [...connects, ...events, ...echoes, revoked, restart]

/** The adapters bench. */
export const bench: Bench = {
  name: 'adapters',
  about: 'Socket.IO behind a guard and the client, beside both without; storms of 5,000 clients',
  async run({ quick, only, done }) {
    for (const part of parts.filter(({ name }) => name.includes(only)))
      for await (const row of part.measure(quick)) done(row)
  },
}
