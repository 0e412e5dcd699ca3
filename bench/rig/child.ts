/** A process of the bench's own that answers questions over its channel, on the core that it is told. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type { Questions, Request, Response } from './protocol.ts'

/** Who runs where: what is measured on one core, what measures on the other. */
export const cores = { server: 0, generator: 1 } as const

/** `ws` finds a native helper here, which a test client has brought along and users do not have. */
const env = { ...process.env, WS_NO_BUFFER_UTIL: '1' }

/** Whether processes can be bound to cores here: Linux with `taskset` and at least two cores. */
export const pins: boolean =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  spawnSync('taskset', ['--version']).status === 0

/** How a child is started. */
export interface ChildOptions {
  /** What it runs, which answers by `answerQuestions`. */
  readonly file: URL
  readonly core: keyof typeof cores
  /** Further options of Node, such as `--expose-gc`. @default none */
  readonly flags?: readonly string[]
}

/** A running process and the channel to it. `Q`: what it may be asked. */
export class Child<Q extends Questions<Q>> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  constructor({ file, core, flags = [] }: ChildOptions) {
    const command = [process.execPath, ...process.execArgv, ...flags, file.pathname]
    const [program = '', ...args] = pins ? ['taskset', '-c', String(cores[core]), ...command] : command
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env })
    this.#child.on('message', (response: Response) => this.#answered(response))
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`${file.pathname} ended with ${String(code)}`))
    })
  }

  /** Asks one question. @throws Error when the other side fails */
  ask<K extends keyof Q & string>(kind: K, ask: Q[K]['ask']): Promise<Q[K]['answer']> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<Q[K]['answer']>()
    this.#waiting.set(id, waiting)
    const request: Request = { id, kind, ask }
    this.#child.send(request)
    return waiting.promise
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }

  /** Ends the process without letting it say anything, as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }

  #answered(response: Response): void {
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (response.error === undefined) waiting?.resolve(response.answer)
    else waiting?.reject(new Error(response.error))
  }
}
