/** `countersign/methods`: every way to prove oneself. */
export { apiKey, type ApiKeyMethodOptions } from './api-key.ts'
export { applicationSession, type ApplicationSessionOptions } from './application-session.ts'
export { certificate, type CertificateMethodOptions, type CertificateSubject } from './certificate.ts'
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
export { preauth, session, type PreauthMethodOptions, type SessionMethodOptions } from './session.ts'
export { ticket, type TicketMethodOptions } from './ticket.ts'
export { wampcra, type WampcraOptions } from './wampcra.ts'
