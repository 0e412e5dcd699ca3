/** `countersign/ws`: guards a `ws` server. Applications see `connection` only for those who were accepted. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import type { PeerTurn } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Accepted, Decision, Refused } from '../core/knock.ts'
import type { Lease, LeaseHolder } from '../core/lease.ts'
import { Policy } from '../core/policy.ts'
import type { Reason } from '../core/reasons.ts'
import { chunkWeight } from './chunk-weight.ts'
import { Closings } from './closings.ts'
import { acceptanceFrame, expiringFrame, isFramed, refusalFrame } from './frames.ts'
import { cutOff, gatedClass, type GatedSocket } from './gated-socket.ts'
import {
  answerHttp,
  httpRefusal,
  judgeUpgrades,
  type Upgrade,
  type UpgradeOptions,
  type UpgradeSteps,
} from './http.ts'
import { InBand } from './in-band.ts'
import { MessageGate } from './message-gate.ts'
import { WaitingSocket, type VisitEnds, type Welcome } from './waiting-room.ts'

/**
 * What an application hears an accepted socket by. `ws` types its `connection` event with two arguments; declare the
 * listener by this type and all three are known: `const greet: ConnectionListener = (socket, request, lease) => …`,
 * then `wss.on('connection', greet)`.
 */
export type ConnectionListener = (socket: WebSocket, request: IncomingMessage, lease: Lease) => void

export { onActions, type ActionHandlers } from './actions.ts'
export type { GatedSocket } from './gated-socket.ts'
export type { UpgradeOptions } from './http.ts'

/** Options of a guarded `ws` server. */
export interface WsOptions extends UpgradeOptions {
  /**
   * What each message must pass, made by `messagePolicy`: those that do are emitted as `message` and as `action`, those
   * that do not are answered by an error frame. @default every message of an open lease is emitted
   */
  readonly messages?: Policy
}

/**
 * Judges every upgrade of `server` by `guard` and hands accepted sockets to `wss` as `connection` events with a third
 * argument: `wss.on('connection', (socket, request, lease) => …)`. Add message listeners in that listener, not later:
 * messages that waited behind the credential are delivered right after it.
 *
 * `wss` must be made with `noServer: true`. Its `handleProtocols`, if any, is offered only what is not secret.
 *
 * @returns a function that stops guarding; open sockets stay with their leases
 * @throws MisuseError when `wss` listens by itself
 */
export function guardUpgrades(
  server: Server,
  wss: WebSocketServer,
  guard: Guard,
  options: WsOptions = {},
): () => void {
  const listener = upgradeListener(wss, guard, options)
  server.on('upgrade', listener)
  return () => void server.off('upgrade', listener)
}

/** The listener alone, for servers that route upgrades to several guards by path or host themselves. */
export function upgradeListener(
  wss: WebSocketServer,
  guard: Guard,
  options: WsOptions = {},
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  if (wss.options.noServer !== true)
    throw new MisuseError('invalid_option', 'wss: make it with noServer: true')
  // ws writes `null` where the option was left out.
  if (wss.options.verifyClient !== undefined && wss.options.verifyClient !== null) {
    throw new MisuseError('invalid_option', 'wss: verifyClient has no say behind a guard')
  }
  const { WebSocket: Base } = wss.options
  if (Base === undefined) throw new MisuseError('invalid_option', 'wss: ws 8.1 or newer is needed')
  if (options.messages !== undefined && !(options.messages instanceof Policy)) {
    throw new MisuseError('invalid_option', 'messages: make it with messagePolicy')
  }
  wss.options.WebSocket = gatedClass(Base)
  const side = new WsSide(wss, guard, options.messages)
  return judgeUpgrades(guard, side, options)
}

/** The `ws` side of every connection of one server: one object, so that a connection costs no closures. */
class WsSide implements UpgradeSteps, VisitEnds, LeaseHolder<GatedSocket> {
  readonly #wss: WebSocketServer
  readonly #guard: Guard
  readonly #messages: Policy | undefined
  readonly #replies: boolean
  readonly #clients: Set<WebSocket> | undefined
  readonly #closings: Closings<GatedSocket>

  constructor(wss: WebSocketServer, guard: Guard, messages: Policy | undefined) {
    this.#wss = wss
    this.#guard = guard
    this.#messages = messages
    // Absent when the server was made with `clientTracking: false`.
    this.#clients = wss.clients
    this.#closings = new Closings((socket, reason) => this.#part(socket, reason))
    this.#replies = guard.places.message.every((place) => place.carrier.replies)
  }

  /** The verdict fell on the handshake alone: nothing is queued. */
  accepted(upgrade: Upgrade, decision: Accepted): void {
    const socket = this.#open(upgrade)
    if (socket === undefined) decision.lease.leave()
    else this.welcome(socket, upgrade, { decision, queued: [] })
  }

  /** Browsers see no HTTP status of a refused upgrade: the handshake is completed to be able to say why. */
  refused(upgrade: Upgrade, decision: Refused): void {
    const socket = this.#open(upgrade)
    if (socket !== undefined) this.turnAway(socket, decision, upgrade)
  }

