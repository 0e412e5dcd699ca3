/** A token among the subprotocols, for servers and proxies that look there. */
import { issued, type Carrier, type GetCredential } from './carrier.ts'

/** Offered beside the token where the application offers nothing: Chromium fails if nothing is selected. */
const publicName = 'countersign.v1'

/**
 * `countersign.bearer.<token>` beside the application's own subprotocols. The token must be made of the characters of a
 * token (RFC 9110 §5.6.2): tickets, JWTs and unpadded base64url are.
 */
export function subprotocol(getToken: GetCredential): Carrier {
  return async (target, ask) => {
    const got = issued(await getToken(ask))
    const names = target.protocols.length > 0 ? target.protocols : [publicName]
    return { ...target, ...got, protocols: [...names, `countersign.bearer.${got.credential}`] }
  }
}
