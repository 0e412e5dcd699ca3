/** Where the command writes. Results go to standard output, everything about them to standard error. */
import type { Readable } from 'node:stream'

/** A stream that may be a terminal. */
export interface Screen {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** What lends the command its surroundings; tests lend their own. */
export interface Surroundings {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }
  readonly stdout: Screen
  readonly stderr: Screen
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Colours; each goes with a word that says the same. */
export type Tone = 'good' | 'bad' | 'weak' | 'strong' | 'faint'

const codes: Readonly<Record<Tone, number>> = { good: 32, bad: 31, weak: 33, strong: 1, faint: 2 }

/** Colours a word where the screen shows colours and nobody asked for none (https://no-color.org). */
export function paint(screen: Screen, env: Surroundings['env'], tone: Tone, text: string): string {
  const colourless = screen.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return colourless ? text : `\u001b[${codes[tone]}m${text}\u001b[0m`
}

/** How wide a screen is; one that does not know says nothing, or 0. */
export function columnsOf({ columns = 0 }: Screen, otherwise: number): number {
  return columns > 0 ? columns : otherwise
}

/** A bar that is redrawn in place. */
export interface Progress {
  /** Shows how much is done and what is under way. */
  readonly show: (done: number, total: number, doing: string) => void
  /** Takes the bar away. */
  readonly end: () => void
}

const barCells = 24

/** A bar on a terminal; elsewhere one line for each new `doing`. */
export function createProgress(screen: Screen): Progress {
  if (screen.isTTY !== true) return createLines(screen)
  return {
    show(done, total, doing) {
      const filled = total === 0 ? 0 : Math.round((done / total) * barCells)
      const bar = '█'.repeat(filled) + '░'.repeat(barCells - filled)
      const line = `${bar} ${done} of ${total}  ${doing}`
      screen.write(`\r\u001b[K${line.slice(0, Math.max(10, columnsOf(screen, 80) - 1))}`)
    },
    end: () => void screen.write('\r\u001b[K'),
  }
}

function createLines(screen: Screen): Progress {
  let last = ''
  return {
    show(_done, _total, doing) {
      if (doing !== last) screen.write(`${doing}\n`)
      last = doing
    },
    end: () => undefined,
  }
}
