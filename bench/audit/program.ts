/** An example as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** A program that listens. */
export interface RunningProgram {
  readonly url: URL
  stop(): Promise<void>
}

/** Starts a program of this repository and waits for its `ready URL`. @param log takes its standard error */
export async function startProgram(
  file: string,
  args: readonly string[],
  log: string,
): Promise<RunningProgram> {
  const path = new URL(`../../${file}`, import.meta.url).pathname
  const child = spawn(process.execPath, ['--conditions=countersign-source', path, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', openSync(log, 'a', 0o600)],
  })
  const ended = once(child, 'exit')
  const { stdout } = child
  if (stdout === null) throw new TypeError('it was started with a pipe')
  for await (const line of createInterface({ input: stdout })) {
    if (!line.startsWith('ready ')) continue
    stdout.resume()
    return {
      url: new URL(line.slice('ready '.length)),
      async stop() {
        child.kill('SIGTERM')
        await ended
      },
    }
  }
  throw new Error(`${file} ended before it was ready`)
}
