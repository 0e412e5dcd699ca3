/** A dealer among sessions in memory: what they are sent is an array, time and chance are in the test's hands. */
import { Dealer } from '../../../packages/countersign/src/wamp/dealer.ts'
import type { Registration } from '../../../packages/countersign/src/wamp/dealer-types.ts'
import {
  noDict,
  type Dict,
  type RequestKind,
  type RouterMessage,
} from '../../../packages/countersign/src/wamp/messages.ts'
import type { RouterLimits } from '../../../packages/countersign/src/wamp/options.ts'
import { permits, type Permit } from '../../../packages/countersign/src/wamp/permit.ts'
import type { RouterPorts } from '../../../packages/countersign/src/wamp/ports.ts'
import { Session, type CancelReply, type Features } from '../../../packages/countersign/src/wamp/session.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'

const little: Features = {
  callerProgressiveResults: false,
  callerProgressiveInvocations: false,
  callerPassthru: false,
  calleeCanceling: false,
  calleeTimeout: false,
  calleeProgressiveResults: false,
  calleeProgressiveInvocations: false,
  calleePassthru: false,
  calleeReroute: true,
  calleeRevocation: true,
  publisherPassthru: false,
  subscriberRevocation: false,
}

const everything: Features = {
  callerProgressiveResults: true,
  callerProgressiveInvocations: true,
  callerPassthru: true,
  calleeCanceling: true,
  calleeTimeout: true,
  calleeProgressiveResults: true,
  calleeProgressiveInvocations: true,
  calleePassthru: true,
  calleeReroute: true,
  calleeRevocation: true,
  publisherPassthru: true,
  subscriberRevocation: true,
}

const codes: Readonly<Record<RequestKind, number>> = {
  call: 48,
  register: 64,
  unregister: 66,
  publish: 16,
  subscribe: 32,
  unsubscribe: 34,
  invocation: 68,
}

/** As it stands on the wire, without arguments where there are none; those of the router's own ERRORs are left out. */
export function wire(message: RouterMessage): unknown[] {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest falls under `default`
  switch (message.kind) {
    case 'registered':
      return [65, message.request, message.registration]
    case 'unregistered':
      return [67, message.request, ...(message.details === undefined ? [] : [message.details])]
    case 'invocation':
      return [68, message.request, message.registration, { ...message.details }, ...argsOf(message)]
    case 'interrupt':
      return [69, message.request, { ...message.options }]
    case 'result':
      return [50, message.request, { ...message.details }, ...argsOf(message)]
    case 'error': {
      const own = message.error.startsWith('wamp.error.')
      const head = [8, codes[message.of], message.request, { ...message.details }, message.error]
      return own ? head : [...head, ...argsOf(message)]
    }
    default:
      throw new Error(`a dealer never sends ${message.kind}`)
  }
}

function argsOf(message: { readonly payload: ReturnType<typeof payloadOf> }): unknown[] {
  return message.payload.count === 0 ? [] : [...message.payload.args()]
}

/** One session and what it was sent. */
export interface Peer {
  readonly session: Session
  /** What it was sent since the last look, as on the wire. */
  heard(): unknown[][]
  /** @returns the id of the registration, or the URI of the refusal */
  register(procedure: string, options?: Dict): number | string
  call(request: number, procedure: string, options?: Dict, ...args: unknown[]): boolean
  cancel(request: number, options?: Dict): void
  yield(invocation: number, options?: Dict, ...args: unknown[]): boolean
  error(invocation: number, uri: string, details?: Dict, ...args: unknown[]): boolean
  leave(): void
}

export interface PeerOptions {
  /** What its client announced, beside rerouting and revocation. `true` is everything. */
  readonly can?: true | Partial<Features>
  readonly cancelReply?: CancelReply
  readonly trustlevel?: number
}

export interface RoomOptions {
  readonly strictProgress?: boolean
  readonly limits?: Partial<RouterLimits>
  readonly permit?: Permit
}

export interface Room {
  readonly dealer: Dealer
  /** What the watch was told: `created 1 7` is event, session, registration. */
  readonly watched: string[]
  join(options?: PeerOptions): Peer
  advance(ms: number): void
  /** Numbers that `pick` returns, in order; 0 when there are none left. */
  readonly picks: number[]
  /** Timers that have been set and neither fired nor been unset. */
  timers(): number
}

