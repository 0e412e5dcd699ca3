import { z } from 'zod'
import { BrowserError } from './types.ts'

const outcome = z.union([z.object({ error: z.string() }), z.object({ value: z.unknown().optional() })])

/**
 * Turns the body of an async function into an expression whose promise always resolves, to JSON text: drivers differ
 * in how they carry values and errors, and none differs in how it carries a string.
 */
export function wrapScript(body: string): string {
  return `(async () => {
  try {
    const value = await (async () => {
${body}
    })()
    return JSON.stringify({ value })
  } catch (error) {
    return JSON.stringify({ error: String(error) })
  }
})()`
}

/**
 * Reads what {@link wrapScript}'s expression resolved to.
 *
 * @throws BrowserError `script` when the body threw, `protocol` when the page went away underneath it
 */
export function unwrapResult(text: unknown): unknown {
  if (typeof text !== 'string') throw new BrowserError('protocol', 'the page gave no result')
  const result = outcome.parse(JSON.parse(text))
  if ('error' in result) throw new BrowserError('script', result.error)
  return result.value
}
