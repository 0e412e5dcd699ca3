/** Tickets: opaque, single-use, at most 30 s old, bound to a subject and an audience. */
import { hash, takeTicket } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { prefixes } from '../core/issue.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { noClaims } from '../core/principal.ts'
import type { TicketRow } from '../core/records.ts'
import { ticketGrant } from '../core/rows.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'
import { hasPrefix, tokenOf } from './token.ts'

/** Options of the ticket method. */
export interface TicketMethodOptions {
  /** Where tickets travel. */
  readonly from: From
  /** What tickets must have been issued for. @default the guard's audience */
  readonly audience?: string
}

/**
 * Accepts a ticket from `guard.issue.ticket`, once. It is taken before anything about it is checked: of any
 * number who show it, one is judged, and a ticket shown at the wrong door is spent.
 * Refuses as `invalid_credential` what is unknown, spent, or made for another audience, purpose or page; as
 * `expired_credential` what is merely too old. The lease lasts as long as the ticket says.
 */
export function ticket(options: TicketMethodOptions): Method {
  return {
    name: 'ticket',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => hasPrefix(credential, prefixes.ticket),
    *judge(shown: Shown): Talk<Verdict> {
      const row = yield* takeTicket(yield* hash(tokenOf(shown.credential) ?? ''))
      const audience = options.audience ?? shown.audience
      if (row === undefined || row.purpose !== 'connect' || row.audience !== audience)
        return deny('invalid_credential')
      if (row.origin !== undefined && row.origin !== shown.handshake.origin) return deny('invalid_credential')
      if (row.expiresAtMs <= shown.now) return deny('expired_credential')
      return acceptTicket(row, 'ticket')
    },
  }
}

/** The acceptance that a taken row stands for. */
export function acceptTicket(row: TicketRow, method: string): Verdict {
  const { subject, roles } = row
  return accept({
    principal: { id: subject, roles, realm: undefined, method, provider: 'records', claims: noClaims },
    grant: ticketGrant(row),
    untilMs: row.leaseUntilMs,
    lease: row.lease,
  })
}
