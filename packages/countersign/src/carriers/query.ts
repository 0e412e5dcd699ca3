/** A token in the query of the request target. URLs end up in logs and histories: for single-use tickets only. */
import { nothingHidden, type HandshakeCarrier, type Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import { findParameter } from '../wire/query.ts'
import { tokenFound } from './token.ts'

/**
 * A token in the query of the URL, under any of the names.
 * @param names parameters that may carry the token; the same secret under two names is one credential, two
 * different ones are none. @default 'ticket'
 */
export function query(...names: readonly string[]): HandshakeCarrier {
  const sought = names.length === 0 ? ['ticket'] : names
  return {
    kind: 'handshake',
    key: `query:${sought.join(',')}`,
    ambient: false,
    absentOrigin: 'allow',
    bearer: true,
    hides: { ...nothingHidden, query: sought },
    scheme: 'Countersign',
    find: (handshake): Search<Credential> => tokenFound(findParameter(handshake.target, sought)),
  }
}
