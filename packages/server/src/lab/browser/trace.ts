import { randomText } from './random-text.ts'
import type { SiteLine, Witness } from './site.ts'

/**
 * What a case did on the wire: lines to and from the site, lines to and from a frame of the socket's origin, and
 * sockets by the id under which the server kept them.
 */
export type TracePart =
  | { readonly kind: 'site' | 'frame'; readonly lines: readonly SiteLine[] }
  | { readonly kind: 'socket'; readonly probe: string }

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
  const parts: ({ kind: 'site' | 'frame'; lines: SiteLine[] } | { kind: 'socket'; probe: string })[] = []
  return {
    parts,
    witness(line) {
      const last = parts.at(-1)
      if (last?.kind === 'site') last.lines.push(line)
      else parts.push({ kind: 'site', lines: [line] })
    },
    frame: (...lines) => void parts.push({ kind: 'frame', lines: [...lines] }),
    adopt: (probe) => void parts.push({ kind: 'socket', probe }),
    probe() {
      const probe = randomText().slice(0, 22)
      parts.push({ kind: 'socket', probe })
      return probe
    },
  }
}
