/** One transport as it is judged at the moment: a guard made of its `auth` block, and what takes its sockets. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  addressRules,
  Guard,
  MisuseError,
  type Bus,
  type GuessLimiter,
  type Journal,
  type Method,
  type PasswordHasher,
  type Platform,
  type Records,
} from 'countersign'
import type { ProxyOptions } from 'countersign/http'
import { memoryCookies, type CookieStore } from 'countersign/methods'
import type { Router } from 'countersign/wamp'
import { wampRawSockets, type WampRawSocketOptions } from 'countersign/wamp/rawsocket'
import { wampWebSockets, type WampWebSocketOptions } from 'countersign/wamp/ws'
import { allowsOrigin, compileOrigins, subnetOf } from 'countersign/wire'
import { join } from 'node:path'
import type { AuthNode } from './auth-node.ts'
import { cookieFile } from './cookie-file.ts'
import type { FunctionLoader } from './functions.ts'
import { standingCookies, standingOf, type Standing } from './guards-standing.ts'
import type { TransportPlace } from './mount-realms.ts'
import type { CookieNode, WebSocketNode, WebSocketOptionsNode } from './node.ts'
import { methodsOf } from './sources.ts'

/** What all guards of a process have in common. */
export interface GuardShared {
  readonly records: Records
  readonly platform: Platform
  readonly passwords: PasswordHasher
  readonly journal: Journal
  readonly bus: Bus
  /** One for all transports: another one is no other set of tries. */
  readonly guesses: GuessLimiter
  readonly decoyKey: Uint8Array
  readonly functions: FunctionLoader
  readonly cookies: CookieStores
  /** Whether tickets and cookies may travel in clear beyond this machine. */
  readonly dangerouslyAllowCleartext: boolean
}

/** Where a transport is. */
export interface GateSurroundings {
  readonly shared: GuardShared
  readonly router: Router
  /** How the journal calls it. */
  readonly name: string
  /** Only this machine reaches it, by a socket of the file system. */
  readonly unix: boolean
  /** Makes the guard, where it has terms of its own. @default those of a node of Crossbar.io */
  readonly guardOf?: (accept: readonly Method[]) => Guard
  /** Proxies that are believed about clients. @default none */
  readonly proxies?: ProxyOptions | undefined
}

