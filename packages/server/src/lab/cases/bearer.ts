import type { LabCase } from '../browser/case.ts'
import { accepted, closed, failed } from '../browser/outcome.ts'
import { hostileRow, invent, obtain, obtainExpired, row, show } from './write.ts'

const spent = 'A ticket is taken before it is judged, atomically: of all who show it, one gets in.'
const madeUp =
  'Unknown, wrong and spent share one word and comparable time, so an attacker learns nothing from a refusal.'
const old = 'A ticket lives 30 seconds. Whoever finds it later, in a log or a history, finds nothing.'
const byOrigin =
  'A present Origin must be listed at every door. The refusal is HTTP 403, which a page sees as 1006 and nothing more.'

/** D1, first message. */
export const firstMessageCases: readonly LabCase[] = [
  row('D1.connect', ['Sends a ticket as first message', accepted], {
    steps: [obtain('ticket'), show('first-text')],
    check: 'greeting-first',
    why: 'The credential is in no URL and no header. A bare token is answered by the application alone.',
  }),
  row('D1.json', ['Sends the ticket as JSON', accepted], {
    steps: [obtain('ticket'), show('first-json')],
    check: 'auth-ok-first',
    why: 'A client that speaks JSON is told in JSON: auth_ok with the lease comes before anything else.',
  }),
  row('D1.jwt', ['Sends a JWT', accepted], {
    steps: [obtain('jwt'), show('first-text')],
    why: 'Signature, issuer, audience, type and times are all checked, by algorithms that the server names.',
  }),
  row('D1.session', ['Sends a session', accepted], {
    steps: [obtain('session'), show('first-text')],
    why: 'Programs that hold their session’s value may show it here; pages cannot read theirs (see D8).',
  }),
  row('D1.key', ['Sends an API key', accepted], {
    steps: [obtain('api-key'), show('first-text')],
    why: 'API keys are random, kept as hashes, and carry scopes: this one may connect.',
  }),
  row('D1.order', ['Sends two messages behind the ticket', accepted], {
    steps: [obtain('ticket'), show('first-text')],
    check: 'in-order',
    why: 'Impatient clients need not wait: what stands behind the credential is queued, bounded, and delivered in order once accepted.',
  }),
  row('D1.replay', ['Sends the same ticket twice', closed('invalid_credential')], {
    steps: [obtain('ticket'), show('first-text'), show('first-text')],
    why: spent,
  }),
  row('D1.wrong', ['Sends a made-up ticket', closed('invalid_credential')], {
    steps: [invent('ticket'), show('first-text')],
    why: madeUp,
  }),
  row('D1.expired', ['Sends an expired ticket', closed('expired_credential')], {
    steps: [obtainExpired('ticket'), show('first-text')],
    why: old,
  }),
  row('D1.expired-jwt', ['Sends an expired JWT', closed('expired_credential')], {
    steps: [obtainExpired('jwt'), show('first-text')],
    why: 'A token past its exp is refused, and the lease of one that was accepted ends with it.',
  }),
  row('D1.silent', ['Says nothing', closed('authentication_timeout')], {
    steps: [show('nothing')],
    slow: true,
    why: 'Silent sockets are held in a capped pool for the deadline and not a second longer; traffic does not extend it.',
  }),
  hostileRow('D1', failed, byOrigin),
]

/** D2, query parameter. */
export const queryCases: readonly LabCase[] = [
  row('D2.connect', ['Puts a ticket in the query', accepted], {
    steps: [obtain('ticket'), show('query')],
    why: 'The parameter is stripped before the application, a log or an upstream sees the URL.',
  }),
  row('D2.replay', ['Shows the same ticket twice', closed('invalid_credential')], {
    steps: [obtain('ticket'), show('query'), show('query')],
    why: spent,
  }),
  row('D2.wrong', ['Shows a made-up ticket', closed('invalid_credential')], {
    steps: [invent('ticket'), show('query')],
    why: madeUp,
  }),
  row('D2.expired', ['Shows an expired ticket', closed('expired_credential')], {
    steps: [obtainExpired('ticket'), show('query')],
    why: old,
  }),
  row('D2.elsewhere', ['Shows a ticket for another door', closed('invalid_credential')], {
    steps: [obtain('ticket', 'a', 'D1'), show('query')],
    why: 'A ticket names its audience. Stolen from one service it opens no other, and trying spends it.',
  }),
  row('D2.missing', ['Connects without a ticket', closed('missing_credential')], {
    steps: [show('nothing')],
    why: 'A page cannot read the 401 of a refused upgrade, so browsers are accepted and told by close code.',
  }),
  hostileRow('D2', failed, byOrigin),
]

/** D6, subprotocol. */
export const subprotocolCases: readonly LabCase[] = [
  row('D6.connect', ['Offers a ticket as subprotocol', accepted], {
    steps: [obtain('ticket'), show('subprotocol')],
    check: 'public-subprotocol',
    why: 'The server selects countersign.v1, never the entry with the secret; echoing it would write it into headers and ws.protocol.',
  }),
  row('D6.jwt', ['Offers a JWT as subprotocol', accepted], {
    steps: [obtain('jwt'), show('subprotocol')],
    check: 'public-subprotocol',
    why: 'A JWT consists of characters that a subprotocol may have, so it passes unchanged.',
  }),
  row('D6.replay', ['Offers the same ticket twice', closed('invalid_credential')], {
    steps: [obtain('ticket'), show('subprotocol'), show('subprotocol')],
    why: spent,
  }),
  row('D6.wrong', ['Offers a made-up ticket', closed('invalid_credential')], {
    steps: [invent('ticket'), show('subprotocol')],
    check: 'public-subprotocol',
    why: `${madeUp} Chromium would fail the connection if no subprotocol were selected, so one is, even to refuse.`,
  }),
  row('D6.expired', ['Offers an expired ticket', closed('expired_credential')], {
    steps: [obtainExpired('ticket'), show('subprotocol')],
    why: old,
  }),
  row('D6.missing', ['Offers the public name alone', closed('missing_credential')], {
    steps: [{ kind: 'show', at: 'subprotocol', slot: 'b', door: undefined }],
    check: 'public-subprotocol',
    why: 'The application’s own subprotocol is no credential.',
  }),
  hostileRow('D6', failed, byOrigin),
]

/** D10, single-use URL. */
export const urlCases: readonly LabCase[] = [
  row('D10.connect', ['Opens the URL that the API answered', accepted], {
    steps: [obtain('url'), show('url')],
    why: 'Nothing to put together: the client opens what it was given, once, within 30 seconds.',
  }),
  row('D10.replay', ['Opens the same URL twice', closed('invalid_credential')], {
    steps: [obtain('url'), show('url'), show('url')],
    why: spent,
  }),
  row('D10.wrong', ['Opens a made-up URL', closed('invalid_credential')], {
    steps: [invent('ticket'), show('query')],
    why: madeUp,
  }),
  row('D10.expired', ['Opens an expired URL', closed('expired_credential')], {
    steps: [obtainExpired('ticket'), show('query')],
    why: old,
  }),
  row('D10.missing', ['Opens the door’s bare address', closed('missing_credential')], {
    steps: [show('nothing')],
    why: 'The address of the door is public; only the ticket in the URL opens it.',
  }),
  hostileRow('D10', failed, byOrigin),
]
