/** What must hold of an exchange besides its outcome. */
import type { Check } from './case.ts'
import type { Knock } from './knock.ts'
import { publicSubprotocol } from './plan.ts'

/** Everything but what concerns the end of a lease: see `comesLate`. */
export type ExchangeCheck = Exclude<Check, 'nothing-late'>

const begins = (frame: string | undefined, start: string): boolean => frame?.startsWith(start) ?? false

/** Whether it holds. */
export const checks: Readonly<Record<ExchangeCheck, (last: Knock) => boolean>> = {
  'greeting-first': ({ frames }) => begins(frames[0], 'Hello '),
  'auth-ok-first': ({ frames }) => begins(frames[0], '{"type":"auth_ok"') && begins(frames[1], 'Hello '),
  // The outcome is "accepted" only when the echoes came in the order in which the messages were sent.
  'in-order': ({ frames }) => frames.indexOf('one') >= 0 && frames.indexOf('one') < frames.indexOf('two'),
  'public-subprotocol': ({ protocol }) => protocol === publicSubprotocol,
  'challenge-shape': ({ realShape }) => realShape === true,
}

/** What is said when it does not. */
export const complaints: Readonly<Record<ExchangeCheck, string>> = {
  'greeting-first': 'a frame came before the greeting',
  'auth-ok-first': 'auth_ok did not come first',
  'in-order': 'the messages came back in another order',
  'public-subprotocol': 'another subprotocol was selected',
  'challenge-shape': 'the challenge looks unlike a real user’s',
}
