/** Runs a command line in this process, with streams of the test's own. */
import { PassThrough, Readable } from 'node:stream'
import { runCommand } from '../../../../packages/server/src/cli/run.ts'
import type { Surroundings } from '../../../../packages/server/src/cli/terminal.ts'

/** What came of a command. */
export interface Outcome {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** What a test lends. */
export interface Lent {
  /** Text on standard input, which is then no terminal. */
  readonly stdin?: string
  /** Lines that a person types, each at a prompt of its own. */
  readonly types?: readonly string[]
  readonly env?: Surroundings['env']
  /** Whether standard output and error are terminals. */
  readonly terminal?: boolean
}

/** Runs `countersign ...args`. */
export async function countersign(args: readonly string[], lent: Lent = {}): Promise<Outcome> {
  const screen = (): { text: string; isTTY: boolean; write(part: string): void } => ({
    text: '',
    isTTY: lent.terminal ?? false,
    write(part) {
      this.text += part
    },
  })
  const stdout = screen()
  const stderr = screen()
  const stdin = lent.types === undefined ? Readable.from([lent.stdin ?? '']) : typist(lent.types, stderr)
  const exit = await runCommand(args, { stdin, stdout, stderr, env: lent.env ?? {} })
  return { exit, stdout: stdout.text, stderr: stderr.text }
}

/** Someone at a terminal who waits for each prompt. */
function typist(lines: readonly string[], stderr: { write(part: string): void }): Surroundings['stdin'] {
  const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const waiting = [...lines]
  const write = stderr.write.bind(stderr)
  stderr.write = (part: string): void => {
    write(part)
    if (part.endsWith(': ')) keyboard.write(`${waiting.shift() ?? ''}\r`)
  }
  return keyboard
}
