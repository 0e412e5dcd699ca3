/** Ways in and limits, in the words of `countersign check`. */
import { defaultLimits, type SubjectCap } from 'countersign'
import type { AcceptConfig, GuardConfig, IssuerConfig } from '../server/config-types.ts'
import { writeDuration } from './duration.ts'

const placeWords: Readonly<Record<string, string>> = {
  query: 'in the query (?ticket=)',
  'first-message': 'as first message',
  subprotocol: 'among the subprotocols',
  bearer: 'as Authorization: Bearer',
  basic: 'as Authorization: Basic',
  cookie: 'by the site’s cookie',
  'frame-cookie': 'by a cookie that a hidden frame gets for a ticket',
}

type Explain = {
  readonly [M in AcceptConfig['method']]: (
    accept: Extract<AcceptConfig, { method: M }>,
    guard: string,
  ) => string
}

const words: Explain = {
  ticket: ({ from }, guard) => `single-use tickets for "${guard}", at most 30 s old, ${places(from)}`,
  session: ({ from }) => `login sessions of the site, ${places(from)}`,
  jwt: ({ from, issuer, audience, algorithms }, guard) =>
    `JWTs of ${issuer ?? 'the site itself'} for "${audience ?? guard}" (${(algorithms ?? ['EdDSA']).join(', ')}), ${places(from)}`,
  password: ({ from }) => `names and passwords of accounts, ${places(from)}`,
  api_key: ({ from }) => `API keys with the scope connect, ${places(from)}`,
  preauth: () => 'a preauth cookie together with a single-use CSRF token (?csrf=)',
  wampcra: () => 'challenge-response (WAMP-CRA): the secret never travels',
  certificate: ({ authority, fingerprints }) => {
    const listed = Object.keys(fingerprints).length
    const signed =
      authority === undefined ? [] : [`signed by ${authority}, the common name being the subject`]
    return `client certificates ${[...signed, ...(listed === 0 ? [] : [`${listed} listed by fingerprint`])].join(', and ')}`
  },
}

/** One way in, as the end of "Lets in: …". */
export function explainAccept(accept: AcceptConfig, guard: string): string {
  // The row is chosen by the very member that decides the type of its argument.
  const explain = words[accept.method] as (accept: AcceptConfig, guard: string) => string
  return explain(accept, guard)
}

/** Whose word ends what, as sentences. */
export function explainIssuer({ issuer, algorithms, audience, maxAgeMs, ...rest }: IssuerConfig): string {
  const names = audience.map((one) => `"${one}"`).join(' or ')
  const about = [issuer, ...rest.subjectIssuers].join(', ')
  const ends =
    rest.logoutEnds === 'session' ? 'the session that it names' : 'all that is older of its subject'
  return `${issuer} ends what rests on tokens of ${about}, by logout tokens and security events for ${names} (${algorithms.join(', ')}) that are at most ${writeDuration(maxAgeMs)} old; a logout ends ${ends}`
}

function places(from: readonly string[]): string {
  return from.map((place) => placeWords[place] ?? place).join(' or ')
}

/** Tokens with signatures are long: where they are taken, more bytes may arrive. */
const maxBytesForJwt = 16_384

/** The limits that matter most, with the defaults where nothing is configured. */
export function explainLimits({
  accept,
  limits,
  perSubject,
}: Pick<GuardConfig, 'accept' | 'limits' | 'perSubject'>): string {
  const { deadlineMs, maxMessages, maxLeaseMs, graceMs, pool } = defaultLimits
  const maxBytes = accept.some(({ method }) => method === 'jwt') ? maxBytesForJwt : defaultLimits.maxBytes
  const total = limits?.pool?.total ?? pool.total
  const perSource = limits?.pool?.perSource ?? pool.perSource
  return [
    `who is not accepted within ${writeDuration(limits?.deadlineMs ?? deadlineMs)} is gone`,
    `${limits?.maxBytes ?? maxBytes} bytes in ${limits?.maxMessages ?? maxMessages} messages before that`,
    `${total} waiting at once, ${perSource} from one address`,
    `a lease lasts ${writeDuration(limits?.maxLeaseMs ?? maxLeaseMs)} at most, and ${writeDuration(limits?.graceMs ?? graceMs)} beyond its expiry`,
    ...(perSubject === undefined ? [] : [explainCap(perSubject)]),
  ].join('; ')
}

function explainCap({ most, whenFull }: SubjectCap): string {
  const connections = most === 1 ? 'one connection' : `${most} connections`
  return `${connections} a subject, one more ${whenFull === 'reject' ? 'is refused' : 'replaces the oldest'}`
}
