/** Connections of a bare server by group, so that it can close them as a guard would: at once, or one after another. */
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import { monotonicMs } from './clock.ts'
import type { Cut } from './protocol.ts'

/** Close code and reason of the guard's own for a revocation. */
const farewell = [3_003, 'revoked'] as const
/** As often as a guard looks at its leases. */
const lookMs = 250

/** Open connections by group. */
export class Groups {
  readonly #groups = new Map<string, Set<WebSocket>>()

  /** A `connection` listener: keeps the socket by the parameter `group` of its URL until it closes. */
  readonly keep = (socket: WebSocket, request: IncomingMessage): void => {
    const name = new URLSearchParams(request.url?.split('?')[1]).get('group') ?? ''
    const group = this.#groups.get(name) ?? new Set()
    this.#groups.set(name, group.add(socket))
    socket.once('close', () => void group.delete(socket))
  }

  /** Closes a group. */
  cut(name: string): Cut {
    const group = this.#groups.get(name) ?? new Set()
    const count = group.size
    const calledAtMs = monotonicMs()
    for (const socket of group) socket.close(...farewell)
    return { calledAtMs, shutAtMs: monotonicMs(), count }
  }

  /** Closes a group by and by. @returns how many there are to be closed */
  closeSpread(name: string, overMs: number): { readonly count: number } {
    const sockets = [...(this.#groups.get(name) ?? [])]
    const startedAtMs = monotonicMs()
    let next = 0
    const timer = setInterval(() => {
      const due = Math.min(1, (monotonicMs() - startedAtMs) / overMs) * sockets.length
      for (; next < due; next++) sockets[next]?.close(...farewell)
      if (next >= sockets.length) clearInterval(timer)
    }, lookMs)
    return { count: sockets.length }
  }
}
