/** A token as last segment of the path. URLs end up in logs and histories: for single-use tickets only. */
import { nothingHidden, type HandshakeCarrier, type Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import { MisuseError } from '../core/errors.ts'
import { findSegment } from '../wire/path.ts'
import { tokenFound } from './token.ts'

/** Options of the path carrier. */
export interface PathOptions {
  /**
   * What stands before the token, with a slash at both ends. Every path that begins with it belongs to the carrier: what
   * follows is a token, and is hidden.
   */
  readonly prefix: string
}

/**
 * A token in the path of the URL, behind the prefix: `path({ prefix: '/connect/' })` reads `/connect/cst_…?a=1` and
 * leaves `/connect/?a=1` to the application.
 * @throws MisuseError for a prefix without a slash at both ends, or with characters that a path would have to encode
 */
export function path(options: PathOptions): HandshakeCarrier {
  const { prefix } = options
  // RFC 3986 §3.3 without percent-encoding; a path that begins with two slashes names another host.
  if (!/^\/(?:[\w\-.~!$&'()*+,;=:@]+\/)*$/.test(prefix) || prefix.length > 1_024) {
    throw new MisuseError('invalid_option', 'path: prefix is a path in ASCII with a slash at both ends')
  }
  return {
    kind: 'handshake',
    key: `path:${prefix}`,
    ambient: false,
    absentOrigin: 'allow',
    bearer: true,
    hides: { ...nothingHidden, paths: [prefix] },
    scheme: 'Countersign',
    find: (handshake): Search<Credential> => tokenFound(findSegment(handshake.target, prefix)),
  }
}
