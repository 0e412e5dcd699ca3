import { hasVisibleOnly } from './ascii.ts'
import { absent, found, malformed, type Found } from './found.ts'

/** A request target in origin-form. */
export interface Target {
  /** The path, undecoded; begins with one `/`. */
  readonly path: string
  /** What follows the first `?`, undecoded; empty when there is none. */
  readonly query: string
}

/** Longest accepted request target, in characters. */
export const maxOriginFormLength = 8_192

/**
 * Reads a request target in origin-form (RFC 9112 §3.2.1). The other three forms are malformed here, and so
 * are a fragment, characters outside visible ASCII, a backslash in the path and a path that begins with `//`:
 * URL parsers read the last two as the name of another host. The empty text is absent.
 */
export function parseTarget(target: string): Found<Target> {
  if (target === '') return absent
  if (target.length > maxOriginFormLength) return malformed('request target too long')
  if (!target.startsWith('/')) return malformed('request target not in origin-form')
  if (target.startsWith('//')) return malformed('request target names an authority')
  if (!hasVisibleOnly(target) || target.includes('#')) return malformed('request target characters')
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (path.includes('\\')) return malformed('request target characters')
  return found({ path, query: mark < 0 ? '' : target.slice(mark + 1) })
}
