/** Stores in the manner of `connect`, and how they are overheard: by their own methods, which everyone who uses them calls. */

/** What `express-session` and `@fastify/session` ask of a store, and what more a store may offer. `S` is a session. */
export interface ConnectStore<S> {
  get(sid: string, callback: (error?: unknown, session?: S | null) => void): unknown
  set(sid: string, session: S, callback: (error?: unknown) => void): unknown
  destroy(sid: string, callback: (error?: unknown) => void): unknown
  /** Moves a session's end. */
  touch?(sid: string, session: S, callback: () => void): unknown
  /** Destroys all sessions. */
  clear?(callback: (error?: unknown) => void): unknown
}

/** Who overhears a store. None of these may throw. */
export interface StoreListener {
  /** Called before the store does it: where the store fails, the sockets have ended all the same. */
  destroyed(sid: string): void
  /** As `destroyed`, for all. */
  cleared(): void
  /** Called before a session is written. @returns what to do once it is written; `undefined`: nothing */
  storing(sid: string, session: unknown): (() => void) | undefined
  /** As `storing`, where only the end of the session is: what else is in it may be older than what the store has. */
  touching(sid: string, session: unknown): (() => void) | undefined
}

/** A method of a store whose last argument may be a callback. */
type Method = (...args: readonly unknown[]) => unknown

/** Each store is overheard once, however many listen. */
const listening = new WeakMap<object, Set<StoreListener>>()

/**
 * Overhears a store from now on. Its methods are replaced on the object, once and for good; without listeners they do
 * what they did before.
 * @returns a function that ends the listening
 */
export function overhear<S>(store: ConnectStore<S>, listener: StoreListener): () => void {
  const known = listening.get(store)
  const listeners = known ?? new Set<StoreListener>()
  if (known === undefined) {
    listening.set(store, listeners)
    wrap(store, listeners)
  }
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function wrap(store: object, listeners: ReadonlySet<StoreListener>): void {
  replaceMethod(store, 'destroy', (call, args) => {
    for (const listener of listeners) listener.destroyed(String(args[0]))
    return call(args)
  })
  replaceMethod(store, 'clear', (call, args) => {
    for (const listener of listeners) listener.cleared()
    return call(args)
  })
  for (const [name, tell] of [
    ['set', 'storing'],
    ['touch', 'touching'],
  ] as const) {
    replaceMethod(store, name, (call, args) => {
      const dues = [...listeners].map((listener) => listener[tell](String(args[0]), args[1]))
      const due = dues.filter((one) => one !== undefined)
      return due.length === 0 ? call(args) : afterwards(call, args, () => due.forEach((one) => one()))
    })
  }
}

/** Who overhears a storage of keys and values. None of these may throw. */
export interface StorageListener {
  /** Called before the storage does it. */
  removed(key: string): void
  /** Called once it is written. */
  written(key: string): void
}

/** As `overhear`, for storages of keys and values, one listener each and for good. */
export function overhearStorage(storage: object, listener: StorageListener): void {
  for (const name of ['delete', 'getAndDelete']) {
    replaceMethod(storage, name, (call, args) => {
      listener.removed(String(args[0]))
      return call(args)
    })
  }
  replaceMethod(storage, 'set', (call, args) =>
    afterwards(call, args, () => listener.written(String(args[0]))),
  )
}

/** Puts something around a method of this object, if it has one of this name; `this` stays what it was. */
function replaceMethod(
  store: object,
  name: string,
  around: (call: (args: readonly unknown[]) => unknown, args: readonly unknown[]) => unknown,
): void {
  const method: unknown = Reflect.get(store, name)
  if (typeof method !== 'function') return
  const replaced = function (this: unknown, ...args: readonly unknown[]): unknown {
    return around((given) => Reflect.apply(method, this, given), args)
  }
  Reflect.set(store, name, replaced)
}

/**
 * Does something once the store has written. It learns that as its caller does: by the callback where there is one, else
 * by the promise that the store may return.
 */
function afterwards(
  call: (args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  due: () => void,
): unknown {
  const callback = args.at(-1)
  if (typeof callback === 'function') {
    const told: Method = (error, ...rest) => {
      if (error === undefined || error === null) due()
      // The caller's own; what it answers is nobody's business.
      return Reflect.apply(callback, undefined, [error, ...rest])
    }
    return call([...args.slice(0, -1), told])
  }
  const result = call(args)
  if (result instanceof Promise) result.then(due, () => undefined)
  else due()
  return result
}
