/** What authorization costs that lives as long as the socket: ends of leases, strangers at the door, and the wheel. */
import { part as expiries } from './leases/expiries.ts'
import { parts as floods } from './leases/floods.ts'
import { part as revocation } from './leases/revocation.ts'
import { part as slowHeaders } from './leases/slow-headers.ts'
import { part as wheel } from './leases/wheel.ts'
import { messageRows } from './messages.ts'
import type { Bench } from './rig/bench.ts'
import type { Part } from './rig/part.ts'

const messages: Part = {
  name: 'messages',
  measure: (quick) => messageRows('leases', 0.97, quick),
}

/** Every part; a new one is a file and a row here. */
const parts: readonly Part[] = [wheel, messages, revocation, expiries, slowHeaders, ...floods]

/** The leases bench. */
export const bench: Bench = {
  name: 'leases',
  about: 'revocation, expiry, floods and the wheel, beside servers without leases',
  async run({ quick, only, done }) {
    for (const part of parts.filter(({ name }) => name.includes(only)))
      for await (const row of part.measure(quick)) done(row)
  },
}
