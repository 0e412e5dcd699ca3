/** Measured servers as processes of their own, each on a core of its own where the system lets us choose. */
import { spawnSync } from 'node:child_process'
import { Child, cores, pins } from './child.ts'
import type { Role, ServerQuestions } from './protocol.ts'

export { pins } from './child.ts'

/** Binds the bench itself, which generates the load, to the core that servers do not use. */
export function pinGenerator(): void {
  if (pins) spawnSync('taskset', ['-a', '-p', '-c', String(cores.generator), String(process.pid)])
}

/** A running server and the channel to it. */
export class Server extends Child<ServerQuestions> {
  #port = 0

  /**
   * Starts a server in this role.
   * @param flags further options of Node, such as `--expose-gc`
   * @param core that of the measured, unless it is its clients that are measured
   */
  static async start(
    role: Role,
    flags: readonly string[] = [],
    core: keyof typeof cores = 'server',
  ): Promise<Server> {
    const server = new Server({ file: new URL('server.ts', import.meta.url), core, flags })
    const { port } = await server.ask('listen', role)
    server.#port = port
    return server
  }

  /** Where it listens, on loopback. */
  get port(): number {
    return this.#port
  }
}
