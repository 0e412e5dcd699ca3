/** The one conversation that every connection attempt goes through: deny by default, at one choke point. */
import { findMark, hear } from './ask.ts'
import type { Credential, HelloCredential, ReplyForm } from './credential.ts'
import type { Talk } from './drive.ts'
import { OutageError } from './errors.ts'
import type { Caller, Handshake } from './handshake.ts'
import type { Lease } from './lease.ts'
import type { Method } from './method.ts'
import { reasons, type Reason } from './reasons.ts'
import type { Mark } from './records.ts'
import { findCredential, type Places } from './search.ts'
import { deny, type Accept, type Deny, type Verdict } from './verdict.ts'

/** What a guard answers to a knock. */
export type Decision = Accepted | Refused

/** Let in: bind the lease to the socket (`lease.hold`), then open it (`lease.open`); `lease.leave` when the socket is gone. */
export interface Accepted {
  readonly kind: 'accepted'
  readonly lease: Lease
  readonly method: string
  /** Frame that acknowledges the credential, by the form in which it came; `bare`: none. */
  readonly reply: ReplyForm
}

/** Kept out. */
export interface Refused {
  readonly kind: 'refused'
  readonly reason: Reason
  /** How long the peer should wait, ms, where that is known better than the table does. */
  readonly retryAfterMs: number | undefined
  /** How to say it: by HTTP status, or by accepting and closing, which is all that a browser can see. */
  readonly tell: 'http' | 'close'
  /** Frame form of the credential that was refused. */
  readonly reply: ReplyForm
}

/** How refusals of credentials are told. `auto`: by closing to browsers, by HTTP to everyone else. */
export type RefusalStyle = 'auto' | 'http' | 'close'

/** What the conversation needs of its guard. */
export interface Gatekeeper {
  readonly places: Places
  readonly audience: string
  readonly refusals: RefusalStyle
  /** Whether a credential that works for whoever overhears it may travel on this connection. */
  mayCarryBearer(handshake: Handshake): boolean
  /** Registers a lease that is not open yet. */
  register(accepted: Accept, caller: Caller): Lease
  /** Whether one more of this subject may be connected; where the oldest gives way, it has ended by then. */
  makeRoom(lease: Lease): boolean
  /** Does to a lease what a mark that was found says. */
  enforce(lease: Lease, mark: Mark): void
  /** Tells the journal about a throw; the class of the error, never its message, leaves. */
  failed(error: unknown): void
}

/** A verdict with what the answer to it needs: who judged, in which form, and when. */
interface Judged {
  readonly verdict: Verdict
  readonly method: string
  readonly form: ReplyForm
  readonly now: number
}

/** When an attempt began, and what the peer has said by then: its first message, or nothing yet. */
interface Beginning {
  readonly now: number
  readonly message: string | undefined
}

/** Judges one attempt. Never throws: outages become `internal`. */
export function admit(keeper: Gatekeeper, handshake: Handshake, beginning: Beginning): Talk<Decision> {
  return decide(keeper, handshake, judgeAttempt(keeper, handshake, beginning))
}

/** Judges an attempt whose credential came in a message of its protocol. Never throws, as `admit`. */
export function admitHello(
  keeper: Gatekeeper,
  handshake: Handshake,
  opening: { readonly hello: HelloCredential; readonly now: number },
): Talk<Decision> {
  return decide(keeper, handshake, judgeHello(keeper, handshake, opening))
}

/** The one way to a lease: a verdict, its registration, and the marks that may have been written meanwhile. */
function* decide(keeper: Gatekeeper, handshake: Handshake, judging: Talk<Judged>): Talk<Decision> {
  let form: ReplyForm = 'bare'
  let lease: Lease | undefined
  const refused = (why: Deny): Refused => ({ ...refuse(keeper, handshake, why), reply: form })
  try {
    const judged = yield* judging
    form = judged.form
    if (judged.verdict.kind === 'deny') return refused(judged.verdict)
    lease = keeper.register(judged.verdict, handshake)
    const mark = yield* findMark(lease.grant, lease.id, lease)
    if (mark !== undefined) keeper.enforce(lease, mark)
    if (lease.ended) return refused(deny(whyNot(lease)))
    if (!keeper.makeRoom(lease)) {
      lease.leave()
      return refused(deny('too_many_connections'))
    }
    return { kind: 'accepted', lease, method: judged.method, reply: form }
  } catch (error) {
    keeper.failed(error)
    lease?.leave()
    return refused(
      deny(error instanceof OutageError && error.code === 'overloaded' ? 'overloaded' : 'internal'),
    )
  }
}

/** Judges a fresh credential without opening anything: how a lease is refreshed. */
export function* rejudge(keeper: Gatekeeper, handshake: Handshake, now: number): Talk<Verdict> {
  try {
    return (yield* judgeAttempt(keeper, handshake, { now, message: undefined })).verdict
  } catch (error) {
    keeper.failed(error)
    return deny('internal')
  }
}

/** As `rejudge`, for a credential that comes in a message of its protocol, with the challenges that belong to it. */
export function* rejudgeHello(
  keeper: Gatekeeper,
  handshake: Handshake,
  opening: { readonly hello: HelloCredential; readonly now: number },
): Talk<Verdict> {
  try {
    return (yield* judgeHello(keeper, handshake, opening)).verdict
  } catch (error) {
    keeper.failed(error)
    return deny('internal')
  }
}