const limits: RouterLimits = {
  maxSubscriptions: 10,
  maxRegistrations: 50,
  maxCalls: 50,
  maxWildcards: 50,
  maxWaiting: 10,
  maxRetained: 10,
  maxTestaments: 10,
  maxRetainedBytes: 1_048_576,
  maxHeldBytes: 1_048_576,
}

interface Alarm {
  readonly atMs: number
  readonly fire: () => void
}

export function dealerRoom(options: RoomOptions = {}): Room {
  const alarms = new Set<Alarm>()
  const picks: number[] = []
  const watched: string[] = []
  let nowMs = 1_000
  let sessions = 0
  const ports: RouterPorts = {
    clock: { now: () => nowMs, every: () => () => undefined },
    randomId: () => 1,
    pick: (below) => (picks.shift() ?? 0) % below,
    after: (ms, fire) => {
      const alarm = { atMs: nowMs + ms, fire }
      alarms.add(alarm)
      return { cancel: () => void alarms.delete(alarm) }
    },
  }
  const told = (event: string) => (session: Session, registration: Registration) => {
    watched.push(`${event} ${session.id} ${registration.id}`)
  }
  const dealer = new Dealer({
    ports,
    uriCheck: 'loose',
    limits: { ...limits, ...options.limits },
    strictProgress: options.strictProgress ?? false,
    watch: {
      created: told('created'),
      registered: told('registered'),
      unregistered: told('unregistered'),
      deleted: told('deleted'),
    },
  })
  const next = (untilMs: number): Alarm | undefined =>
    [...alarms].filter((alarm) => alarm.atMs <= untilMs).sort((one, other) => one.atMs - other.atMs)[0]
  return {
    dealer,
    watched,
    picks,
    join: (peer = {}) => makePeer(dealer, { id: (sessions += 1), permit: options.permit, ...peer }),
    timers: () => alarms.size,
    advance(ms) {
      const untilMs = nowMs + ms
      for (let alarm = next(untilMs); alarm !== undefined; alarm = next(untilMs)) {
        nowMs = alarm.atMs
        alarms.delete(alarm)
        alarm.fire()
      }
      nowMs = untilMs
    },
  }
}

interface MadePeer extends PeerOptions {
  readonly id: number
  readonly permit: Permit | undefined
}

function makePeer(dealer: Dealer, options: MadePeer): Peer {
  const sent: RouterMessage[] = []
  let requests = 0
  const session = new Session({
    id: options.id,
    realm: 'realm1',
    identity: {
      authid: `user${options.id}`,
      authrole: 'frontend',
      authmethod: 'ticket',
      authprovider: 'static',
      authextra: noDict,
    },
    features: options.can === true ? everything : { ...little, ...options.can },
    cancelReply: options.cancelReply ?? 'always',
    trustlevel: options.trustlevel,
    transport: { facts: noDict },
    outlet: { send: (message) => void sent.push(message) },
  })
  const permit = options.permit ?? permits.allowed
  return {
    session,
    heard: () => sent.splice(0).map(wire),
    register(procedure, wishes = noDict) {
      requests += 1
      dealer.register(session, { kind: 'register', request: requests, options: wishes, procedure })
      const at = sent.findLastIndex((message) => message.kind === 'registered' || message.kind === 'error')
      const reply = sent.splice(at, 1)[0]
      if (reply?.kind === 'registered') return reply.registration
      return reply?.kind === 'error' ? reply.error : 'nothing'
    },
    call: (request, procedure, wishes = noDict, ...args) => {
      const payload = payloadOf(args)
      return dealer.call(session, { kind: 'call', request, options: wishes, procedure, payload }, permit)
    },
    cancel: (request, wishes = noDict) =>
      dealer.cancel(session, { kind: 'cancel', request, options: wishes }),
    yield: (request, wishes = noDict, ...args) =>
      dealer.yield(session, { kind: 'yield', request, options: wishes, payload: payloadOf(args) }),
    error: (request, error, details = noDict, ...args) => {
      const payload = payloadOf(args)
      return dealer.error(session, { kind: 'error', of: 'invocation', request, details, error, payload })
    },
    leave() {
      session.gone = true
      dealer.leave(session)
    },
  }
}
