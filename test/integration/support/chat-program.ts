/** The example's chat as a process, and whoever comes to it: Socket.IO's own client, bare Engine.IO frames, plain JSON frames. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { io, type Socket } from 'socket.io-client'
import { expect, onTestFinished } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import { accounts } from '../../../examples/chat/accounts.ts'
import { root } from '../../../tools/processes.ts'

/** A chat that runs. */
export interface Program {
  /** With a slash at the end. */
  readonly url: string
  readonly origin: string
  /** Everything that it wrote, on either output. */
  written(): string
  stop(): Promise<number | null>
}

/** Starts the program and waits until it listens. End it with `stop`. @throws Error with its words when it does not come up */
export async function startChat(...args: readonly string[]): Promise<Program> {
  const file = join(root, 'examples/chat/server.ts')
  const child = spawn(process.execPath, ['--conditions=countersign-source', file, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  let written = ''
  for (const output of [child.stdout, child.stderr])
    output.on('data', (chunk: Buffer) => (written += chunk.toString()))
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('ready ')) continue
    const url = line.slice('ready '.length)
    const stop = async (): Promise<number | null> => {
      child.kill('SIGTERM')
      const [code] = await ended
      return typeof code === 'number' ? code : null
    }
    return { url, origin: url.slice(0, -1), written: () => written, stop }
  }
  const [code] = await ended
  if (code === 0) throw new Error('the chat ended without a word about why')
  throw new Error(`the chat did not come up: ${written}`)
}

/** A program for one test. */
export async function chatForTest(...args: readonly string[]): Promise<Program> {
  const program = await startChat(...args)
  onTestFinished(async () => void (await program.stop()))
  return program
}

/** Posts to the site as a page of it does, unless told otherwise. */
export function post(
  { url, origin }: Program,
  path: string,
  options: { readonly form?: Record<string, string>; readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  const { form = {}, headers = {} } = options
  return fetch(url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin, ...headers },
    body: new URLSearchParams(form),
  })
}

/** Logs in by the form. @returns the session's cookie, `chat-session=…` */
export async function logIn(program: Program, nickname: string): Promise<string> {
  const password = accounts.find((account) => account.nickname === nickname)?.password ?? ''
  const response = await post(program, 'login', { form: { nickname, password } })
  expect(response.status).toBe(303)
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

/** How a socket is opened: with the page's own Origin unless another, or none, is named. */
export interface Opening {
  readonly cookie?: string | undefined
  readonly origin?: string | undefined
  readonly host?: string
  readonly query?: string
  readonly path?: string
}

function headersOf(program: Program, { cookie, host, ...opening }: Opening): Record<string, string> {
  const origin = 'origin' in opening ? opening.origin : program.origin
  return {
    ...(cookie === undefined ? {} : { cookie }),
    ...(origin === undefined ? {} : { origin }),
    ...(host === undefined ? {} : { host }),
  }
}

/** How the client of the page may be carried. */
export const modes = {
  polling: ['polling'],
  websocket: ['websocket'],
  upgrade: ['polling', 'websocket'],
} as const
export type Mode = keyof typeof modes

/** Socket.IO's own client, as the page has it, and what it heard. */
export interface PageClient {
  readonly client: Socket
  readonly heard: (readonly [name: string, body: unknown])[]
  /** Sends an event and waits for its acknowledgement. */
  ask(name: string, body: unknown): Promise<unknown>
}

/** Connects a client. Whether it is let in is in `heard`: `welcome`, or `connect_error` with its data. */
export async function page(program: Program, mode: Mode, opening: Opening = {}): Promise<PageClient> {
  const client = io(program.url, {
    transports: [...modes[mode]],
    extraHeaders: headersOf(program, opening),
    auth: { expiring: true },
    forceNew: true,
    reconnection: false,
  })
  onTestFinished(() => void client.close())
  const heard: (readonly [string, unknown])[] = []
  client.onAny((name: string, body: unknown) => heard.push([name, body]))
  client.on('connect_error', (error) => heard.push(['connect_error', Reflect.get(error, 'data')]))
  client.on('disconnect', (why) => heard.push(['disconnect', why]))
  await until(() => heard.length > 0)
  return { client, heard, ask: (name, body) => client.timeout(5_000).emitWithAck(name, body) }
}

/** A bare WebSocket: frames go out as they are, and what comes back is kept as text. */
export interface Bare {
  readonly socket: WebSocket
  readonly frames: string[]
  say(...frames: readonly string[]): void
  /** The status of a refused upgrade; 0 while there is none. */
  status(): number
}

async function bare(url: string, headers: Record<string, string>): Promise<Bare> {
  const options: ClientOptions = { headers }
  const socket = new WebSocket(url, options)
  onTestFinished(() => socket.terminate())
  const frames: string[] = []
  let status = 0
  let opened = false
  socket.on('open', () => (opened = true))
  socket.on('message', (data: Buffer) => frames.push(data.toString()))
  socket.on('unexpected-response', (_request, response) => {
    status = response.statusCode ?? -1
    socket.terminate()
  })
  socket.on('error', () => (status ||= -1))
  socket.on('close', (code, reason) => frames.push(`closed ${String(code)} ${reason.toString()}`.trimEnd()))
  await until(() => opened || status !== 0)
  return {
    socket,
    frames,
    say: (...packets) => {
      for (const packet of packets) socket.send(packet)
    },
    status: () => status,
  }
}

/** Engine.IO by hand, in the default namespace: what it is told begins with `40` when it is in, with `44` when it is not. */
export async function rawEvents(program: Program, opening: Opening = {}): Promise<Bare> {
  const query = opening.query === undefined ? '' : `&${opening.query}`
  const url = `${program.url.replace('http', 'ws')}socket.io/?EIO=4&transport=websocket${query}`
  const one = await bare(url, headersOf(program, opening))
  if (one.status() !== 0) return one
  one.say('40')
  await until(() => one.frames.some((frame) => /^(?:4[04]|closed)/.test(frame)))
  return one
}

/** The plain socket at `/chat`. */
export function rawFrames(program: Program, opening: Opening = {}): Promise<Bare> {
  const { path = 'chat', query } = opening
  const target = query === undefined ? path : `${path}?${query}`
  return bare(program.url.replace('http', 'ws') + target, headersOf(program, opening))
}

/** Waits for something to become true, five seconds at most. */
export async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 5_000, interval: 10 }).toBe(true)
}
