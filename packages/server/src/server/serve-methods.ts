/** The methods of a guard, as its configuration names them. A place or a method more is a row here and in the schema. */
import {
  authorization,
  challengeFrames,
  cookie,
  firstMessage,
  query,
  subprotocol,
  tls,
  type Carrier,
  type HandshakeCarrier,
  type Method,
} from 'countersign'
import {
  apiKey,
  certificate,
  jwks,
  jwt,
  localJwks,
  password,
  preauth,
  session,
  ticket,
  wampcra,
} from 'countersign/methods'
import type {
  AcceptConfig,
  CertificateConfig,
  GuardConfig,
  JwtConfig,
  KeyPlace,
  SessionPlace,
  TicketPlace,
} from './config-types.ts'
import { cookieNames } from './cookies.ts'
import type { KeyRing } from './key-ring.ts'

/** What methods must know of the site and of the guard's address. */
export interface MethodSurroundings {
  /** Issuer of the site's own tokens. */
  readonly siteOrigin: string
  readonly keys: KeyRing
  readonly siteSecure: boolean
  readonly guardSecure: boolean
  /** Issuers whose names are kept apart from those of the site and of each other. */
  readonly namedApart: ReadonlySet<string>
}

/** Parameter in which tickets travel. */
const ticketParameter = 'ticket'
const csrfParameter = 'csrf'

/** Builds the methods. @throws MisuseError when one cannot be built */
export function methodsOf(guard: GuardConfig, around: MethodSurroundings): readonly Method[] {
  return guard.accept.flatMap((accept) => methodOf(accept, guard, around))
}

/**
 * One way in as the library builds it. A session that may travel in several places is several methods: each
 * place has sessions of its own kind.
 */
function methodOf(
  accept: AcceptConfig,
  guard: GuardConfig,
  around: MethodSurroundings,
): Method | readonly Method[] {
  switch (accept.method) {
    case 'ticket':
      return ticket({ from: accept.from.map(tokenPlace) })
    case 'session':
      return accept.from.map((place) => sessionAt(place, around))
    case 'jwt':
      return jwtOf(accept, guard, around)
    case 'password':
      return password({ from: authorization('Basic') })
    case 'api_key':
      return apiKey({ from: accept.from.map(tokenPlace) })
    case 'preauth':
      return preauth({ from: cookie(cookieNames(around.siteSecure).preauth), csrf: query(csrfParameter) })
    case 'wampcra':
      return wampcra({ from: challengeFrames() })
    case 'certificate':
      return certificateOf(accept)
  }
}

const handshakePlaces: Readonly<
  Record<Exclude<TicketPlace | KeyPlace, 'first-message'>, () => HandshakeCarrier>
> = {
  query: () => query(ticketParameter),
  subprotocol,
  bearer: () => authorization('Bearer'),
  basic: () => authorization('Basic'),
}

/** The carrier of a place; where a token travels does not depend on what it is. */
function tokenPlace(place: TicketPlace | KeyPlace): Carrier {
  return place === 'first-message' ? firstMessage() : handshakePlaces[place]()
}

/** Each kind of cookie has its own kind of session, so that one cannot stand in for the other. */
function sessionAt(place: SessionPlace, around: MethodSurroundings): Method {
  if (place === 'first-message') return session({ from: firstMessage(), purposes: ['login', 'alias'] })
  if (place === 'frame-cookie')
    return session({ from: cookie(cookieNames(around.guardSecure).frame), purposes: ['frame'] })
  return session({ from: cookie(cookieNames(around.siteSecure).session) })
}

/** The site's own tokens are verified by its own ring; a foreign issuer's by the keys that it publishes. */
function jwtOf(accept: JwtConfig, guard: GuardConfig, around: MethodSurroundings): Method {
  const from = accept.from.map(tokenPlace)
  const audience = accept.audience ?? guard.name
  const { issuer, algorithms, typ } = accept
  if (issuer === undefined || accept.jwks === undefined || algorithms === undefined) {
    const keys = localJwks(around.keys.jwks())
    return jwt({ from, issuer: around.siteOrigin, audience, algorithms: ['EdDSA'], keys, typ: 'at+jwt' })
  }
  const names = around.namedApart.has(issuer) ? 'issuer' : 'plain'
  return jwt({ from, issuer, audience, algorithms, keys: jwks({ url: accept.jwks }), typ, names })
}

/** Common names are subjects only where an authority was named to vouch for them. */
function certificateOf(accept: CertificateConfig): Method {
  const subjects: NonNullable<Parameters<typeof certificate>[0]['subjects']> = ({ commonName }) =>
    commonName === undefined ? undefined : { subject: commonName, roles: accept.roles }
  return certificate({
    from: tls(),
    fingerprints: accept.fingerprints,
    // Without an authority of its own the TLS server trusts the machine's: none of those may name subjects.
    ...(accept.authority === undefined ? {} : { subjects }),
  })
}
