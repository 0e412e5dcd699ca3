/** The client certificate of the TLS connection, or the one that a trusted proxy vouches for. */
import { nothingHidden, type HandshakeCarrier, type Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import { absent } from '../wire/found.ts'

/** Browsers present it unasked once chosen: an Origin rule is mandatory, absence of an Origin is not. */
export function tls(): HandshakeCarrier {
  return {
    kind: 'handshake',
    key: 'tls',
    ambient: true,
    absentOrigin: 'allow',
    bearer: false,
    hides: nothingHidden,
    scheme: 'Countersign',
    find(handshake): Search<Credential> {
      const { certificate } = handshake
      return certificate === undefined
        ? absent
        : { kind: 'found', value: { kind: 'certificate', certificate } }
    },
  }
}
