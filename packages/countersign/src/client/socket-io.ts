/** `countersign/client/socket.io`: credentials for the client of Socket.IO, which opens and reopens its connections itself. */
import type { Clock } from '../core/ports.ts'
import type { Advice } from '../core/reasons.ts'
import { pauseMs } from './backoff.ts'
import { issued, type GetCredential } from './carrier.ts'
import { after, systemClock } from './clock.ts'
import { Unauthorized } from './errors.ts'
import { CredentialMemory } from './memory.ts'
import { reasonAdvice } from './reason-advice.ts'

/** The members that are used of a socket of `socket.io-client`. */
export interface SocketIoSocket {
  on(event: 'connect', listener: () => void): unknown
  on(event: 'connect_error', listener: (error: Error & { readonly data?: unknown }) => void): unknown
  connect(): unknown
  disconnect(): unknown
}

/** How a Socket.IO client shows its credential. */
export interface SocketIoOptions {
  /** Member of `auth` that holds it. @default `'token'` */
  readonly member?: string
  readonly memory?: CredentialMemory
  readonly clock?: Clock
  /** @default `Math.random` */
  readonly random?: () => number
}

/** What `io(url, { auth })` is given, and what follows the refusals. */
export interface SocketIoAuth {
  /** The option `auth` of `io()`. */
  readonly auth: (send: (data: Record<string, unknown>) => void) => void
  /** Call it with the socket: refusals are followed as the table advises. @returns the same socket */
  follow<S extends SocketIoSocket>(socket: S): S
}

/**
 * A fresh credential for each connection of Socket.IO, and never one that was refused. Socket.IO does not come again by
 * itself when a server's middleware has refused it; `follow` makes it come again where the reason in `error.data.reason`
 * advises that, and lets it rest where it does not.
 */
export function socketIoAuth(getCredential: GetCredential, options: SocketIoOptions = {}): SocketIoAuth {
  const {
    member = 'token',
    memory = new CredentialMemory(),
    clock = systemClock,
    random = Math.random,
  } = options
  let shown: string | undefined
  let followed: SocketIoSocket | undefined

  const stop = (reason: string): void => {
    memory.stop({ code: 3000, reason, wasClean: false })
    followed?.disconnect()
  }
  const show = async (send: (data: Record<string, unknown>) => void): Promise<void> => {
    if (memory.stopped !== undefined) return stop(memory.stopped.reason)
    const ask = { purpose: 'connect' as const, refused: memory.why, signal: new AbortController().signal }
    const { credential } = issued(await getCredential(ask))
    if (memory.hasRefused(credential)) throw new Unauthorized('this credential was refused before')
    shown = credential
    send({ [member]: credential })
  }
  const again = (socket: SocketIoSocket, advice: Advice): void => {
    if (advice === 'stop' || advice === 'fix') return stop(memory.why ?? 'forbidden')
    if (advice !== 'new_credential') memory.failed()
    const delayMs = pauseMs(advice, { failures: Math.max(0, memory.failures - 1), random })
    after(clock, delayMs, () => void socket.connect())
  }
  return {
    auth: (send) => {
      show(send).catch((error: unknown) => {
        if (error instanceof Unauthorized) stop(memory.why ?? 'missing_credential')
        else if (followed !== undefined)
          again(followed.disconnect() === undefined ? followed : followed, 'back_off')
      })
    },
    follow(socket) {
      followed = socket
      socket.on('connect', () => {
        memory.accepted()
        memory.settled()
      })
      socket.on('connect_error', ({ data }) => {
        const reason = reasonOf(data)
        // Without a reason it is the transport that failed, and Socket.IO tries again by itself.
        if (reason === undefined) return
        const advice = reasonAdvice(reason)
        again(socket, advice === 'new_credential' ? memory.refused(shown, reason) : advice)
      })
      return socket
    },
  }
}

function reasonOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('reason' in data)) return undefined
  return typeof data.reason === 'string' ? data.reason : undefined
}
