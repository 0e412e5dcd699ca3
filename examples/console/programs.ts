/** The two programs that commands start: no shell, no argument that anyone typed, little environment. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Every program with every argument that it is ever given. Both are of POSIX. */
const programs = {
  processes: ['ps', '-A', '-o', 'pid,ppid,vsz,etime,comm'],
  disk: ['df', '-P', '-k'],
} as const

/** Name of a program. */
export type ProgramName = keyof typeof programs

/** Characters after which a line is cut, where a program writes no end of line. */
const maxLine = 1_000

/**
 * Starts a program and gives its output line by line. The signal kills it.
 * @throws Error when it cannot be started, fails or is killed
 */
export async function* programLines(name: ProgramName, signal: AbortSignal): AsyncGenerator<string> {
  const [file, ...args] = programs[name]
  const child = spawn(file, args, {
    shell: false,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
    killSignal: 'SIGKILL',
  })
  const ended = once(child, 'close')
  // Awaited below, but a signal may come while output is awaited.
  ended.catch(() => undefined)
  let rest = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    const lines = `${rest}${String(chunk)}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > maxLine) {
      yield rest
      rest = ''
    }
  }
  if (rest !== '') yield rest
  const [code] = await ended
  if (code !== 0) throw new Error(`${file} ended with ${String(code)}`)
}
