/** HTTP requests of the site, judged by the same guards as sockets: Host, Origin, rate, then the credential. */
import type { IncomingMessage } from 'node:http'
import type { Grant, Guard, Handshake, Principal, Reason } from 'countersign'
import { handshakeOf } from 'countersign/http'

/** Who asks, or why they may not. */
export type Visitor =
  | { readonly kind: 'known'; readonly principal: Principal; readonly grant: Grant }
  | { readonly kind: 'refused'; readonly reason: Reason }

/**
 * Judges one request. There is no connection to keep, so the lease is given back at once.
 * @param shown a credential that came in the body, as the header that it is equal to
 */
export async function knock(
  guard: Guard,
  request: IncomingMessage,
  shown: Pick<Partial<Handshake>, 'authorization'> = {},
): Promise<Visitor> {
  const handshake = handshakeOf(request, { trust: undefined, certificates: false })
  if (typeof handshake === 'string') return { kind: 'refused', reason: handshake }
  const turn = await guard.knock({ ...handshake, ...shown })
  if (turn.kind === 'peer') return { kind: 'refused', reason: 'missing_credential' }
  if (turn.value.kind === 'refused') return { kind: 'refused', reason: turn.value.reason }
  const { principal, grant } = turn.value.lease
  turn.value.lease.leave()
  return { kind: 'known', principal, grant }
}
