/** `countersign/wamp/ws`: WAMP over WebSocket. Upgrades that a guard lets pass become connections of a router. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer, type RawData } from 'ws'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Refused } from '../core/knock.ts'
import type { Reason } from '../core/reasons.ts'
import { settle } from '../core/drive.ts'
import type { MaybePromise } from '../core/records.ts'
import { splitBatch } from '../wamp/batch.ts'
import type { Codec, Malformed } from '../wamp/codec.ts'
import type { ConnectionSettings } from '../wamp/connection-facts.ts'
import type { TransportIdentity } from '../wamp/ports.ts'
import { settingsWith } from '../wamp/router-limits.ts'
import type { Router } from '../wamp/router.ts'
import { checkUpgrade } from '../wire/upgrade.ts'
import { chunkWeight } from './chunk-weight.ts'
import { handshakeOf, type HandshakeSources } from './handshake.ts'
import { hide } from './hide.ts'
import type { UpgradeOptions } from './http.ts'
import { trustProxies } from './proxies.ts'
import { answerHttp, httpRefusal, ignoreError } from './refuse.ts'
import { freshCookie, type CookieTerms } from './wamp-cookie.ts'
import { headersNamed, WebSocketConnection } from './wamp-facts.ts'
import { Link, type LinkHooks } from './wamp-link.ts'
import { chooseWire, wiresOf, type WebSocketWire, type WireOptions } from './wamp-wires.ts'

/** Options of a WebSocket transport for WAMP. */
export interface WampWebSocketOptions extends UpgradeOptions, WireOptions {
  /** Who may join, and how. */
  readonly guard: Guard
  /** Largest message of a peer, bytes. @default 1 MiB */
  readonly maxMessageBytes?: number
  /** Largest amount of output that waits for a peer that does not read, bytes; then it is closed with 1008. @default 1 MiB */
  readonly maxQueuedBytes?: number
  /** How often an idle peer is pinged, ms; one that was not heard of for two rounds is cut off. 0: never. @default 0 */
  readonly pingIntervalMs?: number
  /** How long a ping may go unanswered, ms, where that is less than the interval. @default until the next ping */
  readonly pingTimeoutMs?: number
  /** Remembers clients by a cookie of this transport. @default none */
  readonly cookie?: CookieTerms
  /**
   * Names of secret headers (`cookie`, `authorization`) that authenticators are told, each to those that name it in their
   * own option. Nobody else is: neither authorizers nor the meta API. @default none
   */
  readonly dangerouslyPassHeaders?: readonly string[]
  /** Durations and words of this transport. @default those of the router */
  readonly session?: Partial<ConnectionSettings>
}

/** A socket of this server; `link` is set as soon as it is open. */
class WampSocket extends WebSocket {
  link: Link | undefined = undefined
  codec: Codec | undefined = undefined
}

/** A transport that listens to nothing by itself: hand upgrades of its path to `upgrade`. */
export interface WampWebSockets {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Stops pinging, and forgets nobody any more whom the meta API kills. Connections are the router's to close. */
  close(): void
}

/**
 * Makes connections of `router` out of upgrades. Order of work: RFC 6455 §4.2.1, host, origin, rate, a place in the pool,
 * then the handshake; the session's HELLO is judged by the guard. Give `upgrade` to `server.on('upgrade', …)`, or route to
 * it by path.
 */
export function wampWebSockets(router: Router, options: WampWebSocketOptions): WampWebSockets {
  const side = new WebSocketSide(router, options)
  return {
    upgrade: (request, socket, head) => side.upgrade(request, socket, head),
    close: () => side.close(),
  }
}

const mebibyte = 1_048_576

class WebSocketSide implements LinkHooks {
  readonly maxQueuedBytes: number
  readonly #router: Router
  readonly #options: WampWebSocketOptions
  readonly #sources: HandshakeSources
  readonly #wires: readonly WebSocketWire[]
  readonly #settings: ConnectionSettings
  readonly #wss: WebSocketServer
  /** Only where peers are pinged. */
  readonly #pinged: Set<Link> | undefined
  readonly #pinging: NodeJS.Timeout | undefined
  /** Stops listening to kills. */
  readonly #unhear: (() => void) | undefined
  /** Until pings of this round must be answered. */
  #awaiting: NodeJS.Timeout | undefined
  /** What was chosen for the upgrade in hand: `ws` asks in the middle of it. */
  #chosen: WebSocketWire | undefined
  /** `Set-Cookie` of the upgrade in hand. */
  #header: string | undefined

