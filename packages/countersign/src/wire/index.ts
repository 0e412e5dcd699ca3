/**
 * `countersign/wire`: text ⇄ values. Every parser is total and bounded: it answers a value, "absent" or
 * "malformed" for any string, and never throws. Builders throw a TypeError on misuse only.
 */
export { absent, found, malformed, type Found } from './found.ts'
export { decodeBase64, decodeBase64url, encodeBase64, encodeBase64url, isBase64Of16Bytes } from './base64.ts'
export { decodeUtf8, encodeUtf8, fitsUtf8, type Bytes } from './utf8.ts'
export { isJsonArray, isJsonObject, parseJson, type Json, type JsonLimits, type JsonObject } from './json.ts'
export { findSegment, maxSegmentLength, stripSegment } from './path.ts'
export { findParameter, maxParameterLength, maxTargetLength, stripParameters } from './query.ts'
export { maxOriginFormLength, parseTarget, type Target } from './target.ts'
export {
  findCookie,
  maxCookieHeaderLength,
  maxCookieLength,
  serializeCookie,
  stripCookie,
  type CookieAttributes,
} from './cookie.ts'
export {
  maxAuthorizationLength,
  maxBasicPartBytes,
  maxBearerLength,
  parseAuthorization,
  parseBasic,
  parseBearer,
  type Authorization,
  type BasicCredentials,
} from './authorization.ts'
export { basicChallenge, bearerChallenge, type BearerError } from './www-authenticate.ts'
export {
  findBearerSubprotocol,
  maxSubprotocolHeaderLength,
  maxSubprotocols,
  parseSubprotocols,
  stripSubprotocols,
  type BearerSubprotocol,
} from './subprotocol.ts'
export {
  allowsHost,
  allowsOrigin,
  compileHosts,
  compileOrigins,
  parseHost,
  parseOrigin,
  type HostRules,
  type Origin,
  type OriginRules,
} from './origin.ts'
export { closeReason, isValidCloseCode, maxCloseReasonBytes } from './close.ts'
export {
  maxAuthidLength,
  maxMethods,
  parseAuthenticate,
  parseFirstMessage,
  type Authenticate,
  type FirstMessage,
} from './first-message.ts'
export { maxJwsBytes, parseCompactJws, type CompactJws } from './jws.ts'
export { checkUpgrade, type UpgradeRefusal, type UpgradeRequest } from './upgrade.ts'
export { findFormMember, maxFormLength } from './form.ts'
export { isExtensionList, maxExtensionsLength } from './extensions.ts'
export { normalizeAddress, subnetOf, unknownSubnet } from './address.ts'
export {
  clientAddress,
  maxForwardedLength,
  maxHops,
  type ForwardedHeaders,
  type ForwardedOptions,
} from './forwarded.ts'
export {
  findForwardedCertificate,
  maxCertificateBytes,
  maxCertificateHeaderLength,
  otherFamilies,
  parseApacheCertificate,
  parseClientCert,
  parseForwardedClientCert,
  parseNginxCertificate,
  type CertificateFamily,
  type CertificateHeaders,
  type ForwardedCertificate,
} from './client-certificate.ts'
export { transportFacts, withoutSecrets, type TransportSource } from './transport-facts.ts'
