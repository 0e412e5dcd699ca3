/** Hears what passes a method of somebody else's object, and changes nothing of it. */

/** In place of the method, and calling it: its owner goes on as ever. */
export function listenIn(owner: object, name: string, hear: (args: readonly unknown[]) => void): void {
  const original: unknown = Reflect.get(owner, name)
  if (typeof original !== 'function') return
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    value: (...args: unknown[]): unknown => {
      hear(args)
      return Reflect.apply(original, owner, args)
    },
  })
}

/** What was written, as bytes; `undefined` for what is no chunk: a callback, or nothing. */
export function bytesOf(chunk: unknown): Buffer | undefined {
  return typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.isBuffer(chunk) ? chunk : undefined
}
