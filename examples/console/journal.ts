/** The journal: every act is one line of JSON, in order, in memory and, where a file is named, at its end. */
import { EventEmitter, on } from 'node:events'
import { closeSync, openSync, writeSync } from 'node:fs'
import type { JournalEntry } from 'countersign'

/** One act. No member ever holds a password, a cookie or a token. */
export interface Act {
  readonly act: 'login' | 'logout' | 'connection' | 'command' | 'message' | 'error'
  readonly outcome: string
  readonly who?: string | undefined
  readonly roles?: readonly string[] | undefined
  /** The command with its arguments; a `?` before what was no command. */
  readonly command?: string | undefined
  readonly run?: number | undefined
  readonly reason?: string | undefined
  readonly durationMs?: number | undefined
  readonly lease?: string | undefined
  readonly address?: string | undefined
}

/** Acts kept in memory, for whoever begins to follow. */
const maxKept = 20

/** Characters of one member, whoever wrote it. */
const maxText = 256

/** Append-only: there is a way to add and none to change. */
export class Journal {
  readonly #kept: string[] = []
  readonly #news = new EventEmitter().setMaxListeners(0)
  readonly #file: number | undefined
  readonly #echo: (line: string) => void

  /** @param file opened for appending, readable by its owner alone. @param echo is told every line */
  constructor(file: string | undefined, echo: (line: string) => void) {
    this.#file = file === undefined ? undefined : openSync(file, 'a', 0o600)
    this.#echo = echo
  }

  /** Writes one line, at once. */
  record(act: Act): void {
    const at = new Date().toISOString()
    const line = JSON.stringify({ at, ...act }, (_, value: unknown) =>
      typeof value === 'string' ? value.slice(0, maxText) : value,
    )
    if (this.#file !== undefined) writeSync(this.#file, `${line}\n`)
    this.#echo(line)
    const words = inWords(at, act)
    this.#kept.push(words)
    if (this.#kept.length > maxKept) this.#kept.shift()
    this.#news.emit('line', words)
  }

  /** What a guard tells of its connections: who was let in, who was not and why, and how each ended. */
  recordGuard({ kind, subject, reason, lease, remoteAddress: address }: JournalEntry): void {
    if (kind === 'error') this.record({ act: 'error', outcome: 'failed', reason })
    else if (kind === 'accepted' || kind === 'refused' || kind === 'ended')
      this.record({ act: 'connection', outcome: kind, who: subject, reason, lease, address })
  }

  /** The last acts in words, and then every new one until the signal says stop. */
  async *follow(signal: AbortSignal): AsyncGenerator<string> {
    const news = on(this.#news, 'line', { signal })
    yield* this.#kept.slice()
    for await (const [line] of news) yield String(line)
  }

  /** Closes the file. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}

/** `16:01:25  otto  command restart mailer  done`, for people. */
function inWords(at: string, { act, outcome, who = '–', command, reason }: Act): string {
  const what = command === undefined ? act : `${act} ${command}`
  return [at.slice(11, 19), who.padEnd(6), what, outcome, reason]
    .filter((part) => part !== undefined)
    .join('  ')
}
