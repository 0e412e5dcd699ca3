/** A credential in the `Authorization` field: Basic (RFC 7617) or Bearer (RFC 6750). */
import { nothingHidden, type HandshakeCarrier, type Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import type { Handshake } from '../core/handshake.ts'
import { parseAuthorization, parseBasic, parseBearer } from '../wire/authorization.ts'
import { absent } from '../wire/found.ts'
import { tokenFound } from './token.ts'

/**
 * A credential in the `Authorization` field, of one scheme.
 * Not ambient: browsers add it to a WebSocket only from user information in the URL, which they remember per
 * origin.
 * @param scheme a field of another scheme counts as absent here
 */
export function authorization(scheme: 'Basic' | 'Bearer'): HandshakeCarrier {
  const read = scheme === 'Basic' ? findBasic : findBearer
  const wanted = scheme.toLowerCase()
  return {
    kind: 'handshake',
    key: `authorization:${wanted}`,
    ambient: false,
    absentOrigin: 'allow',
    bearer: true,
    hides: { ...nothingHidden, headers: ['authorization'] },
    scheme,
    find(handshake: Handshake): Search<Credential> {
      if (handshake.authorization === undefined) return absent
      const field = parseAuthorization(handshake.authorization)
      if (field.kind !== 'found') return field
      return field.value.scheme === wanted ? read(field.value.rest) : absent
    },
  }
}

/**
 * User name and password as they were typed (RFC 7617 §2); tokens that travel so are told apart by the
 * methods.
 */
function findBasic(rest: string): Search<Credential> {
  const basic = parseBasic(rest)
  if (basic.kind !== 'found') return basic
  const { username, password } = basic.value
  return { kind: 'found', value: { kind: 'basic', username, password } }
}

function findBearer(rest: string): Search<Credential> {
  return tokenFound(parseBearer(rest))
}
