/** `countersign/wamp`: a WAMP v2 router without sockets, and its codecs. */
export { createAuthority, ruleOf, type RulePattern } from './authorization.ts'
export { closeBatch, openBatch, splitBatch } from './batch.ts'
export { cborCodec } from './cbor-codec.ts'
export type { ByteLender, Codec, CodecOptions, Malformed } from './codec.ts'
export type { ConnectionFacts, ConnectionSettings } from './connection-facts.ts'
export { Connection, type Phase } from './connection.ts'
export { jsonCodec } from './json-codec.ts'
export type * from './messages.ts'
export type { IsMeant, RememberedWho } from './kills.ts'
export { msgpackCodec } from './msgpack-codec.ts'
export type {
  Action,
  AuthorizationSession,
  AuthorizerAnswer,
  AuthorizerFunction,
  AuthorizerOptions,
  HistoryOptions,
  PermissionRule,
  RealmOptions,
  RoleOptions,
  RouterLimits,
  RouterOptions,
} from './options.ts'
export type { Payload, Serialization } from './payload.ts'
export type { RouterPorts, Timer, Transport, TransportIdentity } from './ports.ts'
export { Realm } from './realm.ts'
export { Router } from './router.ts'
export { Session, type Features, type Identity } from './session.ts'
export { isPattern, isReserved, isUri, matches, type Match, type UriCheck } from './uri.ts'
export { noPayload, payloadOf } from './values.ts'
