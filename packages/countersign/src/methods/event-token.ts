/** What logout tokens and security event tokens have in common: who signed them, for whom, and when (RFC 8417 §2.2). */
import type { Talk } from '../core/drive.ts'
import { isJsonObject, type JsonObject } from '../wire/json.ts'
import { maxJwsBytes, parseCompactJws } from '../wire/jws.ts'
import type { EventRules, IssuerRules } from './event-options.ts'
import { isFor, isName, isSeconds, isSecondsOrAbsent } from './jwt-claims.ts'
import { isTyp } from './jwt-options.ts'
import { isSigned } from './jwt-signature.ts'

/** Why an event is refused, in the words of RFC 8935 §2.4 and of the Shared Signals Framework. */
export type EventRefusal =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'access_denied'
  | 'invalid_state'

/** A token whose signature, audience and time are right. */
export interface EventToken {
  readonly issuer: IssuerRules
  /** `jti`. */
  readonly id: string
  /** `iat`, to the end of its second. */
  readonly issuedAtMs: number
  readonly payload: JsonObject
  /** `events`: at least one, each an object. */
  readonly events: Readonly<Record<string, JsonObject>>
}

/** Kinds of token, which no other kind may pass for (RFC 8725 §3.11, §3.12). */
export type EventTokenKind = 'logout_token' | 'secevent'

const typs: Readonly<Record<EventTokenKind, string>> = {
  logout_token: 'application/logout+jwt',
  secevent: 'application/secevent+jwt',
}

/** Most events of one token: several names of one event, says the framework. */
const maxEvents = 8

/**
 * Reads a token. Until its signature was checked it gets one of three answers, and none of them tells what is in it.
 *
 * @throws OutageError when keys cannot be fetched
 */
export function* readEventToken(
  text: string,
  kind: EventTokenKind,
  at: { readonly rules: EventRules; readonly now: number },
): Talk<EventToken | EventRefusal> {
  if (text.length > maxJwsBytes) return 'invalid_request'
  const parsed = parseCompactJws(text)
  if (parsed.kind !== 'found') return 'invalid_request'
  const { header, payload, signingInput, signature } = parsed.value
  const issuer = typeof payload['iss'] === 'string' ? at.rules.issuers.get(payload['iss']) : undefined
  if (issuer === undefined) return 'invalid_issuer'
  if (!isOfKind(header['typ'], kind, issuer)) return 'invalid_request'
  const jws = { token: text, header, payload, signingInput, signature }
  if (!(yield* isSigned(issuer.signing, jws, at.now))) return 'invalid_key'
  if (!isFor(payload['aud'], issuer.audiences)) return 'invalid_audience'
  return readSigned(payload, issuer, at)
}

/** What else every event says. */
function readSigned(
  payload: JsonObject,
  issuer: IssuerRules,
  at: { readonly rules: EventRules; readonly now: number },
): EventToken | EventRefusal {
  const { jti, iat } = payload
  const events = readEvents(payload)
  if (
    !isName(jti) ||
    !isSeconds(iat) ||
    events === undefined ||
    !isTimely(payload, iat, { ...at, maxAgeMs: issuer.maxAgeMs })
  ) {
    return 'invalid_request'
  }
  return { issuer, id: jti, issuedAtMs: endOfSecond(iat), payload, events }
}

/** Fresh by `iat`, and within `nbf` and `exp` where the token has them. */
function isTimely(
  { exp, nbf }: JsonObject,
  iat: number,
  { rules, now, maxAgeMs }: { readonly rules: EventRules; readonly now: number; readonly maxAgeMs: number },
): boolean {
  const { toleranceMs } = rules
  if (!isSecondsOrAbsent(exp) || !isSecondsOrAbsent(nbf)) return false
  if (Math.max(iat, nbf ?? 0) * 1000 > now + toleranceMs || now - iat * 1000 > maxAgeMs) return false
  return exp === undefined || (exp > iat && exp * 1000 + toleranceMs > now)
}

function isOfKind(typ: unknown, kind: EventTokenKind, issuer: IssuerRules): boolean {
  if (isTyp(typ, typs[kind])) return true
  return kind === 'logout_token' && issuer.untyped && isTyp(typ, undefined)
}

/** RFC 8417 §2.2: an object of objects. Neither a list of names nor a name without an object is an event. */
function readEvents({ events }: JsonObject): EventToken['events'] | undefined {
  if (!isJsonObject(events)) return undefined
  const all = Object.values(events)
  if (all.length === 0 || all.length > maxEvents || !all.every((one) => isJsonObject(one))) return undefined
  // Each was found to be an object.
  return events as EventToken['events']
}

/**
 * The last millisecond of an instant. Most issuers tell whole seconds: what came about in that second may be older than
 * the event, so it counts as older.
 */
export function endOfSecond(seconds: number): number {
  return Number.isInteger(seconds) ? seconds * 1000 + 999 : Math.floor(seconds * 1000)
}