/** A transport, open. */
export interface Gate {
  readonly guard: Guard
  readonly standing: Standing
  /** For upgrades; `undefined` of RawSocket. */
  readonly upgrade: ((request: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined
  /** For connected sockets; `undefined` of WebSocket. */
  readonly accept: ((socket: Socket, head?: Uint8Array) => void) | undefined
  /** Lets nobody new in who is not judged yet. Sessions stay. */
  retire(): void
  /** When its last session is gone: nothing is done any more on behalf of anybody. */
  close(): void
}

/** What clients of Crossbar.io send before they are welcomed, and more: a ticket may be a JWT. */
const maxBytes = 32_768

/**
 * Opens a transport. @throws MisuseError when its block cannot be served: a module that is missing, a store that cannot be
 * opened
 */
export async function openGate(place: TransportPlace, around: GateSurroundings): Promise<Gate> {
  const { shared, router } = around
  const standing = standingOf(place.node.auth)
  const cookie = place.kind === 'websocket' ? cookieOf(place.node, standing, shared) : undefined
  const accept = await methodsOf(place.node.auth, {
    call: (call) => router.call(call),
    derive: (secret, salting) => shared.platform.derive(secret, salting),
    functions: shared.functions,
    authenticatorTimeoutMs: place.node.session.authenticatorTimeoutMs,
    cookies: cookie === undefined ? undefined : { store: cookie.store, name: cookie.name },
  })
  const guard = around.guardOf?.(accept) ?? guardOf(place, accept, around)
  return { guard, standing, ...sidesOf(place, { router, guard, cookie, proxies: around.proxies }) }
}

/** A guard on the terms of a node of Crossbar.io. */
function guardOf(place: TransportPlace, accept: readonly Method[], around: GateSurroundings): Guard {
  const { shared, name, unix } = around
  return new Guard(
    {
      name,
      audience: 'wamp',
      accept,
      origins: place.kind === 'websocket' ? originsOf(place.node.options) : undefined,
      hosts: undefined,
      refusals: 'auto',
      closeCodes: {},
      // A socket of the file system is read by nobody on the way.
      dangerouslyAllowCleartext: shared.dangerouslyAllowCleartext || unix,
      // Sessions last as long as what they rest upon, as clients of a router expect.
      limits: { maxBytes, maxLeaseMs: Infinity },
      sourceOf: subnetOf,
      addresses: addressRules,
      perSubject: undefined,
    },
    shared,
  )
}

/** What takes sockets. */
function sidesOf(
  place: TransportPlace,
  parts: {
    readonly router: Router
    readonly guard: Guard
    readonly cookie: CookieTerms | undefined
    readonly proxies: ProxyOptions | undefined
  },
): Pick<Gate, 'upgrade' | 'accept' | 'retire' | 'close'> {
  const { router, guard, cookie, proxies } = parts
  const { serializers: serializations, session } = place.node
  const { helloTimeoutMs, authenticateTimeoutMs, errorUris, cancelReply, maxQueuedBytes } = session
  const common = {
    guard,
    serializations,
    maxQueuedBytes,
    session: { helloTimeoutMs, authenticateTimeoutMs, errorUris, cancelReply },
  }
  if (place.kind === 'rawsocket') {
    const options: WampRawSocketOptions = { ...common, maxMessageBytes: place.node.maxMessageBytes }
    const sockets = wampRawSockets(router, options)
    return {
      upgrade: undefined,
      accept: (socket, head) => sockets.accept(socket, head),
      retire: () => guard.pool.close(),
      close: () => guard.close(),
    }
  }
  const { maxMessageBytes, requireSubprotocol } = place.node.options
  const { autoPingIntervalMs: pingIntervalMs, autoPingTimeoutMs: pingTimeoutMs } = place.node.options
  const sockets = wampWebSockets(router, {
    ...common,
    maxMessageBytes,
    pingIntervalMs,
    pingTimeoutMs,
    requireSubprotocol,
    dangerouslyPassHeaders: headersOf(place.node.auth),
    ...(cookie === undefined ? {} : { cookie }),
    ...(proxies === undefined ? {} : { proxies }),
  })
  return {
    upgrade: sockets.upgrade,
    accept: undefined,
    retire: () => guard.pool.close(),
    close() {
      sockets.close()
      guard.close()
    },
  }
}

/** Secret headers that some authenticator was promised; each is told those that it names itself. */
function headersOf({ methods }: AuthNode): readonly string[] {
  const names = methods.flatMap(({ sources }) =>
    sources.flatMap((source) => (source.kind === 'dynamic' ? source.dangerouslyPassHeaders : [])),
  )
  return [...new Set(names)]
}

/** Who may open it from a page; programs send no Origin. Any page at all only where nothing is sent unasked. */
function originsOf({ allowedOrigins, allowNullOrigin }: WebSocketOptionsNode): {
  allows(text: string): boolean
} {
  if (allowedOrigins === 'any') return { allows: (text) => text !== 'null' || allowNullOrigin }
  const rules = compileOrigins([...allowedOrigins, ...(allowNullOrigin ? ['null'] : [])])
  return { allows: (text) => allowsOrigin(rules, text) }
}

type CookieTerms = NonNullable<WampWebSocketOptions['cookie']> & { readonly name: string }

/** Random bytes of a cookie at least: shorter ones could be guessed. */
const leastCookieBytes = 18

/** Only where cookies let somebody in: one that means nothing is not set. */
function cookieOf(node: WebSocketNode, standing: Standing, shared: GuardShared): CookieTerms | undefined {
  const { cookie, auth } = node
  if (cookie === undefined || !speaksCookie(auth)) return undefined
  return {
    store: standingCookies(shared.cookies.open(cookie), standing),
    name: cookie.name,
    bytes: Math.max(leastCookieBytes, Math.ceil((cookie.length * 3) / 4)),
    maxAgeMs: cookie.maxAgeS * 1_000,
    secure: cookie.secure,
    sameSite: cookie.sameSite,
  }
}

function speaksCookie({ methods }: AuthNode): boolean {
  return methods.some(({ method }) => method === 'cookie')
}

/** Stores of cookies, each opened once in the life of the process. */
export interface CookieStores {
  /** @throws MisuseError when its file cannot be used */
  open(cookie: CookieNode): CookieStore
}

/** Transports that name one file share it. */
export function cookieStores(now: () => number): CookieStores {
  const opened = new Map<string, CookieStore>()
  return {
    open({ store, maxAgeS, name }) {
      const file =
        store.kind === 'memory'
          ? undefined
          : store.kind === 'file'
            ? store.file
            : join(store.path, 'cookies.jsonl')
      const key = file ?? `memory ${name} ${maxAgeS}`
      const known = opened.get(key)
      if (known !== undefined) return known
      const maxAgeMs = maxAgeS * 1_000
      if (maxAgeMs === 0) throw new MisuseError('invalid_option', `cookie ${name}: max_age must not be 0`)
      const purge = store.kind !== 'memory' && store.purgeOnStartup
      const fresh =
        file === undefined ? memoryCookies({ maxAgeMs }) : cookieFile(file, { maxAgeMs, purge, now: now() })
      opened.set(key, fresh)
      return fresh
    },
  }
}
