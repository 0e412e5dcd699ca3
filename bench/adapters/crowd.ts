/** A server and a crowd of the library's clients at it, in a few processes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StormClients } from '../rig/clients.ts'
import type { StormState } from '../rig/clients-protocol.ts'
import { Server } from '../rig/process.ts'
import { hmacSigner } from '../rig/tokens.ts'

const processes = 2
const signer = hmacSigner(0)

/** Starts a server. Another one at the same port, later, knows the same tokens. */
export function startSite(port = 0): Promise<Server> {
  return Server.start({ kind: 'client-site', key: signer.key, port })
}

/** Clients, however many processes they are in. */
export class StormCrowd {
  readonly #all: readonly StormClients[]

  private constructor(all: readonly StormClients[]) {
    this.#all = all
  }

  /** Opens a crowd. @param tokensOf makes the tokens that one client shows in turn */
  static async gather(
    port: number,
    count: number,
    tokensOf: (token: () => string) => readonly string[],
  ): Promise<StormCrowd> {
    const all = Array.from({ length: processes }, () => StormClients.start())
    const each = Math.ceil(count / processes)
    const crowd = new StormCrowd(all)
    try {
      await Promise.all(
        all.map((clients, at) => {
          const first = at * each
          const length = Math.min(each, count - first)
          const tokens = Array.from({ length }, () => tokensOf(() => signer.token(subject)))
          return clients.ask('gather', { port, first, tokens })
        }),
      )
    } catch (error) {
      await crowd.stop()
      throw error
    }
    return crowd
  }

  async state(): Promise<StormState> {
    const states = await Promise.all(this.#all.map((clients) => clients.ask('state', undefined)))
    return states.reduce((sum, state) => ({
      open: sum.open + state.open,
      closed: sum.closed + state.closed,
      attempts: sum.attempts + state.attempts,
    }))
  }

  /** Waits until the crowd is as wanted, or for so long. @returns ms that it took */
  async until(wanted: (state: StormState) => boolean, withinMs: number): Promise<number> {
    const startedAt = performance.now()
    while (performance.now() < startedAt + withinMs && !wanted(await this.state())) await sleep(100)
    return performance.now() - startedAt
  }

  /** When each began its first attempt since an instant. */
  async firstAttempts(sinceMs: number): Promise<readonly number[]> {
    const all = await Promise.all(this.#all.map((clients) => clients.ask('firstAttempts', { sinceMs })))
    return all.flat()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((clients) => clients.stop()))
  }
}

/** Whose tokens all of them have. */
export const subject = 'crowd'
