/**
 * A receiver of security events: OpenID Connect Back-Channel Logout 1.0 and pushed Security Event Tokens (RFC 8935). What an
 * identity provider ends, ends here: sessions, and the sockets that came of them.
 */
import { findSpent, hash, putSpent } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { OutageError } from '../core/errors.ts'
import type { SpentRow } from '../core/records.ts'
import type { RevokeOptions } from '../core/revocation.ts'
import { findFormMember, maxFormLength } from '../wire/form.ts'
import type { EventAct } from './event-acts.ts'
import { eventRules, type EventRules, type OwnNames, type SecurityEventsOptions } from './event-options.ts'
import { readEventToken, type EventRefusal, type EventToken, type EventTokenKind } from './event-token.ts'
import { grantName } from './grant-names.ts'
import { readLogout } from './logout-token.ts'
import { readSecurityEvent } from './security-event.ts'

/** What to answer, whatever the framework. */
export interface EventAnswer {
  readonly status: 200 | 202 | 400 | 415 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The receiver. Put it behind two routes, or one. */
export interface SecurityEvents {
  /**
   * Judges one POST and does what it asks for. Never throws and never rejects: what fails is in the guard's journal, and
   * the sender is told to come again.
   * @param body as text: a form with `logout_token`, or a token. Bound it where it is read, to 32 KiB
   * @param contentType of the request: `application/x-www-form-urlencoded` or `application/secevent+jwt`, nothing else
   * @param from address of the sender, for the journal
   */
  receive(body: string, contentType: string | undefined, from?: string): Promise<EventAnswer>
}

/** How a request ended. */
type Outcome = EventRefusal | 'done' | 'replayed' | 'outage'

/** Everything that a request needs. */
interface Receiver {
  readonly options: SecurityEventsOptions
  readonly rules: EventRules
}

/** A token that was verified and not seen before. */
interface Fresh {
  readonly acts: readonly EventAct[]
  readonly spent: SpentRow
}

/** Most names of the application's own for one of an issuer's. */
const maxNames = 256

/**
 * Builds a receiver over a guard. A token counts once: it is remembered, in the guard's records, for as long as it could be
 * shown again. It is remembered after its effect, so that one whose effect failed may come again.
 *
 * @throws MisuseError when an option is missing or impossible, or the names of two issuers could be mistaken
 */
export function securityEvents(options: SecurityEventsOptions): SecurityEvents {
  const receiver = { options, rules: eventRules(options) }
  return {
    async receive(body, contentType, from) {
      const kind = kinds.get(mediaTypeOf(contentType))
      if (kind === undefined) return unsupported
      const outcome = await take(receiver, kind, body)
      if (outcome !== 'done') noteRefusal(receiver, { kind, outcome, from })
      return kind === 'logout_token' ? answerLogout(outcome) : answerEvent(outcome)
    },
  }
}

const kinds: ReadonlyMap<string, EventTokenKind> = new Map<string, EventTokenKind>([
  ['application/x-www-form-urlencoded', 'logout_token'],
  ['application/secevent+jwt', 'secevent'],
])

/** Parameters aside (RFC 9110 §8.3.1). */
function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1).join('').trim().toLowerCase()
}

async function take(receiver: Receiver, kind: EventTokenKind, body: string): Promise<Outcome> {
  const { guard } = receiver.options
  try {
    const text = body.length > maxFormLength ? undefined : tokenOf(kind, body)
    if (text === undefined) return 'invalid_request'
    const now = guard.now()
    const turn = await guard.converse(judge(receiver, kind, { text, now }))
    const fresh = turn.kind === 'done' ? turn.value : 'invalid_request'
    if (typeof fresh === 'string') return fresh
    for (const act of fresh.acts) {
      const refusal = await perform(receiver, act)
      if (refusal !== undefined) return refusal
    }
    // Of two at once both have had their effect, which is the same; one is the first.
    const first = await guard.converse(putSpent(fresh.spent))
    return first.kind === 'done' && first.value ? 'done' : 'replayed'
  } catch (error) {
    guard.failed(error)
    return 'outage'
  }
}

function tokenOf(kind: EventTokenKind, body: string): string | undefined {
  if (kind === 'secevent') return body
  const member = findFormMember(body, 'logout_token')
  return member.kind === 'found' ? member.value : undefined
}

/** What a token asks for, if it is genuine, meant for us, timely, of the right kind, and new. */
function* judge(
  { rules }: Receiver,
  kind: EventTokenKind,
  { text, now }: { readonly text: string; readonly now: number },
): Talk<Fresh | EventRefusal | 'replayed'> {
  const token = yield* readEventToken(text, kind, { rules, now })
  if (typeof token === 'string') return token
  const acts = kind === 'logout_token' ? readLogout(token) : readSecurityEvent(token, rules.understandsOthers)
  if (typeof acts === 'string') return acts
  const key = yield* hash(JSON.stringify([kind, token.issuer.issuer, token.id]))
  if (yield* findSpent(key)) return 'replayed'
  return { acts: [acts].flat(), spent: { key, usedAtMs: now, untilMs: untilOf(token, rules) } }
}

