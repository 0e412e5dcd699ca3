/** The program of `examples/console` as a process, and who comes to it: forms, Socket.IO's client, bare frames. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { io as connectTo, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import { accounts } from '../../../examples/console/accounts.ts'
import { root } from '../../../tools/processes.ts'

/** The folder of the program. */
export const folder: string = join(root, 'examples/console')

/** How a client may be carried. */
export const modes = ['polling', 'websocket', 'upgrade'] as const
export type Mode = (typeof modes)[number]

/** A line of the journal. */
export type Line = Readonly<Record<string, unknown>> & { readonly act: string; readonly outcome: string }

/** The program while it runs. */
export interface Program {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly child: ChildProcess
  /** Standard output so far. */
  output(): string
  /** Standard error so far. */
  errors(): string
  /** The journal so far: what its file has, which is written before anything is answered, or else standard output. */
  journal(): readonly Line[]
  stop(): Promise<number | null>
}

/** Starts the program's sources with these arguments, without waiting for anything. */
export function spawnConsole(args: readonly string[]): ChildProcess {
  const server = join(folder, 'server.ts')
  return spawn(process.execPath, ['--conditions=countersign-source', server, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Starts the program and waits until it is ready. */
export async function startConsole(args: readonly string[] = []): Promise<Program> {
  const child = spawnConsole(['--port', '0', ...args])
  const file = args.indexOf('--journal')
  let text = ''
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  await soon(() => text.includes('\nready ') || text.startsWith('ready ') || child.exitCode !== null, 60_000)
  const origin = /^ready (\S+)\/$/m.exec(text)?.[1]
  if (origin === undefined) throw new Error(`the console is not ready:\n${text}${errors}`)
  return {
    origin,
    child,
    output: () => text,
    errors: () => errors,
    journal: () => linesOf(file === -1 ? text : readFileSync(args[file + 1] ?? '', 'utf8')),
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = (await ended) as [number | null]
      return code
    },
  }
}

/** Lines of a journal, among others. */
export function linesOf(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line)
}

/** Waits until something is so. */
export async function soon(so: () => unknown, limitMs = 20_000): Promise<void> {
  for (const end = Date.now() + limitMs; !so(); await sleep(10))
    if (Date.now() > end) throw new Error(`not so after ${limitMs} ms: ${String(so)}`)
}

/** What a form answers. */
export interface Answered {
  readonly status: number
  readonly text: string
  /** Every `Set-Cookie`. */
  readonly cookies: readonly string[]
}

/** Posts a form. The Origin is the program's own unless `headers` say otherwise. */
export async function post(
  { origin }: Program,
  path: string,
  { form = {}, headers = {} }: { form?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Answered> {
  const response = await fetch(`${origin}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin, ...headers },
    body: new URLSearchParams(form),
  })
  return { status: response.status, text: await response.text(), cookies: response.headers.getSetCookie() }
}

/** Logs somebody in. @returns the session's cookie as a request shows it */
export async function logIn(program: Program, username: string): Promise<string> {
  const password = accounts.find((account) => account.username === username)?.password ?? ''
  const { status, cookies } = await post(program, '/login', { form: { username, password } })
  if (status !== 303) throw new Error(`login answered ${status}`)
  return cookies[0]?.split(';')[0] ?? ''
}

/** A client and what it was told. */
export interface Caller {
  readonly client: Socket
  readonly events: unknown[][]
  /** `connected`, `refused: word`, or the reason of its end, in order. */
  readonly fate: string[]
  /** Events of one name, each by its first argument. */
  heard(name: string): readonly Record<string, unknown>[]
  /** Asks for a command. @returns what the acknowledgement says */
  ask(command: unknown, args?: unknown, more?: object): Promise<Record<string, unknown>>
  /** Lines of one run, once it has ended with this outcome. */
  ended(run: unknown, outcome?: string): Promise<readonly string[]>
}

/** Socket.IO's own client at a namespace, which does not reconnect by itself. */
export function call(
  { origin }: Program,
  headers: Record<string, string>,
  {
    mode = 'websocket',
    namespace = '/console',
    query = {},
  }: { mode?: Mode; namespace?: string; query?: object } = {},
): Caller {
  const client = connectTo(`${origin}${namespace}`, {
    transports: mode === 'upgrade' ? ['polling', 'websocket'] : [mode],
    forceNew: true,
    reconnection: false,
    extraHeaders: { origin, ...headers },
    query,
  })
  const events: unknown[][] = []
  const fate: string[] = []
  client.onAny((...args: unknown[]) => void events.push(args))
  client.on('connect', () => void fate.push('connected'))
  client.on('connect_error', ({ message }) => void fate.push(`refused: ${message}`))
  client.on('disconnect', (reason) => void fate.push(reason))
  const heard = (name: string): readonly Record<string, unknown>[] =>
    events.filter(([event]) => event === name).map(([, told]) => told as Record<string, unknown>)
  return {
    client,
    events,
    fate,
    heard,
    ask: (command, args = {}, more = {}) =>
      client.timeout(20_000).emitWithAck('command', { command, args, ...more }) as Promise<
        Record<string, unknown>
      >,
    async ended(run, outcome = 'done') {
      await soon(() => heard('end').some((told) => told['run'] === run))
      const end = heard('end').find((told) => told['run'] === run)
      if (end?.['outcome'] !== outcome) throw new Error(`run ${String(run)} ended: ${JSON.stringify(end)}`)
      return heard('line').flatMap((told) => (told['run'] === run ? [String(told['text'])] : []))
    },
  }
}

/** As `call`, once the console has greeted. */
export async function enter(
  program: Program,
  cookie: string,
  options: { mode?: Mode } = {},
): Promise<Caller> {
  const caller = call(program, { cookie }, options)
  await soon(
    () => caller.heard('welcome').length > 0 || caller.fate.some((word) => word.startsWith('refused')),
  )
  if (caller.heard('welcome').length === 0) throw new Error(caller.fate.join(', '))
  return caller
}

/** Frames of Engine.IO and Socket.IO by hand. */
export interface Bare {
  readonly socket: WebSocket
  /** Every frame that arrived, as text; heartbeats are answered. */
  readonly frames: string[]
  send(frame: string): void
  /** Waits for a frame that matches. */
  frame(pattern: RegExp): Promise<string>
}

/** Opens a WebSocket without any client of Socket.IO, and asks for `/console`. */
export async function bare(program: Program, headers: Record<string, string>): Promise<Bare> {
  const url = `${program.origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
  const socket = new WebSocket(url, { headers: { origin: program.origin, ...headers } })
  const frames: string[] = []
  socket.on('message', (data: Buffer) => {
    const frame = data.toString()
    if (frame === '2') socket.send('3')
    else frames.push(frame)
  })
  await once(socket, 'open')
  socket.send('40/console,')
  return {
    socket,
    frames,
    send: (frame) => socket.send(frame),
    async frame(pattern) {
      await soon(() => frames.some((frame) => pattern.test(frame)))
      return frames.find((frame) => pattern.test(frame)) ?? ''
    },
  }
}