  constructor(router: Router, options: WampWebSocketOptions) {
    this.#router = router
    this.#options = options
    this.maxQueuedBytes = options.maxQueuedBytes ?? mebibyte
    this.#wires = wiresOf(options)
    this.#settings = settingsWith(router.settings, options.session)
    this.#sources = {
      trust: options.proxies === undefined ? undefined : trustProxies(options.proxies),
      certificates: true,
    }
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes ?? mebibyte,
      WebSocket: WampSocket,
      handleProtocols: () => this.#chosen?.name ?? false,
    })
    if (options.cookie !== undefined) {
      this.#wss.on('headers', (headers: string[]) => {
        if (this.#header !== undefined) headers.push(this.#header)
      })
    }
    this.#unhear = options.cookie === undefined ? undefined : this.#hearKills(options.cookie)
    const every = options.pingIntervalMs ?? 0
    this.#pinged = every > 0 ? new Set() : undefined
    this.#pinging = every > 0 ? setInterval(() => this.#ping(), every).unref() : undefined
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { guard } = this.#options
    const shape = checkUpgrade(request)
    if (shape !== 'ok') {
      answerHttp(
        socket,
        { status: shape.status, headers: shape.headers, body: 'Bad request' },
        guard.limits.lingerMs,
      )
      return
    }
    const handshake = handshakeOf(request, this.#sources)
    if (typeof handshake === 'string') {
      answerHttp(socket, httpRefusal(guard, unasked(handshake)), guard.limits.lingerMs)
      return
    }
    const refused = guard.greet(handshake)
    if (refused !== undefined) {
      answerHttp(socket, httpRefusal(guard, refused), guard.limits.lingerMs)
      return
    }
    const wire = chooseWire(this.#wires, handshake.subprotocol, this.#options.requireSubprotocol ?? true)
    if (wire === undefined) {
      answerHttp(
        socket,
        { status: 400, headers: {}, body: 'No subprotocol in common' },
        guard.limits.lingerMs,
      )
      return
    }
    this.#open({ request, socket, head }, handshake, wire)
  }

  close(): void {
    this.#unhear?.()
    clearInterval(this.#pinging)
    clearTimeout(this.#awaiting)
  }

  /** See `LinkHooks`. */
  remember(link: Link, identity: TransportIdentity): void {
    link.socket.off('data', countBytes)
    const terms = this.#options.cookie
    if (terms === undefined || link.cookie === undefined) return
    const { shown, given } = link.cookie
    const { guard } = this.#options
    if (shown !== undefined) keep(guard, () => terms.store.forget(shown))
    const { authmethod, realm, lease } = identity
    if (authmethod === 'anonymous') return
    const { principal, grant, untilMs } = lease
    keep(guard, () => terms.store.remember(given, { principal, grant, realm, untilMs }, guard.now()))
  }

  /** See `LinkHooks`. */
  forget(link: Link): void {
    const terms = this.#options.cookie
    if (terms === undefined || link.cookie === undefined) return
    const { shown, given } = link.cookie
    keep(this.#options.guard, () => terms.store.forget(given))
    if (shown !== undefined) keep(this.#options.guard, () => terms.store.forget(shown))
  }

  /** See `LinkHooks`. */
  ended(link: Link): void {
    this.#pinged?.delete(link)
  }

  /** See `LinkHooks`. */
  parted(link: Link): void {
    link.socket.prependListener('data', countBytes)
  }

  #hearKills({ store }: CookieTerms): () => void {
    return this.#router.onKilled((isMeant) => keep(this.#options.guard, () => store.forgetWhere(isMeant)))
  }

  #open(at: Arrival, handshake: Handshake, wire: WebSocketWire): void {
    const { guard, cookie: terms, dangerouslyPassHeaders = [] } = this.#options
    const { request, socket, head } = at
    const fresh = terms === undefined ? undefined : freshCookie(terms, handshake)
    const passed = headersNamed(request, dangerouslyPassHeaders)
    hide(request, guard.hiding)
    const link = new Link({
      guard,
      handshake,
      socket,
      wire,
      hooks: this,
      maxFrameBytes: Infinity,
      cookie: fresh?.cookie,
    })
    if (!link.enter()) {
      answerHttp(socket, httpRefusal(guard, guard.refusal(handshake, 'overloaded')), guard.limits.lingerMs)
      return
    }
    this.#chosen = wire
    this.#header = fresh?.header
    let opened: WampSocket | undefined
    this.#wss.handleUpgrade(request, socket, head, (client) => {
      // The class that this server makes its sockets of.
      opened = client as WampSocket
    })
    if (opened === undefined) {
      link.gone()
      return
    }
    this.#connect(opened, link, { request, handshake, wire, passed })
  }

  #connect(opened: WampSocket, link: Link, from: Opened): void {
    opened.link = link
    opened.codec = from.wire.codec
    link.peer = opened
    const raw: Linked = link.socket
    raw[linkKey] = link
    link.socket.prependListener('data', countBytes)
    link.socket.on('drain', drain)
    opened.on('message', from.wire.batched ? onBatch : onMessage)
    opened.on('close', onClose)
    opened.on('error', ignoreError)
    if (this.#pinged !== undefined) {
      opened.on('pong', onPong)
      this.#pinged.add(link)
    }
    const { guard } = this.#options
    link.connection = this.#router.connect(
      new WebSocketConnection({ guard, transport: link, settings: this.#settings, ...from }),
    )
  }

  /** Who was not heard of since the last round is gone, as far as anybody can tell. */
  #ping(): void {
    this.#cutOff()
    for (const link of this.#pinged ?? []) {
      if (!(link.peer instanceof WebSocket)) continue
      link.alive = false
      link.peer.ping()
    }
    const { pingTimeoutMs: within = 0, pingIntervalMs: every = 0 } = this.#options
    if (within > 0 && within < every) this.#awaiting = setTimeout(() => this.#cutOff(), within).unref()
  }

  #cutOff(): void {
    for (const { peer, alive } of this.#pinged ?? []) {
      if (!alive && peer instanceof WebSocket) peer.terminate()
    }
  }
}

