import { randomText } from './random-text.ts'
import type { SiteLine, Witness } from './site.ts'

/**
 * What a case did on the wire: lines to and from the site, lines to and from a frame of the socket's origin, and
 * sockets by the id under which the server kept them.
 */
export type TracePart =
  | { readonly kind: 'site' | 'frame'; readonly lines: readonly TracedLine[] }
  | { readonly kind: 'socket'; readonly probe: string }

/** A line and when it passed, ms since the epoch. */
export type TracedLine = SiteLine & { readonly atMs: number }

/** Collects what a case does on the wire. */
export interface Trace {
  readonly parts: readonly TracePart[]
  readonly witness: Witness
  /** Lines of a frame exchange. */
  readonly frame: (...lines: readonly SiteLine[]) => void
  /** Begins a socket and gives its id. */
  readonly probe: () => string
  /** Notes a socket that someone else opened. */
  readonly adopt: (probe: string) => void
}

/** Starts an empty trace. */
export function startTrace(): Trace {
  const parts: ({ kind: 'site' | 'frame'; lines: TracedLine[] } | { kind: 'socket'; probe: string })[] = []
  return {
    parts,
    witness(line) {
      const last = parts.at(-1)
      if (last?.kind === 'site') last.lines.push(timed(line))
      else parts.push({ kind: 'site', lines: [timed(line)] })
    },
    frame: (...lines) => void parts.push({ kind: 'frame', lines: lines.map(timed) }),
    adopt: (probe) => void parts.push({ kind: 'socket', probe }),
    probe() {
      const probe = randomText().slice(0, 22)
      parts.push({ kind: 'socket', probe })
      return probe
    },
  }
}

function timed(line: SiteLine): TracedLine {
  return { ...line, atMs: Date.now() }
}
