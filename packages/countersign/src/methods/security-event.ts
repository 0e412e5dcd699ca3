/** Events of the Continuous Access Evaluation Profile and of the stream itself, as what they ask for. */
import { isJsonObject, type JsonObject } from '../wire/json.ts'
import type { EventAct } from './event-acts.ts'
import type { StreamStatus } from './event-options.ts'
import { eventTime, readSubject, type SubjectContext } from './event-subject.ts'
import type { EventRefusal, EventToken } from './event-token.ts'
import { isName, isSecondsOrAbsent } from './jwt-claims.ts'

/** What a reader of one event is given. */
interface Given {
  readonly token: EventToken
  readonly event: JsonObject
  readonly understandsOthers: boolean
}

/** What one event asks for; `undefined`: nothing that could be done here. */
type Reader = (given: Given) => EventAct | EventRefusal | undefined

const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/'

/** Events by their URI. What has no row is acknowledged, and has no effect. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [`${caep}session-revoked`, (given) => readEnding(given, 'session-revoked', 'session')],
  [`${caep}token-claims-change`, readClaimsChange],
  [`${caep}credential-change`, readCredentialChange],
  [`${ssf}verification`, readVerification],
  [`${ssf}stream-updated`, readStreamUpdated],
])

/**
 * What a verified security event token asks for, or why it is refused. An event about a subject has the subject in `sub_id`,
 * and no `sub` beside it (Shared Signals Framework 1.0 §4.1.2).
 */
export function readSecurityEvent(
  token: EventToken,
  understandsOthers: boolean,
): readonly EventAct[] | EventRefusal {
  const acts: EventAct[] = []
  for (const [uri, event] of Object.entries(token.events)) {
    const reader = readers.get(uri)
    if (reader === undefined) continue
    if (token.payload['sub'] !== undefined) return 'invalid_request'
    const act = reader({ token, event, understandsOthers })
    if (typeof act === 'string') return act
    if (act !== undefined) acts.push(act)
  }
  return acts
}

/** Who may be named as the cause of an event (CAEP 1.0 §2); of anything else the journal hears nothing. */
const entities: readonly unknown[] = ['admin', 'user', 'policy', 'system']

/** Ends what the subject names, as it was when the event took place. */
function readEnding(
  { token, event, understandsOthers }: Given,
  name: string,
  about: SubjectContext['about'],
): EventAct | EventRefusal {
  const { event_timestamp: at, initiating_entity: entity } = event
  if (!isSecondsOrAbsent(at)) return 'invalid_request'
  return readSubject(token.payload['sub_id'], {
    issuer: token.issuer,
    reason: 'revoked',
    word: typeof entity === 'string' && entities.includes(entity) ? `${name} by ${entity}` : name,
    beforeMs: eventTime(at, token.issuedAtMs),
    understandsOthers,
    about,
  })
}

/** CAEP 1.0 §3.2: a token that says something that is no longer so is as good as none. Its holder gets a fresh one. */
function readClaimsChange(given: Given): EventAct | EventRefusal {
  if (!isJsonObject(given.event['claims'])) return 'invalid_request'
  return readEnding(given, 'token-claims-change', 'user')
}

const changes: readonly unknown[] = ['create', 'revoke', 'update', 'delete']
/** Credentials that one knows: who changes one may do so because somebody else knows it, too. */
const known: readonly unknown[] = ['password', 'pin']

/**
 * CAEP 1.0 §3.3: what was entered with a credential that is gone ends; a new one, or a device that was renamed, ends
 * nothing. Which credential opened a session is not known here, so all of the user's sessions of before end.
 */
function readCredentialChange(given: Given): EventAct | EventRefusal | undefined {
  const { credential_type: type, change_type: change } = given.event
  if (!isName(type) || !isName(change) || !changes.includes(change)) return 'invalid_request'
  const gone = change === 'revoke' || change === 'delete' || (change === 'update' && known.includes(type))
  return gone ? readEnding(given, 'credential-change', 'user') : undefined
}

/** Shared Signals Framework 1.0 §8.1.4.1. */
function readVerification({ token, event: { state } }: Given): EventAct | EventRefusal {
  const stream = streamOf(token)
  if (stream === undefined || (state !== undefined && typeof state !== 'string')) return 'invalid_request'
  return { kind: 'verification', issuer: token.issuer.issuer, stream, state }
}

const statuses: readonly StreamStatus[] = ['enabled', 'paused', 'disabled']

/** Shared Signals Framework 1.0 §8.1.5. */
function readStreamUpdated({ token, event }: Given): EventAct | EventRefusal {
  const stream = streamOf(token)
  const status = statuses.find((one) => one === event['status'])
  if (stream === undefined || status === undefined) return 'invalid_request'
  return { kind: 'stream', issuer: token.issuer.issuer, stream, status }
}

/** A stream is the opaque subject of its own events. */
function streamOf({ payload }: EventToken): string | undefined {
  const subject = payload['sub_id']
  if (!isJsonObject(subject) || subject['format'] !== 'opaque') return undefined
  return isName(subject['id']) ? subject['id'] : undefined
}
