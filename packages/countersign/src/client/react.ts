/** `countersign/client/react`: a socket as long as a component is there. */
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Sendable } from './outbox.ts'
import type { CountersignSocket } from './socket.ts'

/** How a socket stands. */
export type SocketStatus = 'connecting' | 'open' | 'reconnecting' | 'closed'

/** What a component sees of its socket. */
export interface SocketView {
  readonly status: SocketStatus
  /** Close code of the end, once `status` is `'closed'`. */
  readonly code: number | undefined
  /** Close reason of the end: a word of the table of refusals. */
  readonly reason: string | undefined
  /** Sends, or keeps what cannot be sent yet, as the socket does. */
  readonly send: (data: Sendable) => void
}

interface Snapshot {
  readonly status: SocketStatus
  readonly code: number | undefined
  readonly reason: string | undefined
}

const connecting: Snapshot = Object.freeze({ status: 'connecting', code: undefined, reason: undefined })

/** What outlives a rendering: the socket of now and how it stands. */
class SocketStore {
  #snapshot: Snapshot = connecting
  #socket: CountersignSocket | undefined = undefined
  #told: () => void = () => undefined
  readonly snapshot = (): Snapshot => this.#snapshot
  readonly send = (data: Sendable): void => this.#socket?.send(data)
  readonly subscribe = (told: () => void): (() => void) => {
    this.#told = told
    return () => (this.#told = () => undefined)
  }

  /** Follows a socket. @returns what closes it and stops following */
  follow(socket: CountersignSocket, hear: (event: MessageEvent) => void): () => void {
    const listening = new AbortController()
    const { signal } = listening
    const stands = (status: SocketStatus, code?: number, reason?: string): void => {
      this.#snapshot = { status, code, reason }
      this.#told()
    }
    this.#socket = socket
    this.#snapshot = connecting
    socket.addEventListener('open', () => stands('open'), { signal })
    socket.addEventListener('reconnecting', () => stands('reconnecting'), { signal })
    socket.addEventListener('close', ({ code, reason }) => stands('closed', code, reason), { signal })
    socket.addEventListener('message', hear, { signal })
    return () => {
      listening.abort()
      socket.close()
    }
  }
}

/**
 * Opens a socket when the component appears, or when `deps` change, and closes it when it goes. `onMessage` may be another
 * function at each rendering. On a server nothing is opened, and the status is `'connecting'`.
 *
 * @param open makes the socket: `() => new CountersignSocket(url, { carrier })`
 * @param deps what `open` depends upon, as for `useEffect`
 */
export function useCountersignSocket(
  open: () => CountersignSocket,
  deps: readonly unknown[],
  onMessage?: (event: MessageEvent) => void,
): SocketView {
  const store = useMemo(() => new SocketStore(), [])
  const hear = useRef(onMessage)
  useEffect(() => {
    hear.current = onMessage
  })
  const make = useCallback(open, deps)
  useEffect(() => store.follow(make(), (event) => hear.current?.(event)), [store, make])
  const { status, code, reason } = useSyncExternalStore(store.subscribe, store.snapshot, () => connecting)
  return { status, code, reason, send: store.send }
}
