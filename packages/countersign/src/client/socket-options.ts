/** How a socket is made. */
import type { Clock } from '../core/ports.ts'
import type { Advice } from '../core/reasons.ts'
import type { Ending } from './advice.ts'
import { defaultPauses, type Pauses } from './backoff.ts'
import type { BaseSocketClass, Surroundings } from './base.ts'
import type { Carrier } from './carrier.ts'
import { systemClock } from './clock.ts'
import { CredentialMemory } from './memory.ts'
import { defaultOutbox, type OutboxLimits } from './outbox.ts'
import type { RenewLease } from './renewal.ts'

/** Options of a socket. */
export interface SocketOptions {
  /** How it shows who it is: `firstMessage(getToken)`, `query(getTicket)`, `cookie()` and so on. */
  readonly carrier: Carrier
  /** Subprotocols of the application. @default none */
  readonly protocols?: string | readonly string[] | undefined
  /** Whether a lost connection is replaced by another. @default true */
  readonly reconnect?: boolean
  /** Renews the lease outside the socket, where the carrier does not renew it in band. */
  readonly renewLease?: RenewLease | undefined
  /** Pauses between attempts. */
  readonly pauses?: Partial<Pauses>
  /** What may wait while there is no connection; with `reconnect` only. */
  readonly outbox?: Partial<OutboxLimits>
  /** Overrules the advice of the close code, for servers with codes of their own. `undefined`: as ever. */
  readonly adviceAfter?: (ending: Ending) => Advice | undefined
  /** What is remembered between attempts: share one among the sockets of one login. @default one of its own */
  readonly memory?: CredentialMemory
  /** An attempt, from the asking for a credential to acceptance, takes no longer, ms. @default 20,000 */
  readonly attemptMs?: number
  /** A gap of this length in which nothing ran counts as a sleep, ms. @default 90,000 */
  readonly sleepMs?: number
  /**
   * Where the server does not say that it has accepted, a socket that is still open after this counts as accepted, ms: a
   * browser that is refused sees it open and close at once. The first message ends the waiting. @default 50
   */
  readonly probationMs?: number
  /** The WebSocket beneath. @default the runtime's own */
  readonly WebSocket?: BaseSocketClass
  /** @default the runtime's; its timers keep a process alive */
  readonly clock?: Clock
  /** In [0, 1). @default `Math.random`: it spreads attempts and protects nothing */
  readonly random?: () => number
  /** @default `globalThis` */
  readonly surroundings?: Surroundings
}

/** Options with everything in them. */
export interface Settings {
  readonly carrier: Carrier
  readonly protocols: readonly string[]
  readonly reconnect: boolean
  readonly renewLease: RenewLease | undefined
  readonly pauses: Pauses
  readonly outbox: OutboxLimits
  readonly adviceAfter: (ending: Ending) => Advice | undefined
  readonly memory: CredentialMemory
  readonly attemptMs: number
  readonly sleepMs: number
  readonly probationMs: number
  readonly base: BaseSocketClass
  readonly clock: Clock
  readonly random: () => number
  readonly surroundings: Surroundings
}

/** Fills options up. @throws TypeError where the runtime has no WebSocket and none is lent */
export function settingsOf(options: SocketOptions): Settings {
  const { protocols = [], WebSocket = globalThis.WebSocket } = options
  if (typeof WebSocket !== 'function') throw new TypeError('this runtime has no WebSocket: lend one')
  return {
    carrier: options.carrier,
    protocols: typeof protocols === 'string' ? [protocols] : [...protocols],
    reconnect: options.reconnect ?? true,
    renewLease: options.renewLease,
    pauses: { ...defaultPauses, ...options.pauses },
    outbox: { ...defaultOutbox, ...options.outbox },
    adviceAfter: options.adviceAfter ?? (() => undefined),
    memory: options.memory ?? new CredentialMemory(),
    attemptMs: options.attemptMs ?? 20_000,
    sleepMs: options.sleepMs ?? 90_000,
    probationMs: options.probationMs ?? 50,
    base: WebSocket,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    surroundings: options.surroundings ?? globalThis,
  }
}

/**
 * The URL of a socket: `http` is read as `ws`, and where there is a page a relative one belongs to it.
 * @throws SyntaxError without showing it, for one that cannot be read or has a fragment
 */
export function socketUrl(url: string | URL): string {
  // Pages have a location, other runtimes do not; neither is in the types of both.
  const { location } = globalThis as { readonly location?: { readonly href: string } }
  const parsed = parse(String(url).replace(/^http/i, 'ws'), location?.href.replace(/^http/i, 'ws'))
  if (parsed === undefined || !/^wss?:$/.test(parsed.protocol) || parsed.hash !== '') {
    throw new DOMException('not the URL of a WebSocket', 'SyntaxError')
  }
  return parsed.href
}

/** `URL.parse`, which some browsers do not have yet. */
function parse(url: string, base: string | undefined): URL | undefined {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}
