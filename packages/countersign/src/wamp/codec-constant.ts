/** Values that never change: whoever writes them again and again may keep what they come to. */
const constants = new WeakSet<object>()

/** Declares that a value is frozen, and so is everything in it. @returns the same value */
export function constant<V extends object>(value: V): V {
  constants.add(value)
  return value
}

/** Whether a value was declared constant. */
export function isConstant(value: unknown): value is object {
  // What can still be extended is none: that alone tells most values.
  return typeof value === 'object' && value !== null && !Object.isExtensible(value) && constants.has(value)
}