/** An upgrade in hand. */
interface Arrival {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** What an open socket came from. */
interface Opened {
  readonly request: IncomingMessage
  readonly handshake: Handshake
  readonly wire: WebSocketWire
  /** Headers that authenticators were promised. */
  readonly passed: ReturnType<typeof headersNamed>
}

/** A refusal before any guard was asked. */
function unasked(reason: Reason): Refused {
  return { kind: 'refused', reason, retryAfterMs: undefined, tell: 'http', reply: 'bare' }
}

/** A store that fails costs a comfort, not a session; the journal hears of it. */
function keep(guard: Guard, store: () => MaybePromise<void>): void {
  const failed = (error: unknown): void => guard.failed(error)
  try {
    settle(store(), ignoreError, failed)
  } catch (error) {
    failed(error)
  }
}

// One function for all sockets: `this` is the socket that the event happened on.

/** Sockets of this server are of its own class. */
function ours(socket: WebSocket): WampSocket {
  return socket as WampSocket
}

/** `ws` delivers Buffers as long as nobody sets `binaryType`. */
function bytesOf(data: RawData): Buffer {
  return data as Buffer
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const { codec, link } = ours(this)
  if (codec === undefined || link === undefined) return
  link.receive(isBinary === codec.binary ? codec.decode(bytesOf(data)) : wrongType)
}

function onBatch(this: WebSocket, data: RawData, isBinary: boolean): void {
  const { codec, link } = ours(this)
  if (codec === undefined || link === undefined) return
  const parts = isBinary === codec.binary ? splitBatch(bytesOf(data), codec.binary) : wrongType
  if ('kind' in parts) link.receive(parts)
  else for (const part of parts) link.receive(codec.decode(part))
}

const wrongType: Malformed = { kind: 'malformed', why: 'frame type' }

function onClose(this: WebSocket): void {
  ours(this).link?.gone()
}

function onPong(this: WebSocket): void {
  const { link } = ours(this)
  if (link !== undefined) link.alive = true
}

/** A raw socket by which its link is found again: bytes are counted before `ws` sees them and makes messages of them. */
type Linked = Duplex & { [linkKey]?: Link }

const linkKey = Symbol('link')

function countBytes(this: Linked, chunk: Buffer): void {
  // Wiped, for the library reads it nevertheless: the first frame of zeros is an error, which ends the reading.
  if (this[linkKey]?.count(chunkWeight(chunk.length)) === true) chunk.fill(0)
}

function drain(this: Linked): void {
  this[linkKey]?.drain()
}
