/** A guarded `ws` server whose messages are held to a policy, and a client at it. */
import type { Socket } from 'node:net'
import { expect } from 'vitest'
import type { WebSocket } from 'ws'
import {
  messagePolicy,
  query,
  type Lease,
  type PolicyOptions,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { handshakeOf } from '../support/guard.ts'
import { stillClock, type StillClock } from '../support/clock.ts'
import {
  call,
  expectAccepted,
  openGuarded,
  until,
  type Caller,
  type Door,
  type DoorOptions,
  type Guest,
} from '../support/sockets.ts'

/** A door, its clock, and everything that one client and its application have heard. */
export interface Room {
  readonly door: Door
  readonly clock: StillClock
  readonly guest: Guest
  readonly lease: Lease
  readonly caller: Caller
  /** What reached the application as `action`. */
  readonly actions: unknown[]
  /** What reached it as raw binary messages. */
  readonly binaries: Uint8Array[]
  /** Error frames that the client got so far. */
  errors(): readonly unknown[]
  /** Sends these as JSON, texts as they are. */
  say(...messages: readonly unknown[]): void
  /** Sends one message more and waits until it has been answered or delivered: all before it have been by then. */
  settled(): Promise<void>
}

/** Every room answers this message, so that a test knows when those before it are through. */
const last = { type: 'last.of.all' }

let mark = 0

/** Opens a room with one member in it. */
export async function openRoom(
  options: PolicyOptions,
  more: Partial<DoorOptions> & { readonly roles?: readonly string[]; readonly leaseMs?: number } = {},
): Promise<Room> {
  const { roles = ['member'], leaseMs = 900_000, ...rest } = more
  const clock = stillClock()
  const messages = messagePolicy({
    clock,
    ...options,
    actions: { ...options.actions, 'last.of.all': { roles: 'anyone' } },
  })
  const actions: unknown[] = []
  const binaries: Uint8Array[] = []
  const door = await openGuarded({
    accept: [ticket({ from: query('ticket') })],
    platform: { ...nodePlatform(), clock },
    messages,
    ...rest,
    application: (guest) => {
      guest.socket.on('action', (message) => void actions.push(message))
      guest.socket.on('message', (data: Uint8Array, isBinary) => void (isBinary && binaries.push(data)))
      rest.application?.(guest)
    },
  })
  const { ticket: secret } = await door.guard.issue.ticket({ subject: 'alice', roles: [...roles], leaseMs })
  const caller = call(door, { path: `/?ticket=${secret}` })
  const guest = await expectAccepted(door, caller, 'alice')
  const say = (...texts: readonly unknown[]): void => {
    for (const text of texts) caller.socket.send(typeof text === 'string' ? text : JSON.stringify(text))
  }
  return {
    door,
    clock,
    guest,
    lease: guest.lease,
    caller,
    actions,
    binaries,
    errors: () => caller.frames.map((text): unknown => JSON.parse(text)),
    say,
    async settled() {
      const id = `mark ${mark++}`
      say({ ...last, id })
      const seen = (message: unknown): boolean => (message as { id?: unknown }).id === id
      await until(() => actions.some(seen) || caller.frames.some((text) => text.includes(id)))
      // What was said before has reached the client once this has.
      if (actions.some(seen)) guest.socket.send(id)
      await until(() => caller.frames.some((text) => text.includes(id)))
      for (const list of [actions, guest.messages, caller.frames]) {
        const at = list.findIndex((one) => (typeof one === 'string' ? one.includes(id) : seen(one)))
        if (at !== -1) list.splice(at, 1)
      }
    },
  }
}

/** Brings the lease other roles, as an application does: by a fresh ticket of the same subject. */
export async function giveRoles({ door, lease }: Room, ...roles: readonly string[]): Promise<void> {
  const { ticket: secret } = await door.guard.issue.ticket({ subject: 'alice', roles: [...roles] })
  const target = `/?ticket=${secret}`
  expect(await door.guard.refresh(lease.id, handshakeOf({ target }))).toBeUndefined()
  expect(lease.principal.roles).toEqual(roles)
}

/** Writes messages so that they leave together. */
export async function inOneChunk(socket: WebSocket, messages: readonly object[]): Promise<void> {
  const raw = (socket as unknown as { readonly _socket: Socket })._socket
  raw.cork()
  for (const message of messages) socket.send(JSON.stringify(message))
  await new Promise((resolve) => {
    process.nextTick(() => {
      raw.uncork()
      resolve(undefined)
    })
  })
}
