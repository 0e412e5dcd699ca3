/** `countersign/methods`: every way to prove oneself. */
export { anonymous, type AnonymousOptions } from './anonymous.ts'
export { apiKey, type ApiKeyMethodOptions } from './api-key.ts'
export { applicationSession, type ApplicationSessionOptions } from './application-session.ts'
export { certificate, type CertificateMethodOptions, type CertificateSubject } from './certificate.ts'
export { cryptosign, type CryptosignOptions } from './cryptosign.ts'
export { cryptosignPrincipals, type CryptosignFound, type CryptosignPrincipal } from './cryptosign-sources.ts'
export { issuerName, type GrantNames } from './grant-names.ts'
export { hmacSecret, jwks, jwt, localJwks } from './jwt.ts'
export type {
  Jwk,
  JwksFetch,
  JwksOptions,
  JwtAlgorithm,
  JwtClaimNames,
  JwtOptions,
  KeySource,
  LocalJwksOptions,
} from './jwt.ts'
export { normaliseUsername, password, type PasswordMethodOptions } from './password.ts'
export { scram, type ScramOptions } from './scram.ts'
export { normalisePublicKey } from './public-key.ts'
export {
  scramPrincipals,
  type ScramFound,
  type ScramKdf,
  type ScramPrincipal,
  type ScramShape,
} from './scram-sources.ts'
export { secondFactor } from './second-factor.ts'
export { securityEvents, type EventAnswer, type SecurityEvents } from './security-events.ts'
export type {
  EventGuard,
  EventIssuer,
  OwnNames,
  SecurityEventsOptions,
  StreamStatus,
} from './event-options.ts'
export { preauth, session, type PreauthMethodOptions, type SessionMethodOptions } from './session.ts'
export { ticket, type TicketMethodOptions } from './ticket.ts'
export {
  dynamicAuthenticator,
  functionAuthenticator,
  type AuthenticatorDetails,
  type AuthenticatorFunction,
  type CallOutcome,
  type CallProcedure,
  type DynamicAuthenticatorOptions,
} from './wamp-authenticator.ts'
export {
  memoryCookies,
  type CookieStore,
  type CookieStoreOptions,
  type Remembered,
} from '../core/remembered.ts'
export { wampCookie, type WampCookieOptions } from './wamp-cookie.ts'
export {
  accounts,
  type Accounts,
  type Authenticator,
  type PrincipalSource,
  type SourceOption,
  type Surroundings,
} from './wamp-source.ts'
export { type Who } from './wamp-who.ts'
export { ticketPrincipals, wampTicket, type TicketPrincipal, type WampTicketOptions } from './wamp-ticket.ts'
export { tlsPrincipals, wampTls, type TlsPrincipal, type WampTlsOptions } from './wamp-tls.ts'
export { wampcra, type WampcraOptions } from './wampcra.ts'
export {
  wampcraUsers,
  type CraFound,
  type CraShape,
  type WampcraUser,
  type WampcraUsers,
} from './wampcra-sources.ts'
