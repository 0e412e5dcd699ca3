/** Subject identifiers (RFC 9493; complex ones and `jwt_id`: OpenID Shared Signals Framework 1.0 §3): whom an event means. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../wire/json.ts'
import type { EventAct } from './event-acts.ts'
import type { IssuerRules } from './event-options.ts'
import { endOfSecond, type EventRefusal } from './event-token.ts'
import { isName } from './jwt-claims.ts'

/** What is known of the event besides its subject. */
export interface SubjectContext {
  readonly issuer: IssuerRules
  readonly reason: 'revoked'
  readonly word: string
  readonly beforeMs: number
  /** Whether the application understands other formats. */
  readonly understandsOthers: boolean
  /** What the event is about when it does not say: the identifier of a session, or of somebody. */
  readonly about: 'session' | 'user'
}

/** Most identifiers of one subject. */
const maxAliases = 16

/**
 * Whom an event means. Members of a complex subject that stand for nothing here (device, tenant, …) are passed over: then
 * more ends than was meant, and never less.
 *
 * @returns `access_denied` for names of an issuer for whom this one may not speak; `invalid_request` for what cannot be followed:
 * acknowledged in silence it would be a revocation that did not happen
 */
export function readSubject(value: Json | undefined, context: SubjectContext): EventAct | EventRefusal {
  if (!isJsonObject(value)) return 'invalid_request'
  if (value['format'] !== 'complex') return readSimple(value, context)
  const { session, user } = value
  const inSession = context.about === 'session' ? readMember(session, context) : undefined
  if (inSession !== undefined && inSession !== 'invalid_request' && !isOfSubject(inSession)) return inSession
  return readMember(user, { ...context, about: 'user' }) ?? 'invalid_request'
}

/** A session is no person, even if it is written like one. */
function isOfSubject(act: EventAct | EventRefusal): boolean {
  return typeof act !== 'string' && (act.kind === 'subject' || act.kind === 'identifier')
}

function readMember(value: Json | undefined, context: SubjectContext): EventAct | EventRefusal | undefined {
  if (value === undefined) return undefined
  return isJsonObject(value) ? readSimple(value, context) : 'invalid_request'
}

function readSimple(identifier: JsonObject, context: SubjectContext): EventAct | EventRefusal {
  const { format, iss, sub, jti, id } = identifier
  const { issuer, reason, word, beforeMs } = context
  if (typeof format !== 'string') return 'invalid_request'
  switch (format) {
    case 'iss_sub':
      if (!isName(sub) || typeof iss !== 'string') return 'invalid_request'
      if (!issuer.speaksFor.has(iss)) return 'access_denied'
      return { kind: 'subject', issuer: iss, name: sub, reason, word, beforeMs }
    case 'jwt_id':
      if (!isName(jti) || typeof iss !== 'string') return 'invalid_request'
      if (!issuer.speaksFor.has(iss)) return 'access_denied'
      return { kind: 'token', issuer: iss, name: jti, reason, word }
    case 'aliases':
      return readAliases(identifier, context)
    case 'opaque':
      if (!isName(id)) return 'invalid_request'
      if (context.about === 'session')
        return { kind: 'session', issuer: issuer.issuer, name: id, reason, word }
      return readOther(identifier, context)
    default:
      return readOther(identifier, context)
  }
}

/** RFC 9493 §3.2.8: several names of one subject; the first by which it is known here. They nest no further. */
function readAliases({ identifiers }: JsonObject, context: SubjectContext): EventAct | EventRefusal {
  if (!isJsonArray(identifiers) || identifiers.length > maxAliases) return 'invalid_request'
  let worst: EventRefusal = 'invalid_request'
  for (const one of identifiers) {
    if (!isJsonObject(one) || one['format'] === 'aliases') return 'invalid_request'
    const act = readSimple(one, context)
    if (typeof act !== 'string') return act
    if (act === 'access_denied') worst = act
  }
  return worst
}

/** A format that says nothing to this library. */
function readOther(identifier: JsonObject, context: SubjectContext): EventAct | EventRefusal {
  const { issuer, reason, word, beforeMs, understandsOthers } = context
  if (!isName(identifier['format']) || !understandsOthers) return 'invalid_request'
  return { kind: 'identifier', issuer: issuer.issuer, identifier, reason, word, beforeMs }
}

/** When an event took place (`event_timestamp`, seconds), but never after its token was issued. */
export function eventTime(seconds: number | undefined, issuedAtMs: number): number {
  return seconds === undefined ? issuedAtMs : Math.min(endOfSecond(seconds), issuedAtMs)
}
