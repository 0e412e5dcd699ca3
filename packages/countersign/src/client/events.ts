/** The events of a socket, made where a runtime has no class for them. */
import type { Advice } from '../core/reasons.ts'

/** An `error` event: says what happened, never with a credential or a URL. */
export interface SocketErrorEvent extends Event {
  readonly error: Error
  readonly message: string
}

/** A `reconnecting` event: the connection is lost, another is tried in `delayMs`. */
export interface ReconnectingEvent extends Event {
  readonly code: number
  readonly reason: string
  readonly advice: Advice
  readonly delayMs: number
}

/** A `lease` event: the lease was granted or renewed. */
export interface LeaseEvent extends Event {
  /** Its id, where the server says it. */
  readonly lease: string | undefined
  /** How long it will last, ms. */
  readonly leaseMs: number | undefined
}

/** Events of a socket by name. */
export interface SocketEventMap {
  readonly open: Event
  readonly message: MessageEvent
  readonly error: SocketErrorEvent
  readonly close: CloseEvent
  readonly reconnecting: ReconnectingEvent
  readonly lease: LeaseEvent
}

/**
 * A `MessageEvent` in all that is read of it, `instanceof` included, made as an `Event` is: constructors of runtimes that
 * check an `EventInit` in JavaScript take longer than all else that a message costs here. `initMessageEvent` throws.
 */
class ReceivedMessage extends Event {
  readonly data: unknown
  readonly origin: string
  readonly lastEventId = ''
  readonly source = null
  readonly ports: readonly never[] = noPorts

  constructor(data: unknown, origin: string) {
    super('message')
    this.data = data
    this.origin = origin
  }
}

const noPorts: readonly never[] = Object.freeze([])
if (typeof MessageEvent === 'function')
  Object.setPrototypeOf(ReceivedMessage.prototype, MessageEvent.prototype)

/** A `message` event, which is dispatched at once. */
export function messageEvent(data: unknown, origin: string): Event {
  return new ReceivedMessage(data, origin)
}

/** An event with members of its own. */
export function eventOf<T extends object>(type: string, members: T): Event & T {
  return Object.assign(new Event(type), members)
}

/** A `CloseEvent`, or an event with its members where the runtime has no such class (Node 22). */
export function closeEvent(code: number, reason: string, wasClean: boolean): Event {
  const members = { code, reason, wasClean }
  return typeof CloseEvent === 'function' ? new CloseEvent('close', members) : eventOf('close', members)
}

/** An `error` event. */
export function errorEvent(error: Error): SocketErrorEvent {
  return eventOf('error', { error, message: error.message })
}
