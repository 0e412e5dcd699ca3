/** What is refused before anyone is asked: names that are the router's own, options that are not a client's to set. */
import type { Call, Dict, Publish, Register, Subscribe } from './messages.ts'
import { isReserved } from './uri.ts'

/** Messages that need a permission. Their kind is the action. */
export type Request = Call | Register | Publish | Subscribe

/** Names that are the router's beside `wamp.`. */
export const ownPrefix = 'x_countersign.'

/** Whether a URI is the router's own: clients neither register nor publish there, and no callee answers for it. */
export function isRouters(uri: string): boolean {
  return isReserved(uri) || uri.startsWith(ownPrefix)
}

/**
 * Options by which a client would speak in someone else's name, or vouch for itself: the router alone writes them, into
 * details. Unknown options are ignored, as the protocol asks.
 */
const routersOptions: ReadonlySet<string> = new Set([
  'caller',
  'caller_authid',
  'caller_authrole',
  'publisher',
  'publisher_authid',
  'publisher_authrole',
  'trustlevel',
  'forward_for',
])

/** The URI of a request. */
export function uriOf(request: Request): string {
  return request.kind === 'call' || request.kind === 'register' ? request.procedure : request.topic
}

/** The ERROR that a request gets without asking anyone; `undefined`: none. */
export function refusedOutright(request: Request): string | undefined {
  if (hasRoutersOption(request.options)) return 'wamp.error.option_not_allowed'
  const { kind } = request
  if ((kind === 'publish' || kind === 'register') && isRouters(uriOf(request)))
    return 'wamp.error.invalid_uri'
  return undefined
}

// A loop over names and no list of them: this runs for every message, and most have no options at all.
function hasRoutersOption(options: Dict): boolean {
  for (const name in options) if (routersOptions.has(name)) return true
  return false
}