/** From then on `iat` refuses it, however the clock of its issuer runs. */
function untilOf(token: EventToken, { toleranceMs }: EventRules): number {
  return token.issuedAtMs + token.issuer.maxAgeMs + toleranceMs
}

async function perform({ options, rules }: Receiver, act: EventAct): Promise<EventRefusal | undefined> {
  const { guard, isExpectedState, onStream } = options
  if (act.kind === 'verification') {
    const expected = (await isExpectedState?.(act.issuer, act.stream, act.state)) ?? true
    return expected ? undefined : 'invalid_state'
  }
  if (act.kind === 'stream') {
    if (act.status !== 'enabled') guard.note({ kind: 'error', detail: `event stream ${act.status}` })
    onStream?.(act.issuer, act.stream, act.status)
    return undefined
  }
  // The issuer's clock stamps its tokens and its events alike: where it is ahead, both are.
  const clockToleranceMs = rules.toleranceMs + 999
  const timing = 'beforeMs' in act ? { issuedBeforeMs: act.beforeMs, clockToleranceMs } : {}
  for (const target of await targetsOf(options, act)) {
    guard.note({ kind: 'revoked', detail: act.word })
    await guard.revoke(target, act.reason, timing)
  }
  return undefined
}

/** What the act names, as it is called here. */
async function targetsOf(
  { names = 'plain', subjectOf, sessionOf, identifierOf }: SecurityEventsOptions,
  act: Exclude<EventAct, { readonly kind: 'verification' | 'stream' }>,
): Promise<readonly RevokeOptions[]> {
  if (act.kind === 'identifier') {
    return listOf(await identifierOf?.(act.issuer, act.identifier)).map((subject) => ({ subject }))
  }
  const called = grantName(names, act.issuer, act.name)
  if (act.kind === 'token') return [{ token: called }]
  if (act.kind === 'session') {
    const own = sessionOf === undefined ? called : await sessionOf(act.issuer, act.name)
    return listOf(own).map((session) => ({ session }))
  }
  const own = subjectOf === undefined ? called : await subjectOf(act.issuer, act.name)
  return listOf(own).map((subject) => ({ subject }))
}

/** @throws OutageError for more than is done in one request: half of it must not pass for all */
function listOf(own: OwnNames): readonly string[] {
  const list = own === undefined ? [] : [own].flat()
  if (list.length > maxNames) throw new OutageError('overloaded', 'securityEvents: too many names for one')
  return list
}

/** Constant words: what a token said is in no journal. */
function noteRefusal(
  { options }: Receiver,
  {
    kind,
    outcome,
    from,
  }: { readonly kind: EventTokenKind; readonly outcome: Outcome; readonly from: string | undefined },
): void {
  const reason = outcome === 'outage' ? 'internal' : 'invalid_credential'
  options.guard.note({ kind: 'refused', reason, detail: `${kind} ${outcome}`, remoteAddress: from })
}

const noStore = { 'cache-control': 'no-store' } as const
const json = { ...noStore, 'content-type': 'application/json' } as const
const unsupported: EventAnswer = { status: 415, headers: noStore, body: '' }
const unavailable: EventAnswer = { status: 503, headers: { ...noStore, 'retry-after': '5' }, body: '' }

/** Back-Channel Logout 1.0 §2.8. One word for everything that is wrong; a token that was seen is wrong (§2.6). */
function answerLogout(outcome: Outcome): EventAnswer {
  if (outcome === 'done') return { status: 200, headers: noStore, body: '' }
  if (outcome === 'outage') return unavailable
  return { status: 400, headers: json, body: JSON.stringify({ error: 'invalid_request' }) }
}

/** The words of the registry of RFC 8935 §7.1, for people. */
const descriptions: Readonly<Record<EventRefusal, string>> = {
  invalid_request: 'Not a security event token of the kind that is taken here',
  invalid_key: 'The key or the signature is not accepted',
  invalid_issuer: 'The issuer is not accepted',
  invalid_audience: 'The token is for another audience',
  access_denied: 'The issuer may not speak for this subject',
  invalid_state: 'The state is not the one that was expected',
}

/** RFC 8935 §2.2, §2.3. A token that was seen is answered as if it had not been (§2). */
function answerEvent(outcome: Outcome): EventAnswer {
  if (outcome === 'done' || outcome === 'replayed') return { status: 202, headers: noStore, body: '' }
  if (outcome === 'outage') return unavailable
  const body = JSON.stringify({ err: outcome, description: descriptions[outcome] })
  return { status: 400, headers: { ...json, 'content-language': 'en' }, body }
}
