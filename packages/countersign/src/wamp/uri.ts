/** URIs of WAMP, beside what they share with every other dotted name. */
import type { Match } from '../core/patterns.ts'

export {
  isPattern,
  isUri,
  matcherOf,
  matches,
  maxUriLength,
  type Match,
  type UriCheck,
} from '../core/patterns.ts'

/** `match` of SUBSCRIBE and REGISTER options; absent means exact, anything else is no policy at all. */
export function matchOf(option: unknown): Match | undefined {
  if (option === undefined || option === 'exact') return 'exact'
  return option === 'prefix' || option === 'wildcard' ? option : undefined
}

/** Whether the name belongs to the protocol: clients neither register nor publish there. */
export function isReserved(uri: string): boolean {
  return uri.startsWith('wamp.') || uri === 'wamp'
}
