/** Cookies of a WebSocket transport, and where they are kept. */
import { fileName } from './environment.ts'
import type { CookieNode, CookieStoreNode } from './node.ts'
import {
  below,
  complain,
  flag,
  ignored,
  members,
  oneOf,
  optional,
  shaped,
  warn,
  whole,
  type Spot,
} from './reader.ts'

/** What `max_age` is where it is not written. */
const weekS = 604_800
/** The longest that the format allows. */
const tenYearsS = 311_040_000
/** Below this a cookie that authenticates can be guessed; Crossbar.io's own default is more. */
const leastLength = 16

/**
 * Reads `cookie`. Flags that are not written are those that protect: unlike Crossbar.io, which sends a cookie that
 * scripts can read.
 */
export function cookieOf(spot: Spot, isSecure: boolean): CookieNode {
  const read = members(spot, {
    name: optional(shaped(/^[a-z][a-z0-9_]+$/, 'must be lower-case letters, digits and _', 64), 'cbtid'),
    length: optional(whole(6, 64), 24),
    max_age: optional(whole(1, tenYearsS), weekS),
    store: optional(storeOf, { kind: 'memory' }),
    secure: optional(flag, isSecure),
    http_strict: optional(flag, true),
    same_site: optional(oneOf(['Strict', 'Lax', 'None'], 'Strict'), 'Lax'),
  })
  judge(spot, read, isSecure)
  return {
    name: read.name,
    length: read.length,
    maxAgeS: read.max_age,
    secure: read.secure,
    httpOnly: read.http_strict,
    sameSite: read.same_site,
    store: read.store,
  }
}

/** What weakens a cookie (RFC 6265bis §5.7: `SameSite=None` without `Secure` is dropped). */
function judge(
  spot: Spot,
  read: {
    readonly length: number
    readonly secure: boolean
    readonly http_strict: boolean
    readonly same_site: string
  },
  isSecure: boolean,
): void {
  if (read.length < leastLength)
    warn(below(spot, 'length'), `is short: use at least ${leastLength} characters`)
  if (!read.secure && isSecure) warn(below(spot, 'secure'), 'lets the cookie travel without TLS as well')
  if (!read.http_strict)
    warn(below(spot, 'http_strict'), 'false has no effect here: the cookie is always HttpOnly')
  if (read.same_site === 'None' && !read.secure) {
    complain(below(spot, 'same_site'), 'needs "secure": browsers drop the cookie otherwise')
  }
}

/** `store`: in memory, cookies end with the process. */
function storeOf(spot: Spot): CookieStoreNode {
  const kind = oneOf(['memory', 'file', 'database'], 'memory')(below(spot, 'type'))
  if (kind === 'memory') {
    members(spot, { type: ignored })
    return { kind }
  }
  if (kind === 'file') {
    const read = members(spot, { type: ignored, filename: fileName, purge_on_startup: optional(flag, false) })
    return { kind, file: read.filename, purgeOnStartup: read.purge_on_startup }
  }
  const read = members(spot, {
    type: ignored,
    path: fileName,
    purge_on_startup: optional(flag, false),
    maxsize: optional(whole(1, Number.MAX_SAFE_INTEGER), 1_048_576),
    readonly: optional(flag, false),
    sync: optional(flag, true),
  })
  return {
    kind,
    path: read.path,
    maxBytes: read.maxsize,
    readOnly: read.readonly,
    sync: read.sync,
    purgeOnStartup: read.purge_on_startup,
  }
}
