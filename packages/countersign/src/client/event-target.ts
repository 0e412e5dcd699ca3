/** The half of a WebSocket that is seen: constants, handlers and listeners. */
import type { SocketEventMap } from './events.ts'

type Handler<E extends Event> = ((event: E) => void) | null

/** Options of a listener, as in the DOM standard. */
export interface ListenerOptions {
  readonly capture?: boolean
  readonly once?: boolean
  readonly passive?: boolean
  readonly signal?: AbortSignal
}

/** A listener by the name of its event. */
export type SocketListener<K extends keyof SocketEventMap> =
  ((event: SocketEventMap[K]) => void) | { handleEvent(event: SocketEventMap[K]): void }

/**
 * An `EventTarget` with the handlers of a WebSocket. A handler keeps the place among the listeners that it got when it
 * was first set, as in the HTML standard. It inherits because libraries expect `EventTarget` itself.
 */
export class SocketTarget extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  readonly #handlers = new Map<string, Handler<never>>()

  override addEventListener<K extends keyof SocketEventMap>(
    type: K,
    listener: SocketListener<K> | null,
    options?: ListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: ((event: Event) => void) | { handleEvent(event: Event): void } | null,
    options?: ListenerOptions | boolean,
  ): void
  override addEventListener(type: string, listener: unknown, options?: ListenerOptions | boolean): void {
    // The signatures above say which listener belongs to which event.
    super.addEventListener(type, listener as () => void, options)
  }

  get onopen(): Handler<Event> {
    return this.#handler('open')
  }
  set onopen(handler: Handler<Event>) {
    this.#handle('open', handler)
  }

  get onmessage(): Handler<MessageEvent> {
    return this.#handler('message')
  }
  set onmessage(handler: Handler<MessageEvent>) {
    this.#handle('message', handler)
  }

  get onerror(): Handler<Event> {
    return this.#handler('error')
  }
  set onerror(handler: Handler<Event>) {
    this.#handle('error', handler)
  }

  get onclose(): Handler<CloseEvent> {
    return this.#handler('close')
  }
  set onclose(handler: Handler<CloseEvent>) {
    this.#handle('close', handler)
  }

  #handler<E extends Event>(type: string): Handler<E> {
    // Set under the same name, by the setter beside the getter that asks.
    return (this.#handlers.get(type) ?? null) as Handler<E>
  }

  #handle(type: string, handler: Handler<never>): void {
    const known = this.#handlers.has(type)
    this.#handlers.set(type, typeof handler === 'function' ? handler : null)
    // What is dispatched under a name is of the type that the map of events has for it.
    if (!known && handler !== null) {
      super.addEventListener(type, (event) => this.#handlers.get(type)?.call(this, event as never))
    }
  }
}
