/** A broker with sessions that remember what they were sent. */
import { Broker } from '../../../packages/countersign/src/wamp/broker.ts'
import type { Dict, EventMessage, RouterMessage } from '../../../packages/countersign/src/wamp/messages.ts'
import type { HistoryOptions, RouterLimits } from '../../../packages/countersign/src/wamp/options.ts'
import type { Authority, Permit } from '../../../packages/countersign/src/wamp/permit.ts'
import { permits } from '../../../packages/countersign/src/wamp/permit.ts'
import type { RouterPorts } from '../../../packages/countersign/src/wamp/ports.ts'
import { Session } from '../../../packages/countersign/src/wamp/session.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'

const features = {
  callerProgressiveResults: false,
  callerProgressiveInvocations: false,
  callerPassthru: false,
  calleeCanceling: false,
  calleeTimeout: false,
  calleeProgressiveResults: false,
  calleeProgressiveInvocations: false,
  calleePassthru: false,
  calleeReroute: false,
  calleeRevocation: false,
  publisherPassthru: false,
  subscriberRevocation: false,
}

/** Who a test session is. */
export interface Guest {
  readonly authid?: string
  readonly authrole?: string
  readonly trustlevel?: number
  readonly passthru?: boolean
  /** Whether its client can be told of revocations. @default true */
  readonly revocation?: boolean
  /** Called for each message before it is remembered. */
  readonly onSend?: (message: RouterMessage, self: TestSession) => void
}

/** A session that remembers what it was sent. */
export class TestSession extends Session {
  readonly sent: RouterMessage[]
  request = 0

  constructor(id: number, guest: Guest) {
    const sent: RouterMessage[] = []
    super({
      id,
      realm: 'realm1',
      identity: {
        authid: guest.authid ?? `user${id}`,
        authrole: guest.authrole ?? 'user',
        authmethod: 'ticket',
        authprovider: 'static',
        authextra: {},
      },
      features: {
        ...features,
        publisherPassthru: guest.passthru ?? false,
        subscriberRevocation: guest.revocation ?? true,
      },
      cancelReply: 'always',
      trustlevel: guest.trustlevel,
      transport: { facts: {} },
      outlet: {
        send: (message) => {
          guest.onSend?.(message, this)
          sent.push(message)
        },
      },
    })
    this.sent = sent
  }

  /** What it was sent since the last time somebody asked. */
  take(): readonly RouterMessage[] {
    return this.sent.splice(0)
  }

  /** The events among what it was sent. */
  events(): readonly EventMessage[] {
    return this.take().filter((message) => message.kind === 'event')
  }
}

/** What a room is made of. */
export interface RoomOptions {
  readonly history?: readonly HistoryOptions[]
  readonly limits?: Partial<RouterLimits>
  readonly decide?: Authority['decide']
}

const limits: RouterLimits = {
  maxSubscriptions: 100,
  maxRegistrations: 100,
  maxCalls: 100,
  maxWildcards: 50,
  maxWaiting: 100,
  maxRetained: 100,
  maxTestaments: 100,
  maxRetainedBytes: 1_048_576,
  maxHeldBytes: 1_048_576,
}

/** A broker, its clock, what its watch saw, and guests. */
export class BrokerRoom {
  now: number = Date.UTC(2026, 0, 1)
  readonly watched: string[] = []
  readonly broker: Broker
  #lastId = 1000

  constructor(options: RoomOptions = {}) {
    const ports: RouterPorts = {
      clock: { now: () => this.now, every: () => () => {} },
      randomId: () => ++this.#lastId,
      pick: () => 0,
      after: () => ({ cancel: () => {} }),
    }
    const saw =
      (what: string) =>
      (session: { id: number }, { id }: { id: number }): void => {
        this.watched.push(`${what} ${session.id} ${id}`)
      }
    this.broker = new Broker({
      ports,
      uriCheck: 'loose',
      limits: { ...limits, ...options.limits },
      history: options.history ?? [],
      authority: { decide: options.decide ?? (() => permits.allowed), forget: () => {} },
      watch: {
        created: saw('created'),
        subscribed: saw('subscribed'),
        unsubscribed: saw('unsubscribed'),
        deleted: saw('deleted'),
      },
    })
  }

  guest(id: number, guest: Guest = {}): TestSession {
    return new TestSession(id, guest)
  }

  /** Subscribes. @returns the id of the subscription, or the URI of the refusal; other messages stay in `sent` */
  subscribe(session: TestSession, topic: string, options: Dict = {}): number | string {
    const request = ++session.request
    this.broker.subscribe(session, { kind: 'subscribe', request, options, topic })
    const at = session.sent.findIndex((one) => 'request' in one && one.request === request)
    const [reply] = session.sent.splice(at, 1)
    if (reply?.kind === 'subscribed') return reply.subscription
    return reply?.kind === 'error' ? reply.error : 'no answer'
  }

  unsubscribe(session: TestSession, subscription: number): void {
    this.broker.unsubscribe(session, { kind: 'unsubscribe', request: ++session.request, subscription })
  }

  /** Publishes. @returns what the broker returned */
  publish(
    session: TestSession,
    topic: string,
    options: Dict = {},
    { args = ['hello'], permit = permits.allowed }: { args?: readonly unknown[]; permit?: Permit } = {},
  ): boolean {
    const message = { kind: 'publish', request: ++session.request, options, topic } as const
    return this.broker.publish(session, { ...message, payload: payloadOf(args) }, permit)
  }

  leave(session: TestSession): void {
    session.gone = true
    this.broker.leave(session)
  }
}

/** The first positional argument of an event. */
export function said(event: EventMessage | undefined): unknown {
  return event?.payload.args()[0]
}