  /** A place in the pool comes before the socket: when it is full, not even a handshake is completed. */
  peer(upgrade: Upgrade, turn: PeerTurn<Decision>): void {
    const visit = new WaitingSocket({ guard: this.#guard, upgrade, turn, ends: this })
    if (!visit.enter()) {
      visit.gone()
      const decision = this.#guard.refusal(upgrade.handshake, 'overloaded')
      answerHttp(upgrade.socket, httpRefusal(this.#guard, decision), this.#guard.limits.lingerMs)
      return
    }
    const socket = this.#open(upgrade)
    if (socket === undefined) {
      visit.gone()
      return
    }
    // What an application broadcasts to `wss.clients` is not for those who wait.
    this.#clients?.delete(socket)
    visit.begin(socket)
  }

  /** Binds the lease, says what the protocol wants said, and gives the socket to the application. */
  welcome(socket: GatedSocket, upgrade: Upgrade, welcome: Welcome): void {
    const { lease, reply } = welcome.decision
    socket.lease = lease
    socket.transport = upgrade.socket
    if (this.#replies && isFramed(reply))
      socket.inBand = new InBand(this.#guard, socket, { handshake: upgrade.handshake, form: reply })
    lease.hold(this, socket)
    const frame = this.#replies && !lease.ended ? acceptanceFrame(reply, lease, lease.grantedAtMs) : undefined
    // Before the lease opens: a short one is warned at once, and the warning must not come first.
    if (frame !== undefined) socket.send(frame)
    if (!lease.open()) {
      // Ended between verdict and socket: nobody held it then, so nobody was told to close.
      this.close(socket, lease, lease.reason ?? 'internal')
      return
    }
    if (this.#messages !== undefined)
      socket.filter = new MessageGate(this.#messages, this.#guard, { socket, lease })
    this.#clients?.add(socket)
    this.#wss.emit('connection', socket, upgrade.request, lease)
    for (const { data, isBinary } of welcome.queued) socket.emit('message', data, isBinary)
  }

  /** An overloaded server does not linger: it says so and is gone. Everyone else has `lingerMs` to answer the close. */
  turnAway(socket: GatedSocket, decision: Refused, upgrade: Upgrade): void {
    this.#clients?.delete(socket)
    const frame = this.#replies ? refusalFrame(decision.reply, decision.reason) : undefined
    if (frame !== undefined) socket.send(frame)
    const lingers = decision.reason !== 'overloaded' && this.#guard.pool.occupy(socket)
    this.#close(socket, decision.reason)
    if (!lingers) {
      socket.terminate()
      return
    }
    socket.once('close', () => this.#guard.pool.vacate(socket))
    boundInput(socket, upgrade, decision.reason === 'message_too_big' ? 0 : this.#guard.limits.maxBytes)
  }

  /** Clients of bare tokens know no such frame: they are closed when the time comes. */
  warn(socket: GatedSocket, _lease: Lease, inMs: number): void {
    if (socket.inBand !== undefined) socket.send(expiringFrame(inMs))
  }

  /** The gate is shut already: telling is what takes time, and is done a few a turn, unless the process goes. */
  close(socket: GatedSocket, _lease: Lease, reason: Reason): void {
    if (reason === 'shutting_down') this.#part(socket, reason)
    else this.#closings.add(socket, reason)
  }

  /**
   * What is queued must not follow the end of a lease. On a plain connection output that waits is stuck: the peer does not
   * read. TLS writes behind the scenes, and is given a turn of the event loop.
   */
  #part(socket: GatedSocket, reason: Reason): void {
    const { transport } = socket
    if (socket.bufferedAmount === 0 || transport === undefined) this.#close(socket, reason)
    else if ('encrypted' in transport) setImmediate(() => this.#partNow(socket, reason))
    else this.#partNow(socket, reason)
  }

  #partNow(socket: GatedSocket, reason: Reason): void {
    if (socket.bufferedAmount === 0 || socket.transport === undefined) this.#close(socket, reason)
    else cutOff(socket.transport)
  }

  /** Completes the handshake. `undefined`: the peer left, or `ws` refused what the guard had accepted. */
  #open(upgrade: Upgrade): GatedSocket | undefined {
    let opened: GatedSocket | undefined
    this.#wss.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (client) => {
      // Sockets of this server are made by the class that `upgradeListener` put into its options.
      opened = client as GatedSocket
    })
    return opened
  }

  /** The peer has `lingerMs` to answer the close (RFC 6455 §7.1.1), then the socket is gone. */
  #close(socket: GatedSocket, reason: Reason): void {
    socket.close(this.#guard.closeCode(reason), reason)
    setTimeout(terminate, this.#guard.limits.lingerMs, socket)
  }
}

/** A refused peer may send a close frame, but not fill memory while it lingers: beyond `maxBytes` nothing is read. */
function boundInput(socket: GatedSocket, upgrade: Upgrade, maxBytes: number): void {
  let bytes = 0
  upgrade.socket.on('data', (chunk: Buffer) => {
    bytes += chunkWeight(chunk.length)
    if (bytes > maxBytes) socket.pause()
  })
  if (maxBytes === 0) socket.pause()
}

function terminate(socket: GatedSocket): void {
  socket.terminate()
}
