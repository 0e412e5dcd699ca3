/** What a connection is given: by its adapter, and by its router. */
import type { JoinRequest } from '../core/credential.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Connection } from './connection.ts'
import type { Kills } from './kills.ts'
import type { Dict } from './messages.ts'
import type { RouterOptions } from './options.ts'
import type { RouterPorts, Transport } from './ports.ts'
import type { Realm } from './realm.ts'
import type { TransportFacts } from './session.ts'

/** What an adapter knows about a connection when it hands it over. */
export interface ConnectionFacts extends TransportFacts {
  /** Who judges on this listener. */
  readonly guard: Guard
  /** Has passed `guard.greet`. */
  readonly handshake: Handshake
  readonly transport: Transport
  /** `transport` of authenticators, authorizers and meta API, read at each look: no secret header is among them. */
  readonly facts: Dict
  /** The same with secret headers that authenticators were promised: for them alone. `undefined`: there are none. */
  readonly told?: TransportFacts | undefined
  /** What holds for connections of this transport. `undefined`: what holds for the router. */
  readonly settings?: ConnectionSettings | undefined
  /** Channel bindings of the TLS connection; empty without TLS. */
  readonly channels: JoinRequest['channels']
}

/** Durations of a connection's life, ms, and the words of its refusals; see `RouterOptions`. */
export type ConnectionSettings = Required<
  Pick<
    RouterOptions,
    'helloTimeoutMs' | 'authenticateTimeoutMs' | 'verdictTimeoutMs' | 'lingerMs' | 'errorUris' | 'cancelReply'
  >
>

/** What a connection needs of its router. */
export interface ConnectionHost {
  readonly ports: RouterPorts
  readonly settings: ConnectionSettings
  /** Kills of all realms. */
  readonly kills: Kills
  /** The realm of this name, if there is one. */
  realm(name: string): Realm | undefined
  /** The transport of this connection is gone. */
  left(connection: Connection): void
}
