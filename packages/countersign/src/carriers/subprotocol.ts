/**
 * A token among the offered subprotocols (RFC 6455 §4.1), the only header that a browser page can set:
 * `countersign.bearer.<token>`, the pair `bearer, <token>`, and the base64url forms of Kubernetes and Phoenix. The
 * secret entry is hidden before anything selects a subprotocol; clients offer a public one beside it.
 */
import { nothingHidden, type HandshakeCarrier, type Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import type { Handshake } from '../core/handshake.ts'
import { absent } from '../wire/found.ts'
import { findBearerSubprotocol, parseSubprotocols } from '../wire/subprotocol.ts'

/** The carrier; it has no options. */
export function subprotocol(): HandshakeCarrier {
  return {
    kind: 'handshake',
    key: 'subprotocol',
    ambient: false,
    absentOrigin: 'allow',
    bearer: true,
    hides: { ...nothingHidden, subprotocols: true },
    scheme: 'Countersign',
    find: findToken,
  }
}

/**
 * The whole offer is read: a malformed one refuses the attempt, as the WebSocket library would afterwards.
 */
function findToken(handshake: Handshake): Search<Credential> {
  if (handshake.subprotocol === undefined) return absent
  const offered = parseSubprotocols(handshake.subprotocol)
  if (offered.kind !== 'found') return offered
  const bearer = findBearerSubprotocol(offered.value)
  if (bearer.kind !== 'found') return bearer
  return { kind: 'found', value: { kind: 'token', text: bearer.value.token, form: 'bare' } }
}
