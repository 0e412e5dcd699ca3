/**
 * `countersign/client`: the other end of a guarded socket, for browsers and for Node. A WebSocket that gets a credential
 * for each attempt, keeps its lease alive, and comes back, or does not, as the server advises.
 */
export { CountersignSocket } from './socket.ts'
export { socketClass, type SocketClass } from './socket-class.ts'
export type { SocketOptions } from './socket-options.ts'
export type { ListenerOptions, SocketListener, SocketTarget } from './event-target.ts'
export type { LeaseEvent, ReconnectingEvent, SocketErrorEvent, SocketEventMap } from './events.ts'
export type { BaseEvent, BaseSocket, BaseSocketClass, Surroundings } from './base.ts'
export type {
  Ask,
  Attempt,
  Carrier,
  GetCredential,
  IssuedCredential,
  MaybePromise,
  Talk,
  Target,
} from './carrier.ts'
export { firstMessage, type FirstMessageOptions } from './first-message.ts'
export { preauth, query } from './query.ts'
export { subprotocol } from './subprotocol.ts'
export { clientCertificate, cookie, type CertificateOptions, type RenewAmbient } from './ambient.ts'
export { userinfo } from './userinfo.ts'
export { singleUseUrl } from './single-use-url.ts'
export { frameCookie, type FrameCookieOptions, type FrameElement, type FramePage } from './frame-cookie.ts'
export {
  accessTokenFrom,
  preauthFrom,
  renewLeaseAt,
  secretFrom,
  ticketFrom,
  urlFrom,
  type IssuerAnswer,
  type IssuerOptions,
  type IssuerRequest,
} from './issue.ts'
export {
  sharedCredential,
  type Locks,
  type SharedCredentialOptions,
  type Signals,
} from './shared-credential.ts'
export {
  ConnectionFailed,
  OutboxOverflow,
  RetryLater,
  Unauthorized,
  UnanswerableChallenge,
} from './errors.ts'
export { CredentialMemory } from './memory.ts'
export { adviceAfter, type Ending } from './advice.ts'
export type { Pauses } from './backoff.ts'
export type { OutboxLimits, Sendable } from './outbox.ts'
export type { RenewAsk, RenewLease } from './renewal.ts'
