/** Starts measured servers as processes of their own, each on a core of its own where the system lets us choose. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type { Request, Response, Role, ServerQuestions } from './protocol.ts'

const serverCore = 0
const generatorCore = 1

/** `ws` finds a native helper here, which a test client has brought along and users do not have. */
const env = { ...process.env, WS_NO_BUFFER_UTIL: '1' }

/** Whether processes can be bound to cores here: Linux with `taskset` and at least two cores. */
export const pins: boolean =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  spawnSync('taskset', ['--version']).status === 0

/** Binds the bench itself, which generates the load, to the core that servers do not use. */
export function pinGenerator(): void {
  if (pins) spawnSync('taskset', ['-a', '-p', '-c', String(generatorCore), String(process.pid)])
}

/** A running server and the channel to it. */
export class Server {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #port = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (response: Response) => this.#answered(response))
    child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`server ended with ${String(code)}`))
    })
  }

  /** Starts a server in this role. @param flags further options of Node, such as `--expose-gc` */
  static async start(role: Role, flags: readonly string[] = []): Promise<Server> {
    const file = new URL('server.ts', import.meta.url).pathname
    const command = [process.execPath, ...process.execArgv, ...flags, file]
    const [program = '', ...args] = pins ? ['taskset', '-c', String(serverCore), ...command] : command
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env })
    const server = new Server(child)
    const { port } = await server.ask('listen', role)
    server.#port = port
    return server
  }

  /** Where it listens, on loopback. */
  get port(): number {
    return this.#port
  }

  /** Asks one question. @throws Error when the server fails */
  ask<K extends keyof ServerQuestions>(
    kind: K,
    ask: ServerQuestions[K]['ask'],
  ): Promise<ServerQuestions[K]['answer']> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<ServerQuestions[K]['answer']>()
    // The map forgets the type that the id stands for; the server answers each kind by its own row of the table.
    this.#waiting.set(id, waiting as PromiseWithResolvers<unknown>)
    const request: Request = { id, kind, ask }
    this.#child.send(request)
    return waiting.promise
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }

  #answered(response: Response): void {
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (response.error === undefined) waiting?.resolve(response.answer)
    else waiting?.reject(new Error(response.error))
  }
}
