/** The `ws` side of guarded upgrades: opens sockets, holds their leases, closes them. Adapters differ in who takes them. */
import type { WebSocket, WebSocketServer } from 'ws'
import type { ReplyForm } from '../core/credential.ts'
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
import { cutOff, gatedClass, transportOf, type GatedSocket } from './gated-socket.ts'
import { answerHttp, httpRefusal, type Upgrade, type UpgradeOptions, type UpgradeSteps } from './http.ts'
import { InBand } from './in-band.ts'
import { LateCredential } from './late-credential.ts'
import { MessageGate } from './message-gate.ts'
import type { Opening } from './opening.ts'
import { tellAndDestroy } from './tell-and-destroy.ts'
import { WaitingSocket, type QueuedMessage, type VisitEnds, type Welcome } from './waiting-room.ts'

/** Options of a guarded `ws` server. */
export interface WsOptions extends UpgradeOptions {
  /**
   * What each message must pass, made by `messagePolicy`: those that do are emitted as `message` and as `action`, those
   * that do not are answered by an error frame. @default every message of an open lease is emitted
   */
  readonly messages?: Policy
}

/** Who takes the sockets of those who were accepted. */
export interface Reception {
  /** Accepted by the handshake alone, and not open yet: `admit` at the side, now or later, or leave the lease. */
  accepted(upgrade: Upgrade, decision: Accepted): void
  /** The socket is open and bound to its lease; what waited behind the credential comes first. */
  received(socket: GatedSocket, upgrade: Upgrade, queued: readonly QueuedMessage[]): void
}

/** What adapters tell the `ws` side. */
interface SideOptions {
  /** See `WsOptions`. */
  readonly messages?: Policy | undefined
  /** @default the `connection` event of the server, at once */
  readonly reception?: Reception
  /** How a first message of another protocol is read. @default text, as the carriers read it */
  readonly opening?: Opening | undefined
  /** Whether that message may bring a credential beside one of the handshake. @default as the application takes it */
  readonly late?: 'refused' | undefined
}

/**
 * Makes a server the guard's: its sockets are gated from now on.
 * @throws MisuseError when the server listens by itself, or has a say of its own
 */
export function guardedSide(wss: WebSocketServer, guard: Guard, options: SideOptions): WsSide {
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
  return new WsSide(wss, guard, options)
}

/** The `ws` side of every connection of one server: one object, so that a connection costs no closures. */
export class WsSide implements UpgradeSteps, VisitEnds, LeaseHolder<GatedSocket> {
  readonly #guard: Guard
  readonly #messages: Policy | undefined
  readonly #wss: WebSocketServer
  readonly #reception: Reception | undefined
  readonly #opening: Opening | undefined
  readonly #late: 'refused' | undefined
  /** As the server had it: adapters may put another in its place. */
  readonly #handleUpgrade: WebSocketServer['handleUpgrade']
  /** Sockets that are open and not accepted yet. */
  readonly #waiting = new Map<GatedSocket, WaitingSocket>()
  readonly #replies: boolean
  readonly #clients: Set<WebSocket> | undefined
  readonly #closings: Closings<GatedSocket>

  constructor(wss: WebSocketServer, guard: Guard, { messages, reception, opening, late }: SideOptions) {
    this.#guard = guard
    this.#messages = messages
    this.#wss = wss
    this.#reception = reception
    this.#opening = opening
    this.#late = guard.places.message.length === 0 ? undefined : late
    this.#handleUpgrade = wss.handleUpgrade.bind(wss)
    // Absent when the server was made with `clientTracking: false`.
    this.#clients = wss.clients
    this.#closings = new Closings((socket, reason) => this.#part(socket, reason))
    this.#replies = opening === undefined && guard.places.message.every((place) => place.carrier.replies)
  }

