/** What is said inside a socket, for each protocol: how one enters, asks, and reads. */
import type { JsonObject } from 'countersign/wire'
import type { Presented } from '../presented.ts'
import type { Endpoint, Protocol } from '../target.ts'
import type { Message, Visit } from '../visit.ts'

/**
 * A message of the configuration: text is sent as it stands; an object as the protocol's own form of it.
 *
 * - plain: the object as JSON
 * - Socket.IO: `{ event, args? }`
 * - WAMP: `{ call, args?, kwargs? }`, `{ subscribe }` or `{ publish, args?, kwargs? }`
 * - GraphQL: `{ query, variables? }`
 */
export type Probe = string | JsonObject

/** How entering went. */
export type Entry =
  /** `greeting`: what lets one in, where it says who one is. */
  | { readonly kind: 'in'; readonly greeting?: Message }
  | { readonly kind: 'refused'; readonly words: string }
  /** Neither in nor refused within the time given. */
  | { readonly kind: 'silent' }

/** What a message is. */
export type Heard =
  /** Of the application. */
  | { readonly kind: 'data'; readonly text: string }
  /** A refusal of what was asked. */
  | { readonly kind: 'refusal'; readonly text: string }
  /** Of the protocol itself; `answer` is sent back. */
  | { readonly kind: 'control'; readonly answer?: string }

/** One protocol. */
export interface Dialect {
  readonly protocol: Protocol
  /** Subprotocols without which the target does not speak it. */
  readonly subprotocols: readonly string[]
  /** Where a handshake goes. */
  addressOf(endpoint: Endpoint): URL
  /** Enters on an open socket with what is presented inside it. */
  enter(visit: Visit, presented: Presented, within: Within): Promise<Entry>
  /** The messages that carry a probe. */
  messagesOf(probe: Probe, endpoint: Endpoint): readonly string[]
  read(message: Message): Heard
}

/** Where one enters, and how long that may take. */
export interface Within {
  readonly endpoint: Endpoint
  readonly ms: number
}

/** Sends what carries a probe. */
export function say(
  visit: Visit,
  dialect: Dialect,
  probe: { readonly probe: Probe; readonly endpoint: Endpoint },
): void {
  for (const text of dialect.messagesOf(probe.probe, probe.endpoint)) visit.send(text)
}
