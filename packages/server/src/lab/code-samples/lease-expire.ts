import { createGuard, memory, query } from 'countersign'
import { ticket } from 'countersign/methods'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [ticket({ from: query('ticket') })],
  // How long a lease that is over may still speak, and when its holder is warned.
  limits: { graceMs: 500, warnMs: 30_000 },
})

/** The socket that this ticket opens closes with 3000 lease_expired after five minutes, unless it is refreshed. */
export async function ticketFor(subject: string): Promise<string> {
  const issued = await guard.issue.ticket({ subject, leaseMs: 5 * 60_000 })
  return issued.ticket
}
