import { spawn, spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'

/** The repository's root folder. */
export const root: string = join(import.meta.dirname, '..')

/** The environment for a child: programs of `node_modules/.bin`, the pinned Node among them, come first. */
export function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  return { ...process.env, ...extra, PATH: path }
}

/**
 * Runs a command to its end with its output shown.
 *
 * @returns the exit code; 1 when a signal or a missing program ended it.
 */
export function run(command: string, args: readonly string[], cwd: string = root): number {
  const { status, error } = spawnSync(command, args, {
    cwd,
    env: environment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error !== undefined) console.error(`${command}: ${error.message}`)
  return status ?? 1
}

/**
 * Runs a command to its end and keeps what it wrote to standard output.
 *
 * @throws Error with both outputs when the command fails.
 */
export function read(command: string, args: readonly string[], cwd: string = root): string {
  const result = spawnSync(command, args, { cwd, env: environment(), encoding: 'utf8', maxBuffer: 64 << 20 })
  if (result.status === 0) return result.stdout
  const why = result.error?.message ?? `exit code ${String(result.status)}`
  throw new Error(`${command} ${args.join(' ')}: ${why}\n${result.stdout}${result.stderr}`)
}

/** Like {@link run}, but leaves the event loop free and hands SIGINT and SIGTERM on to the command. */
export async function runForwarding(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGINT', forward).on('SIGTERM', forward)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => resolve(code ?? 1))
    })
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward)
  }
}
