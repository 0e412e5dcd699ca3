import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Belongings } from './belongings.ts'
import { eventually } from './deadline.ts'
import { BrowserError } from './types.ts'

/** Enough for the line that is waited for and for an error's last words. */
const maxHeardBytes = 64 * 1024
const graceMs = 3_000

/** A program that runs in a process group of its own, together with all that it starts. */
export interface Program {
  /** False once the first process has ended. */
  readonly alive: () => boolean
  /**
   * Waits for its output to match, and gives the first group of the match. The caller bounds the time.
   *
   * @throws BrowserError `launch` with the last output when it ends first
   */
  readonly says: (pattern: RegExp) => Promise<string>
}

/** The whole environment. HOME is a folder of the run's own, by which strays are known. */
export type ProgramEnv = Readonly<Record<string, string>> & { readonly HOME: string }

/** How a program is started. */
export interface StartOptions {
  readonly env: ProgramEnv
  /** Takes charge of the program and all that it starts. */
  readonly belongings: Belongings
}

/**
 * Starts `path`; what it writes to its standard output, its standard error and file descriptor 3 can be waited for.
 */
export function start(path: string, args: readonly string[], { env, belongings }: StartOptions): Program {
  const child = spawn(path, args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const ear = listen(child, path)
  const pid = child.pid
  if (pid !== undefined) {
    const family = { group: pid, home: env.HOME }
    belongings.keep({ end: () => endFamily(family), endNow: () => signalFamily(family, 'SIGKILL') })
  }
  const alive = (): boolean => pid !== undefined && child.exitCode === null && child.signalCode === null
  return {
    alive,
    says: ear,
  }
}

/**
 * Collects what the program says, keeping the end of it only, and ends all waiting when it stops.
 * The pipes are read for as long as it runs: a full one would stop it.
 */
function listen(child: ChildProcess, path: string): (pattern: RegExp) => Promise<string> {
  let heard = ''
  let failure: string | undefined
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const check of waiting) check()
  }
  const gone = (reason: string): void => {
    failure ??= `${path} ${reason}\n${heard.slice(-2_000)}`.trimEnd()
    wake()
  }
  for (const stream of child.stdio.slice(1) as readonly Readable[]) {
    // the three are pipes, made readable by `spawn`
    stream.setEncoding('utf8').on('data', (text: string) => {
      heard = (heard + text).slice(-maxHeardBytes)
      wake()
    })
  }
  child.on('error', (error) => gone(`could not start: ${error.message}`))
  child.on('close', (code, signal) => gone(`ended by itself (${String(code ?? signal)})`))
  return (pattern) =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(heard)
        if (match === null && failure === undefined) return
        waiting.delete(check)
        if (match === null) reject(new BrowserError('launch', failure ?? ''))
        else resolve(match[1] ?? '')
      }
      waiting.add(check)
      check()
    })
}

/** A process group, and whoever left it for a session of his own but still carries its HOME. */
interface Family {
  readonly group: number
  readonly home: string
}

/** Asks first, since a browser writes its profile when it ends, and then no longer asks. */
async function endFamily(family: Family): Promise<void> {
  const empty = (): boolean => membersOf(family).length === 0
  signalFamily(family, 'SIGTERM')
  if (await eventually(graceMs, 25, empty)) return
  signalFamily(family, 'SIGKILL')
  await eventually(graceMs, 25, empty)
}

function signalFamily(family: Family, signal: NodeJS.Signals): void {
  for (const pid of membersOf(family)) {
    try {
      process.kill(pid, signal)
    } catch {
      // ESRCH: it has ended by itself, which is what was wanted.
    }
  }
}

/** The living processes of a family. A zombie has ended: only its parent has not looked yet. */
function membersOf({ group, home }: Family): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const status = statusOf(pid)
      if (status === undefined || status.state === 'Z') return false
      return status.group === group || read(pid, 'environ').split('\0').includes(`HOME=${home}`)
    })
}

function statusOf(pid: number): { readonly state: string; readonly group: number } | undefined {
  const stat = read(pid, 'stat')
  if (stat === '') return undefined
  // proc_pid_stat(5): the name in parentheses may hold blanks and parentheses; the fields begin after the last one.
  const [state = '', , group = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state, group: Number(group) }
}

/** Empty when there is no such process, or it is somebody else's. */
function read(pid: number, file: 'stat' | 'environ'): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
