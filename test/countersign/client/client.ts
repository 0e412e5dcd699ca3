import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { BaseSocketClass } from '../../../packages/countersign/src/client/base.ts'
import {
  CountersignSocket,
  type IssuedCredential,
  type SocketOptions,
} from '../../../packages/countersign/src/client/index.ts'
import { fakeClock, type FakeClock } from '../../../packages/countersign/src/testing/fake-clock.ts'
import { until, type Door } from '../support/sockets.ts'
import { pageOrigin } from '../support/guard.ts'

/** The class of the package `ws` as a page of the allowed origin would be. */
export const pageSocket: BaseSocketClass = class extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols ?? [], { origin: pageOrigin })
  }
}

/** A page's sockets, with its jar of cookies. */
export function browserWith(cookies: () => string): BaseSocketClass {
  return class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols ?? [], { origin: pageOrigin, headers: { cookie: cookies() } })
    }
  }
}

/** What the runtime has, and what the package has. */
export const bases: readonly (readonly [string, BaseSocketClass])[] = [
  ['the runtime’s own WebSocket', globalThis.WebSocket],
  ['the package ws', WebSocket],
]

/** A socket and what was heard of it. */
export interface Watched {
  readonly socket: CountersignSocket
  readonly heard: string[]
  readonly messages: unknown[]
  readonly errors: Error[]
  readonly leases: number[]
  readonly pauses: number[]
  /** Waits until the last thing that was heard is this. */
  comes(what: string): Promise<void>
}

/** Connects to a door; closed when the test is over. */
export function connect(door: Pick<Door, 'port'>, options: SocketOptions, path = '/'): Watched {
  return watch(new CountersignSocket(`ws://127.0.0.1:${door.port}${path}`, options))
}

/** Writes down what is heard of a socket: `open`, `close 3000 revoked`, `reconnecting 1006`. */
export function watch(socket: CountersignSocket): Watched {
  const heard: string[] = []
  const watched: Watched = {
    socket,
    heard,
    messages: [],
    errors: [],
    leases: [],
    pauses: [],
    comes: (what) => until(() => heard.at(-1)?.startsWith(what) === true),
  }
  socket.addEventListener('open', () => heard.push('open'))
  socket.addEventListener('message', ({ data }) => watched.messages.push(data))
  socket.addEventListener('error', ({ error }) => watched.errors.push(error))
  socket.addEventListener('lease', ({ leaseMs }) => watched.leases.push(leaseMs ?? NaN))
  socket.addEventListener('close', ({ code, reason }) => heard.push(`close ${code} ${reason}`.trim()))
  socket.addEventListener('reconnecting', ({ code, reason, delayMs }) => {
    watched.pauses.push(delayMs)
    heard.push(`reconnecting ${code} ${reason}`.trim())
  })
  onTestFinished(() => socket.close())
  return watched
}

/** Tickets of a door for somebody, one a call, and how often they were asked for. */
export function ticketsOf(
  door: Door,
  leaseMs = 900_000,
  subject = 'alice',
): (() => Promise<IssuedCredential>) & { count: number } {
  const get = async (): Promise<IssuedCredential> => {
    get.count++
    const { ticket, lease } = await door.guard.issue.ticket({ subject, roles: ['member'], leaseMs })
    return { credential: ticket, lease, leaseMs }
  }
  get.count = 0
  return get
}

/** A clock of the client's alone, which stands still; the server has the real one. */
export function testClock(): FakeClock {
  return fakeClock(Date.now())
}
