/** How a connection attempt ends, as a page can see it. Shared by the table of cases, the page and the report. */
export type Outcome =
  /** The socket opened, greeted its user and echoed. */
  | { readonly kind: 'accepted'; readonly greeting: true }
  /** The socket opened and was closed with a code that says why (RFC 6455 §7.4). */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** It never opened: refused by HTTP or by TLS, which pages are not told. 1015 is Firefox' word for TLS. */
  | { readonly kind: 'failed'; readonly code: 1006 | 1015 }
  /** The hidden frame could not exchange its ticket; no cookie was set. */
  | { readonly kind: 'unexchanged' }
  /** WELCOME came, and the session could do what it tried. */
  | { readonly kind: 'joined'; readonly role: string }
  /** ABORT came in place of WELCOME. */
  | { readonly kind: 'aborted'; readonly uri: string }
  /** WELCOME came, and what the session tried was answered by ERROR. */
  | { readonly kind: 'denied'; readonly uri: string }
  /** The router ended the session by GOODBYE. */
  | { readonly kind: 'ended'; readonly uri: string }
  /** Socket.IO refused the CONNECT: `connect_error`, whose data says why. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Socket.IO's transport was refused by HTTP, which its client is not told. */
  | { readonly kind: 'unopened'; readonly by: 'polling' | 'websocket' }
  /** Socket.IO let the socket in, and the event that it sent reached nobody. */
  | { readonly kind: 'withheld'; readonly reason: string }
  /** Socket.IO ended the socket after `auth_end`. */
  | { readonly kind: 'dismissed'; readonly reason: string }
  /** A socket that was open already is still open, and answers. */
  | { readonly kind: 'stays' }

/** What came out, or why nothing did. */
export type Measured = Outcome | { readonly kind: 'unsettled'; readonly why: string }

/** Opens and greets. */
export const accepted: Outcome = { kind: 'accepted', greeting: true }

/** Refused before the handshake was answered with 101. */
export const failed: Outcome = { kind: 'failed', code: 1006 }

/** Refused by the frame. */
export const unexchanged: Outcome = { kind: 'unexchanged' }

/** Stays open, whatever happened elsewhere. */
export const stays: Outcome = { kind: 'stays' }

const codeOfReason: Readonly<Record<string, number>> = {
  logged_out: 3003,
  revoked: 3003,
  authentication_timeout: 3008,
}

/** Closed for this reason, with the code that the table of refusals gives it. */
export function closed(reason: string): Outcome {
  return { kind: 'closed', code: codeOf(reason), reason }
}

function codeOf(reason: string): number {
  return codeOfReason[reason] ?? 3000
}

/** Joins a WAMP realm in this role. */
export function joined(role: string): Outcome {
  return { kind: 'joined', role }
}

/** Refused by ABORT, with the one URI for everything that must not be told apart. */
export const aborted: Outcome = { kind: 'aborted', uri: 'wamp.error.authentication_denied' }

/** Refused by ABORT, because nothing was shown that any method of HELLO could judge. */
export const unproven: Outcome = { kind: 'aborted', uri: 'wamp.error.authentication_required' }

/** Joins a WAMP realm, and may not do what it tries. */
export const denied: Outcome = { kind: 'denied', uri: 'wamp.error.not_authorized' }

/** The session is ended by GOODBYE, because its login is. */
export const loggedOut: Outcome = goodbye('wamp.close.logout')

/** Ended by GOODBYE with this URI. */
export function goodbye(uri: string): Outcome {
  return { kind: 'ended', uri }
}

/** A CONNECT of Socket.IO, refused for this reason. */
export function rejected(reason: string): Outcome {
  return { kind: 'rejected', reason }
}

/** A transport of Socket.IO, refused before it opened. */
export function unopened(by: 'polling' | 'websocket'): Outcome {
  return { kind: 'unopened', by }
}

/** An event of Socket.IO that its sender may not send. */
export const withheld: Outcome = { kind: 'withheld', reason: 'forbidden' }

/** Ended by Socket.IO for this reason. */
export function dismissed(reason: string): Outcome {
  return { kind: 'dismissed', reason }
}

/** Whether somebody was let in. */
export function isOpen({ kind }: Measured): boolean {
  return ['stays', 'accepted', 'joined', 'denied', 'withheld'].includes(kind)
}

