/** A value that one serializer alone has words for: a MessagePack extension, timestamps among them. */
export class Extension {
  /** −128 … 127; −1 is a timestamp. */
  readonly type: number
  readonly data: Uint8Array

  constructor(type: number, data: Uint8Array) {
    this.type = type
    this.data = data
  }
}

/** Deepest nesting that is written; anything below becomes null, so that a value which contains itself has an end. */
export const maxWrittenDepth = 128

/** Adds an own member, whatever its name. */
export function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  } else object[name] = value
}

/** Whether a member is written: neither `undefined` nor what no format has a form for. */
export function isWritten(value: unknown): boolean {
  const kind = typeof value
  return kind !== 'undefined' && kind !== 'function' && kind !== 'symbol'
}

/** The members that are written. */
export function members(value: object): readonly [string, unknown][] {
  const entries = Object.entries(value)
  for (const [, member] of entries)
    if (!isWritten(member)) return entries.filter((entry) => isWritten(entry[1]))
  return entries
}
