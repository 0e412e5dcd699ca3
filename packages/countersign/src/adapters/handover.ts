/**
 * A guard in front of a framework that opens its own sockets by a `ws` server. The framework sees an upgrade when it has
 * been judged and cleaned, routes it by its own hooks, and asks its server for the socket: the guarded one is what it gets.
 */
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Guard } from '../core/guard.ts'
import type { Accepted } from '../core/knock.ts'
import type { Lease } from '../core/lease.ts'
import type { Reason } from '../core/reasons.ts'
import type { GatedSocket } from './gated-socket.ts'
import { HeldMessages } from './held-messages.ts'
import { answerHttp, httpRefusal, judgeUpgrades, type Upgrade } from './http.ts'
import { ignoreError } from './refuse.ts'
import type { QueuedMessage } from './waiting-room.ts'
import { guardedSide, type Reception, type WsOptions, type WsSide } from './ws-side.ts'

/** Node's own `upgrade` listener. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

type Opened = (socket: WebSocket, request: IncomingMessage) => void

/** An upgrade on its way through the framework. */
interface Pass {
  readonly upgrade: Upgrade
  readonly lease: Lease
  /** Not open yet: how it will be. `undefined`: the socket is there, because its credential came in a message. */
  readonly decision: Accepted | undefined
  readonly held: HeldMessages | undefined
  readonly timer: NodeJS.Timeout
  opened: Opened | undefined
}

/** By request, from its acceptance on. */
const leases = new WeakMap<IncomingMessage, Lease>()

/** The lease that a request was accepted with; `undefined`: no guard of a framework has judged it. */
export function leaseOfRequest(request: IncomingMessage): Lease | undefined {
  return leases.get(request)
}

/** One for each `ws` server of a framework. */
export class Handover implements Reception {
  /** Give this to `server.on('upgrade', …)`. */
  readonly listener: UpgradeListener
  readonly #guard: Guard
  readonly #side: WsSide
  readonly #clients: Set<WebSocket> | undefined
  readonly #forward: UpgradeListener
  readonly #passes = new Map<IncomingMessage, Pass>()
  #closed = false

  /**
   * Takes over `wss`: from now on it opens sockets for nobody whom the guard has not accepted.
   * @param forward what the framework listens to `upgrade` with
   * @throws MisuseError when `wss` listens by itself
   */
  constructor(
    wss: WebSocketServer,
    guard: Guard,
    { forward, ...options }: WsOptions & { readonly forward: UpgradeListener },
  ) {
    this.#guard = guard
    this.#forward = forward
    // Absent when the server was made with `clientTracking: false`.
    this.#clients = wss.clients
    this.#side = guardedSide(wss, guard, { messages: options.messages, reception: this })
    const judge = judgeUpgrades(guard, this.#side, options)
    this.listener = (request, socket, head) => {
      if (this.#closed) answerHttp(socket, this.#refusal('shutting_down'), guard.limits.lingerMs)
      else judge(request, socket, head)
    }
    wss.handleUpgrade = (request, socket, _head, opened) => this.#take(request, socket, opened)
  }

  /** Refuses, before its socket is taken, an upgrade that the guard had accepted: told as every refusal. */
  refuse(request: IncomingMessage, reason: Reason): void {
    const pass = this.#end(request)
    if (pass === undefined) return
    if (pass.decision === undefined) {
      pass.lease.apply({ kind: 'ended', reason }, this.#guard.now())
      pass.held?.release()
      return
    }
    pass.lease.leave()
    const { upgrade } = pass
    const refused = this.#guard.refusal(upgrade.handshake, reason)
    if (refused.tell === 'close' && !this.#guard.pool.crowded) this.#side.refused(upgrade, refused)
    else answerHttp(upgrade.socket, httpRefusal(this.#guard, refused), this.#guard.limits.lingerMs)
  }

  /** The server closes: nobody new is let in, whoever is here is told so. The guard itself is its owner's to close. */
  close(): void {
    this.#closed = true
    for (const request of this.#passes.keys()) this.refuse(request, 'shutting_down')
    this.#side.shutDown()
  }

  /** See `Reception`. */
  accepted(upgrade: Upgrade, decision: Accepted): void {
    const { request, socket, head } = upgrade
    const { lease } = decision
    socket.on('error', ignoreError)
    socket.once('close', () => {
      this.#end(request)
      lease.leave()
    })
    this.#admit({ upgrade, lease, decision, held: undefined })
    this.#forward(request, socket, head)
  }

  /**
   * See `Reception`. Either the framework is waiting for this socket, or it has not heard of it. What comes meanwhile is
   * held, and read no further than it was.
   */
  received(socket: GatedSocket, upgrade: Upgrade, queued: readonly QueuedMessage[]): void {
    const { request } = upgrade
    const held = new HeldMessages(socket, queued)
    const waiting = this.#end(request)
    if (waiting?.opened !== undefined) {
      waiting.opened(socket, request)
      held.release()
      return
    }
    const { lease } = socket
    if (lease === undefined) return
    // What an application broadcasts to `wss.clients` is for those whom its routes have let in.
    this.#clients?.delete(socket)
    this.#admit({ upgrade, lease, decision: undefined, held })
    this.#forward(
      request,
      deadEnd(() => this.refuse(request, 'forbidden')),
      Buffer.alloc(0),
    )
  }

  #admit(pass: Omit<Pass, 'timer' | 'opened'>): void {
    const { request } = pass.upgrade
    leases.set(request, pass.lease)
    // A framework that never answers holds nothing for longer than a peer might.
    const timer = setTimeout(() => this.refuse(request, 'internal'), this.#guard.limits.deadlineMs)
    this.#passes.set(request, { ...pass, timer, opened: undefined })
  }

  #end(request: IncomingMessage): Pass | undefined {
    const pass = this.#passes.get(request)
    if (pass === undefined) return undefined
    clearTimeout(pass.timer)
    this.#passes.delete(request)
    return pass
  }

  /** What the framework calls to open the socket, in place of the server's own. */
  #take(request: IncomingMessage, socket: Duplex, opened: Opened): void {
    const pass = this.#passes.get(request)
    if (pass === undefined) {
      // Not judged, or refused meanwhile: no second way in.
      answerHttp(socket, this.#refusal('forbidden'), this.#guard.limits.lingerMs)
      return
    }
    if (pass.decision !== undefined) {
      pass.opened = opened
      this.#side.admit(pass.upgrade, pass.decision)
      this.#end(request)
      return
    }
    this.#end(request)
    if (pass.held === undefined) return
    this.#clients?.add(pass.held.socket)
    opened(pass.held.socket, request)
    pass.held.release()
  }

  #refusal(reason: Reason): ReturnType<typeof httpRefusal> {
    const refused = { kind: 'refused', reason, retryAfterMs: undefined, tell: 'http', reply: 'bare' } as const
    return httpRefusal(this.#guard, refused)
  }
}

/** In place of a socket that speaks WebSocket already: an HTTP answer cannot be sent any more, and is a refusal. */
function deadEnd(answered: () => void): Duplex {
  return new Duplex({
    read() {
      // There is nothing to read.
    },
    write(_chunk, _encoding, done) {
      answered()
      done()
    },
    final(done) {
      answered()
      done()
    },
    destroy(error, done) {
      answered()
      done(error)
    },
  })
}
