/** A promise and the function that keeps it. */
export interface Later<T> {
  readonly promise: Promise<T>
  /** Only the first call counts. */
  readonly resolve: (value: T) => void
}

/** Makes a promise that is kept from outside. */
export function later<T>(): Later<T> {
  const kept: { resolve: (value: T) => void } = { resolve: () => undefined }
  const promise = new Promise<T>((resolve) => {
    kept.resolve = resolve
  })
  return { promise, resolve: kept.resolve }
}

/** The value of `work`, or `instead` when it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>, instead: T): Promise<T> {
  const limit = later<T>()
  const timer = setTimeout(() => limit.resolve(instead), ms)
  try {
    return await Promise.race([work, limit.promise])
  } finally {
    clearTimeout(timer)
  }
}