/** The last component of a URI: the page has room for no more. */
function lastOf(uri: string): string {
  return uri.slice(uri.lastIndexOf('.') + 1)
}

/** An outcome in the words of the page: short, and the same for expected and measured. */
export function describeOutcome(outcome: Measured): string {
  switch (outcome.kind) {
    case 'accepted':
      return 'opens and greets'
    case 'closed':
      return outcome.reason === '' ? `closed ${outcome.code}` : `closed ${outcome.code} ${outcome.reason}`
    case 'failed':
      return `fails with ${outcome.code}`
    case 'unexchanged':
      return 'frame says no'
    case 'joined':
      return `joins as ${outcome.role}`
    case 'aborted':
      return `ABORT ${lastOf(outcome.uri)}`
    case 'denied':
      return `joins, then ERROR ${lastOf(outcome.uri)}`
    case 'ended':
      return `GOODBYE ${lastOf(outcome.uri)}`
    case 'rejected':
      return `connect_error ${outcome.reason}`
    case 'unopened':
      return outcome.by === 'polling' ? 'polling fails' : 'WebSocket fails'
    case 'withheld':
      return `opens, then error ${outcome.reason}`
    case 'dismissed':
      return `auth_end ${outcome.reason}`
    case 'stays':
      return 'stays open'
    case 'unsettled':
      return outcome.why
  }
}

/** Whether two outcomes are one and the same to a client. */
export function sameOutcome(one: Measured, other: Measured): boolean {
  return (
    one.kind !== 'unsettled' && one.kind === other.kind && describeOutcome(one) === describeOutcome(other)
  )
}

const again = 'Obtain a fresh credential and connect again; next time refresh before the end.'

/** Where the word of a close says more than its code. */
const adviceOfReason: Readonly<Record<string, string>> = {
  lease_expired: again,
  logged_out: 'Stop: the login was ended on purpose. Log in again, then connect.',
  revoked: 'Stop: whoever runs the server took this back.',
  forbidden: 'Stop: nobody is let in there, whatever they show.',
}

const adviceOfCode: Readonly<Record<number, string>> = {
  1006: 'Nothing was told: refused before the socket opened. Stop; the server’s journal says why.',
  1015: 'The TLS handshake failed. Stop; the server’s journal says why.',
  3000: 'Obtain a different credential, try once more, then stop.',
  3003: 'Stop: this was ended on purpose.',
  3008: 'Try again, a little later each time.',
  4429: 'Wait as long as you were told.',
  4503: 'Back off: the server is full.',
}

/** Kinds of outcome that say why by a word of the table of refusals. */
type Reasoned = 'closed' | 'rejected' | 'dismissed'

const adviceOfKind: Readonly<Record<Exclude<Measured['kind'], Reasoned | 'failed'>, string>> = {
  accepted: 'Speak: the lease holds until it expires or is revoked.',
  joined: 'Speak: the lease holds until it expires or is revoked.',
  unexchanged: 'Use a ticket in the query instead; clients fall back by themselves.',
  aborted: 'Obtain a different credential, or stop: clients of WAMP take ABORT as final.',
  denied: 'Leave it: the session is open, and its role may not do this.',
  ended: 'Stop: this was ended on purpose.',
  unopened: 'Nothing was told: refused before the transport opened. Stop; the server’s journal says why.',
  withheld: 'Leave it: the socket is open, and its role may not send this.',
  stays: 'Go on: nothing that this socket rests upon has ended.',
  unsettled: 'Nothing to advise: the case did not come to an end.',
}

/** What a client should do after this outcome. */
export function adviceFor(outcome: Measured): string {
  if (outcome.kind === 'ended' && outcome.uri === 'wamp.close.expired') return again
  const unknown = 'Look it up in the table of refusals.'
  if (outcome.kind === 'failed') return adviceOfCode[outcome.code] ?? unknown
  if (outcome.kind === 'closed')
    return adviceOfReason[outcome.reason] ?? adviceOfCode[outcome.code] ?? unknown
  if (outcome.kind === 'rejected' || outcome.kind === 'dismissed')
    return adviceOfReason[outcome.reason] ?? adviceOfCode[codeOf(outcome.reason)] ?? unknown
  return adviceOfKind[outcome.kind]
}
