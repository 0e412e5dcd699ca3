import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { environment, root } from '../../tools/processes.ts'
import { freeBlock } from '../../tools/ports.ts'

/** A door as the lab publishes it. */
export interface PublishedDoor {
  readonly id: string
  readonly url: string
  readonly origin: string
  readonly protocol: string
  readonly accepts: readonly string[]
  readonly challenge?: Readonly<
    Record<'plain' | 'salted', { readonly authid: string; readonly secret: string }>
  >
}

/** `GET /lab/doors.json`. */
export interface PublishedLab {
  readonly accounts: readonly {
    readonly username: string
    readonly password: string
    readonly api_key: string
    readonly roles: readonly string[]
  }[]
  readonly doors: readonly PublishedDoor[]
  readonly hostile: { readonly origin: string }
  readonly limits: {
    readonly preauth_deadline_ms: number
    readonly preauth_per_source: number
    readonly preauth_total: number
  }
}

/** The program, running the lab in a process of its own. */
export interface RunningLab {
  readonly port: number
  readonly url: string
  readonly doors: PublishedLab
  readonly child: ChildProcess
  /** Everything that it wrote so far, standard output and error. */
  output(): string
  door(id: string): PublishedDoor
  stop(): Promise<number | null>
}

/** Starts the lab from its sources on a free block of ports and waits until it says that it is ready. */
export async function runLab(args: readonly string[] = []): Promise<RunningLab> {
  const port = await freeBlock(41, 19_000 + Math.floor(Math.random() * 200) * 41)
  const program = join(root, 'packages/server/src/cli/main.ts')
  const child = spawn(
    process.execPath,
    ['--conditions=countersign-source', program, 'lab', '--port', String(port), ...args],
    { cwd: root, env: environment({ NODE_NO_WARNINGS: '1' }), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let text = ''
  const url = `http://localhost:${String(port)}/`
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text += chunk.toString()
      if (text.includes(`ready ${url}`)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) =>
      reject(new Error(`the lab ended with ${String(code)} before it was ready:\n${text}`)),
    )
    setTimeout(() => reject(new Error(`the lab was not ready in time:\n${text}`)), 60_000).unref()
  })
  const answer = await fetch(`${url}lab/doors.json`)
  // The shape is what the lab promises; tests that use it fail where it does not hold.
  const doors = (await answer.json()) as PublishedLab
  return {
    port,
    url,
    doors,
    child,
    output: () => text,
    door(id) {
      const door = doors.doors.find((one) => one.id === id)
      if (door === undefined) throw new Error(`the lab publishes no door ${id}`)
      return door
    },
    stop: () => stop(child),
  }
}

function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
  })
}

/** Logs in as a program would. @returns the session cookie as a `Cookie` header's value */
export async function logIn(lab: RunningLab, username = 'alice'): Promise<string> {
  const account = lab.doors.accounts.find((one) => one.username === username)
  const answer = await fetch(`${lab.url}login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password: account?.password }),
  })
  const cookie = answer.headers.getSetCookie().find((one) => one.includes('session='))
  if (!answer.ok || cookie === undefined) throw new Error(`login answered ${String(answer.status)}`)
  return cookie.split(';', 1)[0] ?? ''
}

/** Posts JSON with a session cookie, as a page of the lab's site would. */
export async function postAs(
  lab: RunningLab,
  cookie: string,
  request: { readonly path: string; readonly body: object },
): Promise<Record<string, unknown>> {
  const answer = await fetch(new URL(request.path, lab.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie, origin: lab.url.slice(0, -1) },
    body: JSON.stringify(request.body),
  })
  if (!answer.ok) throw new Error(`${request.path} answered ${String(answer.status)}`)
  return (await answer.json()) as Record<string, unknown>
}
