/** Two proofs for one session: both conversations are held on one opening, one after the other. */
import { random } from '../core/ask.ts'
import type { Carrier } from '../core/carrier.ts'
import type { HelloCredential } from '../core/credential.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { Method, Shown } from '../core/method.ts'
import type { Grant } from '../core/principal.ts'
import type { Reason } from '../core/reasons.ts'
import { accept, deny, type Accept, type Verdict } from '../core/verdict.ts'

/**
 * Accepts whom both methods accept as the same subject. To the client it is the first method with another round: a
 * challenge of the second follows whatever was answered to the first, so that nobody can try one factor alone.
 * Roles, realm and name are those that the first has proved; the lease ends with whichever ends first.
 * @param first a challenge-response method of WAMP: `wampcra`, `ticket`, …
 * @param second likewise, under another name
 * @throws MisuseError when the two are one method, or do not open in one place
 */
export function secondFactor(first: Method, second: Method): Method {
  if (first.name === second.name)
    throw new MisuseError('invalid_option', 'secondFactor: two methods are needed')
  return {
    name: first.name,
    from: placesOfBoth(first, second),
    csrf: undefined,
    needs: [...(first.needs ?? []), ...(second.needs ?? [])],
    recognises: (credential) => first.recognises(credential),
    *judge(shown: Shown): Talk<Verdict> {
      if (shown.credential.kind !== 'hello') return deny('invalid_credential')
      const one = yield* first.judge(shown)
      // Nothing was judged yet: there is nothing to hide by a second round.
      if (one.kind === 'deny' && !judged.has(one.reason)) return one
      const opening = yield* secondOpening(shown.credential, one, second)
      const other = yield* countedApart(second.judge({ ...shown, credential: opening }))
      // Told whatever the first has come to: else whoever locks the second could try the first alone.
      if (other.kind === 'deny' && !judged.has(other.reason)) return other
      if (one.kind === 'deny' || other.kind === 'deny') return deny('invalid_credential')
      return sameSubject(one, other) ? both(one, other) : deny('invalid_credential')
    },
  }
}

/** Refusals that say something about what was shown. */
const judged: ReadonlySet<Reason> = new Set(['invalid_credential', 'expired_credential', 'no_such_role'])

/**
 * Counts the failures of the second factor by themselves: whoever has one factor would otherwise clear, with each login,
 * the failures of guessing the other.
 */
function* countedApart(talk: Talk<Verdict>): Talk<Verdict> {
  try {
    let step = talk.next()
    while (step.done !== true) {
      const need = step.value
      const counts = need.kind === 'attempt' || need.kind === 'attempted'
      let answer: unknown
      try {
        answer = yield counts ? { ...need, identity: `second factor ${need.identity}` } : need
      } catch (outage) {
        step = talk.throw(outage)
        continue
      }
      step = talk.next(answer)
    }
    return step.value
  } finally {
    // Without effect on a conversation that has ended.
    talk.return(deny('missing_credential'))
  }
}

/** The second proof is asked of whoever gave the first; of nobody where that was wrong and named no one. */
function* secondOpening(hello: HelloCredential, one: Verdict, second: Method): Talk<HelloCredential> {
  const listed = hello.offered ?? hello.methods
  // A method may have several names on the wire: the one that the client knows.
  const name = listed.find((name) => second.recognises({ ...hello, methods: [name] })) ?? second.name
  const proved = one.kind === 'accept' ? one.principal.claims['authid'] : undefined
  const authid = typeof proved === 'string' ? proved : (hello.authid ?? (yield* random(15)))
  return { ...hello, authid, methods: [name] }
}

function sameSubject(one: Accept, other: Accept): boolean {
  return one.principal.id === other.principal.id
}

/** Rests upon both: what either was granted under revokes it, the first's where both have a root of one kind. */
function both(one: Accept, other: Accept): Accept {
  const grant: Grant = {
    subject: one.grant.subject,
    roles: one.grant.roles,
    session: one.grant.session ?? other.grant.session,
    token: one.grant.token ?? other.grant.token,
    apiKey: one.grant.apiKey ?? other.grant.apiKey,
    certificate: one.grant.certificate ?? other.grant.certificate,
    serial: one.grant.serial ?? other.grant.serial,
    issuer: one.grant.issuer ?? other.grant.issuer,
    issuedAtMs: Math.min(one.grant.issuedAtMs, other.grant.issuedAtMs),
  }
  return accept({
    principal: one.principal,
    grant,
    untilMs: Math.min(one.untilMs, other.untilMs),
    neverAfterMs: Math.min(one.neverAfterMs, other.neverAfterMs),
    lease: one.lease ?? other.lease,
  })
}

/** Where the first opens; held to the stricter rule where the second's answers are secrets themselves. */
function placesOfBoth(first: Method, second: Method): readonly Carrier[] {
  const bearers = second.from.filter(({ bearer }) => bearer)
  const places = first.from.flatMap((place) =>
    place.bearer ? place : (bearers.find(({ kind }) => kind === place.kind) ?? place),
  )
  const kinds = new Set(second.from.map(({ kind }) => kind))
  if (places.every(({ kind }) => kinds.has(kind))) return places
  throw new MisuseError('invalid_option', 'secondFactor: both methods must open in the same places')
}
