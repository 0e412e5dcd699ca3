/** HELLO of WAMP as a carrier: the session's opening message names who wants to join, and how. */
import type { HelloCarrier } from '../core/carrier.ts'

const bearer: HelloCarrier = { kind: 'hello', key: 'wamp:bearer', bearer: true }
const proof: HelloCarrier = { kind: 'hello', key: 'wamp', bearer: false }

/**
 * For methods whose answer proves something without giving it away: WAMP-CRA, SCRAM, cryptosign; and for those that need
 * no answer at all.
 */
export function wampHello(): HelloCarrier {
  return proof
}

/** For methods whose answer is a secret itself (WAMP ticket): refused on cleartext off loopback. */
export function wampBearer(): HelloCarrier {
  return bearer
}
