/** Runs the program `countersign` from its sources, as a process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { environment, root } from '../../../tools/processes.ts'

/** The program itself. */
export const program: string = join(root, 'packages/server/src/cli/main.ts')

/** How a process ended and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess
  /** Everything so far on standard output. */
  stdout(): string
  stderr(): string
  /** Waits until standard output has this line. @throws Error when the process ends first, or after a minute */
  line(wanted: string): Promise<void>
  readonly ended: Promise<Ended>
}

/** What a process is given. */
export interface Given {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** Starts `countersign ...args`. */
export function start(args: readonly string[], given: Given = {}): Running {
  const child = spawn(process.execPath, ['--conditions=countersign-source', program, ...args], {
    cwd: given.cwd ?? root,
    env: { ...environment({ NODE_NO_WARNINGS: '1' }), ...given.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => undefined).end(given.stdin ?? '')
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
  const line = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`no line ${wanted} in a minute:\n${stdout}${stderr}`)),
        60_000,
      )
      const look = (): void => {
        if (!stdout.split('\n').includes(wanted)) return
        clearTimeout(late)
        resolve()
      }
      child.stdout.on('data', look)
      void ended.then(({ code }) => {
        clearTimeout(late)
        reject(new Error(`ended with ${String(code)} before ${wanted}:\n${stdout}${stderr}`))
      })
      look()
    })
  return { child, ended, line, stdout: () => stdout, stderr: () => stderr }
}

/** Runs `countersign ...args` to its end. */
export function countersign(args: readonly string[], given: Given = {}): Promise<Ended> {
  return start(args, given).ended
}

/** Ends a process and tells how it ended and how long that took, ms. */
export async function end(
  running: Running,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<Ended & { readonly tookMs: number }> {
  const startedAt = performance.now()
  running.child.kill(signal)
  const hard = setTimeout(() => running.child.kill('SIGKILL'), 15_000)
  const ended = await running.ended
  clearTimeout(hard)
  return { ...ended, tookMs: performance.now() - startedAt }
}