/** A refusal in the words that this client can see. */
export function refuse(
  keeper: Pick<Gatekeeper, 'refusals'>,
  handshake: Handshake,
  why: { readonly reason: Reason; readonly retryAfterMs?: number | undefined },
): Refused {
  const row = reasons[why.reason]
  const visible = keeper.refusals === 'auto' ? handshake.origin !== undefined : keeper.refusals === 'close'
  const tell = row.tellBrowser && row.close !== undefined && visible ? 'close' : 'http'
  return { kind: 'refused', reason: why.reason, retryAfterMs: why.retryAfterMs, tell, reply: 'bare' }
}

/** Handshake before first message: a credential in the handshake decides, and nothing is waited for. */
function* judgeAttempt(keeper: Gatekeeper, handshake: Handshake, beginning: Beginning): Talk<Judged> {
  const { now } = beginning
  const finding = findCredential(keeper.places, handshake)
  if (finding.kind === 'refused') return refusedWith(finding.reason, now)
  if (finding.kind === 'credential') {
    const { carrier, methods } = finding.place
    if (carrier.bearer && !keeper.mayCarryBearer(handshake)) return refusedWith('insecure_transport', now)
    return yield* judgeBy(methods, { keeper, handshake, now, credential: finding.credential })
  }
  return yield* judgeFirstMessage(keeper, handshake, beginning)
}

/**
 * Without a credential in the handshake the peer has the word, where the guard listens to first messages at
 * all. A place that this connection may not use (cleartext, no Origin) does not listen.
 */
function* judgeFirstMessage(
  keeper: Gatekeeper,
  handshake: Handshake,
  { now, message }: Beginning,
): Talk<Judged> {
  const places = keeper.places.message
  if (!places.some((place) => usable(keeper, handshake, place.carrier))) {
    return refusedWith(places.length === 0 ? 'missing_credential' : unusable(keeper, handshake), now)
  }
  const heard = message === undefined ? yield* hear(undefined) : { text: message, now }
  for (const place of places) {
    if (!usable(keeper, handshake, place.carrier)) continue
    const search = place.carrier.read(heard.text)
    if (search.kind === 'absent') continue
    if (search.kind === 'malformed') return refusedWith('invalid_credential', heard.now)
    return yield* judgeBy(place.methods, { keeper, handshake, now: heard.now, credential: search.value })
  }
  return refusedWith('missing_credential', heard.now)
}

/**
 * The peer's methods in its own order: the first that is configured, may be used on this connection and finds what it
 * needs in the opening judges (WAMP, basic profile, `authmethods`). Unknown names are passed over.
 */
function* judgeHello(
  keeper: Gatekeeper,
  handshake: Handshake,
  { hello, now }: { readonly hello: HelloCredential; readonly now: number },
): Talk<Judged> {
  let last = refusedWith('no_matching_method', now)
  for (const name of hello.methods) {
    const credential = { ...hello, methods: [name], offered: hello.methods }
    const place = keeper.places.hello.find(({ methods }) => methods.some((one) => one.recognises(credential)))
    if (place === undefined) continue
    if (place.carrier.bearer && !keeper.mayCarryBearer(handshake)) {
      last = refusedWith('insecure_transport', now)
      continue
    }
    const judged = yield* judgeBy(place.methods, { keeper, handshake, now, credential })
    if (judged.verdict.kind === 'accept' || judged.verdict.reason !== 'missing_credential') return judged
    last = judged
  }
  return last
}

interface Attempt {
  readonly keeper: Gatekeeper
  readonly handshake: Handshake
  readonly now: number
  readonly credential: Credential
}

/**
 * The first method that recognises the credential judges it. There is no second opinion: a ticket that one
 * method has taken and refused must not be tried at another.
 */
function* judgeBy(methods: readonly Method[], attempt: Attempt): Talk<Judged> {
  const { credential, handshake, keeper, now } = attempt
  const form =
    credential.kind === 'token' ? credential.form : credential.kind === 'hello' ? 'challenge' : 'bare'
  const method = methods.find((one) => one.recognises(credential))
  if (method === undefined) return { verdict: deny('invalid_credential'), method: 'none', form, now }
  const proof = method.csrf?.find(handshake)
  const proofText = proof?.kind === 'found' && proof.value.kind === 'token' ? proof.value.text : undefined
  const verdict = yield* method.judge({
    credential,
    proof: proofText,
    handshake,
    audience: keeper.audience,
    now,
  })
  return { verdict, method: method.name, form, now }
}

/** Whether a first message may bring its credential on this connection. */
function usable(
  keeper: Gatekeeper,
  handshake: Handshake,
  carrier: { readonly absentOrigin: string; readonly bearer: boolean },
): boolean {
  if (handshake.origin === undefined && carrier.absentOrigin === 'refuse') return false
  return !carrier.bearer || keeper.mayCarryBearer(handshake)
}

function unusable(keeper: Gatekeeper, handshake: Handshake): Reason {
  return keeper.mayCarryBearer(handshake) ? 'forbidden_origin' : 'insecure_transport'
}

/** A revoked credential is told like a wrong one; what says nothing about the credential is told as it is. */
function whyNot(lease: Lease): Reason {
  const { reason } = lease
  return reason === 'shutting_down' || reason === 'superseded' ? reason : 'invalid_credential'
}

function refusedWith(reason: Reason, now: number): Judged {
  return { verdict: deny(reason), method: 'none', form: 'bare', now }
}
