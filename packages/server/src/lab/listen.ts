/** Listening on loopback, both address families, with errors that name the port and who wanted it. */
import type { FastifyInstance } from 'fastify'

/** Something that listens. */
export interface Listener {
  readonly name: string
  /** Where people and pages reach it. */
  readonly url: string
  readonly port: number
  readonly app: FastifyInstance
  close(): Promise<void>
}

/** Another program listens where the lab wants to. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'
  readonly port: number
  /** What wanted the port. */
  readonly wantedBy: string
  constructor(port: number, wantedBy: string) {
    super(`port ${port} is taken (${wantedBy})`)
    this.port = port
    this.wantedBy = wantedBy
  }
}

/** Listens on 127.0.0.1 and ::1. @throws PortTakenError */
export async function listenOnLoopback(listener: Listener): Promise<Listener> {
  try {
    await listener.app.listen({ host: 'localhost', port: listener.port })
  } catch (error) {
    if (isTaken(error)) throw new PortTakenError(listener.port, listener.name)
    throw error
  }
  return listener
}

/** Closes in order of starting; one that fails does not keep the others open. */
export async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.allSettled(listeners.map((listener) => listener.close()))
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
