import { BrowserError } from './types.ts'

/**
 * Waits for `task` at most `limitMs`. The task itself is not stopped: the caller ends what it was using.
 *
 * @throws BrowserError `timeout`, naming `what`
 */
export async function within<T>(limitMs: number, what: string, task: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new BrowserError('timeout', `${what} took longer than ${String(limitMs)} ms`))
    }, limitMs)
  })
  try {
    return await Promise.race([task, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks `probe` every `everyMs` until it says yes, at most `limitMs`; tells whether it did. */
export async function eventually(
  limitMs: number,
  everyMs: number,
  probe: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const end = performance.now() + limitMs
  for (;;) {
    if (await probe()) return true
    if (performance.now() >= end) return false
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