  /** The verdict fell on the handshake alone: nothing is queued. */
  accepted(upgrade: Upgrade, decision: Accepted): void {
    if (this.#reception === undefined) this.admit(upgrade, decision)
    else this.#reception.accepted(upgrade, decision)
  }

  /** Opens the socket of someone who was accepted by the handshake alone. */
  admit(upgrade: Upgrade, decision: Accepted): void {
    const socket = this.#open(upgrade)
    if (socket === undefined) decision.lease.leave()
    else {
      this.welcome(socket, upgrade, { decision, queued: [] })
      if (this.#late !== undefined && this.#opening !== undefined) {
        const { handshake } = upgrade
        socket.filter = new LateCredential(this.#guard, socket, { opening: this.#opening, handshake })
      }
    }
  }

  /** Browsers see no HTTP status of a refused upgrade: the handshake is completed to be able to say why. */
  refused(upgrade: Upgrade, decision: Refused): void {
    const socket = this.#open(upgrade)
    if (socket !== undefined) this.turnAway(socket, decision, upgrade)
  }

  /** A place in the pool comes before the socket: when it is full, not even a handshake is completed. */
  peer(upgrade: Upgrade, turn: PeerTurn<Decision>): void {
    const visit = new WaitingSocket({ guard: this.#guard, upgrade, turn, ends: this, opening: this.#opening })
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
    this.#waiting.set(socket, visit)
    visit.begin(socket)
  }

  /** Binds the lease, says what the protocol wants said, and gives the socket to the application. */
  welcome(socket: GatedSocket, upgrade: Upgrade, welcome: Welcome): void {
    const { lease, reply } = welcome.decision
    socket.lease = lease
    // Servers of protocols take what was not sent for a failure of their own, and say so in the log.
    socket.tellsDrops = this.#opening === undefined
    const inBand = this.#replies && isFramed(reply) ? this.#inBand(socket, upgrade, reply) : undefined
    socket.filter = inBand
    lease.hold(this, socket)
    const frame = this.#replies && !lease.ended ? acceptanceFrame(reply, lease, lease.grantedAtMs) : undefined
    // Before the lease opens: a short one is warned at once, and the warning must not come first.
    if (frame !== undefined) socket.send(frame)
    if (!lease.open()) {
      // Ended between verdict and socket: nobody held it then, so nobody was told to close.
      this.close(socket, lease, lease.reason ?? 'internal')
      return
    }
    if (this.#messages !== undefined) {
      const gate = new MessageGate(this.#messages, this.#guard, { socket, lease })
      if (inBand === undefined) socket.filter = gate
      else inBand.next = gate
    }
    this.#clients?.add(socket)
    if (this.#reception === undefined) {
      this.#wss.emit('connection', socket, upgrade.request, lease)
      for (const { data, isBinary } of welcome.queued) socket.emit('message', data, isBinary)
    } else this.#reception.received(socket, upgrade, welcome.queued)
  }

  /** See `VisitEnds`. */
  left(socket: GatedSocket): void {
    this.#waiting.delete(socket)
  }

  /** The server closes: whoever waits is sent away, whoever is here is told. The guard is its owner's to close. */
  shutDown(): void {
    for (const visit of this.#waiting.values()) visit.evict('shutting_down')
    for (const client of this.#clients ?? []) {
      // Sockets of this server are made by the class that `guardedSide` put into its options.
      const { lease } = client as GatedSocket
      lease?.apply({ kind: 'ended', reason: 'shutting_down' }, this.#guard.now())
    }
  }

  /** An overloaded server does not linger: it says so and is gone. Everyone else has `lingerMs` to answer the close. */
  turnAway(socket: GatedSocket, decision: Refused, upgrade: Upgrade): void {
    this.#clients?.delete(socket)
    const frame = this.#replies ? refusalFrame(decision.reply, decision.reason) : undefined
    if (frame !== undefined) socket.send(frame)
    if (decision.reason === 'overloaded' || !this.#guard.pool.occupy(socket)) {
      tellAndDestroy(upgrade.socket, this.#guard.closeCode(decision.reason), decision.reason)
      return
    }
    this.#close(socket, decision.reason)
    socket.once('close', () => this.#guard.pool.vacate(socket))
    boundInput(socket, upgrade, decision.reason === 'message_too_big' ? 0 : this.#guard.limits.maxBytes)
  }

  /** Clients of bare tokens know no such frame: they are closed when the time comes. */
  warn(socket: GatedSocket, _lease: Lease, inMs: number): void {
    if (socket.filter instanceof InBand) socket.send(expiringFrame(inMs))
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
    const transport = transportOf(socket)
    if (socket.bufferedAmount === 0) this.#close(socket, reason)
    else if (transport !== undefined && 'encrypted' in transport)
      setImmediate(() => this.#partNow(socket, reason))
    else this.#partNow(socket, reason)
  }

  #partNow(socket: GatedSocket, reason: Reason): void {
    const transport = transportOf(socket)
    if (socket.bufferedAmount === 0) this.#close(socket, reason)
    else if (transport === undefined) socket.terminate()
    else cutOff(transport)
  }

  #inBand(socket: GatedSocket, { handshake }: Upgrade, form: ReplyForm): InBand {
    return new InBand(this.#guard, socket, { handshake, form })
  }

  /** Completes the handshake. `undefined`: the peer left, or `ws` refused what the guard had accepted. */
  #open(upgrade: Upgrade): GatedSocket | undefined {
    let opened: GatedSocket | undefined
    this.#handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (client) => {
      // Sockets of this server are made by the class that `upgradeListener` put into its options.
      opened = client as GatedSocket
    })
    return opened
  }

  /** The peer has `lingerMs` to answer the close (RFC 6455 §7.1.1), then the socket is gone. */
  #close(socket: GatedSocket, reason: Reason): void {
    socket.part(this.#guard.closeCode(reason), reason)
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
