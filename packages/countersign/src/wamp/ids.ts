/** Ids among arguments and options (WAMP, basic profile, "Identifiers"). */
import { exact, largestId } from './codec-numbers.ts'

/**
 * An id of the wire, whichever number its serializer made of it: up to 2^53, and 0, which is nobody's.
 * @returns `undefined` for what is none
 */
export function idOf(value: unknown): number | undefined {
  const id = typeof value === 'bigint' ? exact(value) : value
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= largestId ? id : undefined
}
