import { expect } from 'vitest'
import { wampBearer, wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import type { Guard } from '../../../packages/countersign/src/core/guard.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { anonymous } from '../../../packages/countersign/src/methods/anonymous.ts'
import { ticketPrincipals, wampTicket } from '../../../packages/countersign/src/methods/wamp-ticket.ts'
import type { Malformed } from '../../../packages/countersign/src/wamp/codec.ts'
import type { Connection } from '../../../packages/countersign/src/wamp/connection.ts'
import {
  noDict,
  type Abort,
  type Dict,
  type Message,
  type RouterMessage,
  type Welcome,
} from '../../../packages/countersign/src/wamp/messages.ts'
import type {
  Action,
  PermissionRule,
  RealmOptions,
  RouterOptions,
} from '../../../packages/countersign/src/wamp/options.ts'
import type {
  RouterPorts,
  Transport,
  TransportIdentity,
} from '../../../packages/countersign/src/wamp/ports.ts'
import type { Realm } from '../../../packages/countersign/src/wamp/realm.ts'
import { Router } from '../../../packages/countersign/src/wamp/router.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import type { StillClock } from '../support/clock.ts'
import { handshakeOf, openGuard, type Opened } from '../support/guard.ts'

/** Roles of HELLO with everything that a capable client announces. */
export const allRoles: Dict = {
  caller: { features: { progressive_call_results: true, call_canceling: true } },
  callee: {
    features: { progressive_call_results: true, call_canceling: true, registration_revocation: true },
  },
  publisher: { features: {} },
  subscriber: { features: { subscription_revocation: true } },
}

/** A rule that allows the named actions below a prefix. */
export function ruleFor(uri: string, ...actions: readonly Action[]): PermissionRule {
  const allow = { call: false, register: false, publish: false, subscribe: false }
  for (const action of actions) allow[action] = true
  return { uri, match: 'prefix', allow, disclose: { caller: false, publisher: false }, cache: false }
}

/** `frontend` may do everything, `anonymous` everything under `com.`, `guest` may do nothing. */
export const realm1: RealmOptions = {
  name: 'realm1',
  roles: [
    { name: 'frontend', rules: [ruleFor('', 'call', 'register', 'publish', 'subscribe')] },
    { name: 'anonymous', rules: [ruleFor('com.', 'call', 'register', 'publish', 'subscribe')] },
    { name: 'guest' },
  ],
}

/** Time, and ids that count: what a router is lent in these tests. */
export function stillPorts(clock: StillClock): RouterPorts {
  let id = 1_000
  return {
    clock,
    randomId: () => ++id,
    pick: () => 0,
    after(ms, fire) {
      const stop = clock.every(ms, () => {
        stop()
        fire()
      })
      return { cancel: stop }
    },
  }
}

/** A guard that takes anonymous sessions, and tickets of joe and ann, both `frontend`. */
export function wampMethods(): readonly Method[] {
  return [
    anonymous({ from: wampHello() }),
    wampTicket({
      from: wampBearer(),
      sources: [
        ticketPrincipals({
          joe: { ticket: 'joe ticket', role: 'frontend' },
          ann: { ticket: 'ann ticket', role: 'frontend' },
          eve: { ticket: 'eve ticket', role: 'nobody has it' },
        }),
      ],
    }),
  ]
}

/** A router with one guard before it, and everything that a test wants to turn. */
export class Room {
  readonly opened: Opened
  readonly guard: Guard
  readonly clock: StillClock
  readonly router: Router

  constructor(options: Partial<RouterOptions> = {}, accept: readonly Method[] | Opened = wampMethods()) {
    this.opened = 'guard' in accept ? accept : openGuard({ accept })
    this.guard = this.opened.guard
    this.clock = this.opened.clock
    this.router = new Router({ realms: [realm1], ...options }, stillPorts(this.clock))
  }

  get realm(): Realm {
    const realm = this.router.realm('realm1')
    if (realm === undefined) throw new Error('realm1 is configured')
    return realm
  }

  /** A client that is connected and has said nothing. */
  peer(facts: Dict = noDict): Peer {
    return new Peer(this, facts)
  }

  /** A client with an anonymous session. */
  member(details: Dict = noDict): Peer {
    const peer = this.peer()
    peer.hello(details)
    expect(peer.sent[0]).toMatchObject({ kind: 'welcome' })
    return peer
  }

  /** A client that has joined by ticket, as `frontend`. */
  async frontend(authid = 'joe', details: Dict = noDict): Promise<Peer> {
    const peer = this.peer()
    peer.hello({ authmethods: ['ticket'], authid, ...details })
    await peer.authenticate(`${authid} ticket`)
    expect(peer.kinds()).toEqual(['challenge', 'welcome'])
    return peer
  }
}

/** One client and its transport: what was sent to it, and how it was closed. */
export class Peer implements Transport {
  readonly sent: RouterMessage[] = []
  readonly connection: Connection
  closedBy: { readonly code: number; readonly reason: string } | undefined = undefined
  joinedAs: TransportIdentity | undefined = undefined
  forgotten = 0
  /** How often it was told to drop what waits. */
  cleared = 0
  /** Whether there is room to wait for another session. */
  room = true
  #request = 0
  #connected = false

  constructor(room: Room, facts: Dict) {
    this.connection = room.router.connect({
      guard: room.guard,
      handshake: handshakeOf(),
      transport: this,
      facts,
      channels: {},
    })
    this.#connected = true
  }

  send(message: RouterMessage): void {
    expect(this.closedBy).toBeUndefined()
    this.sent.push(message)
  }

  clear(): void {
    this.cleared++
  }

  close(code: number, reason: string): void {
    expect(this.closedBy).toBeUndefined()
    this.closedBy = { code, reason }
    if (this.#connected) this.connection.gone()
  }

  joined(identity: TransportIdentity): void {
    this.joinedAs = identity
  }

  parted(): boolean {
    return this.room
  }

  forget(): void {
    this.forgotten++
  }

  /** The message goes in as if it had been decoded. */
  say(message: Message | Malformed): void {
    this.connection.receive(message)
  }

  hello(details: Dict = noDict, realm: string | undefined = 'realm1'): void {
    this.say({ kind: 'hello', realm, details: { roles: allRoles, ...details } })
  }

  /** Answers a challenge, and waits for what comes of it. */
  async authenticate(signature: string, extra: Dict = noDict): Promise<void> {
    this.say({ kind: 'authenticate', signature, extra })
    await settled()
  }

  /** CALL. @returns what came back, if it came at once */
  call(procedure: string, args: readonly unknown[] = [], kwargs: Dict = noDict): RouterMessage | undefined {
    const request = ++this.#request
    const payload = payloadOf(args, kwargs)
    this.say({ kind: 'call', request, options: noDict, procedure, payload })
    return this.replyTo(request)
  }

  /** First positional result of a CALL that is answered at once. */
  result(procedure: string, args: readonly unknown[] = [], kwargs: Dict = noDict): unknown {
    const reply = this.call(procedure, args, kwargs)
    if (reply?.kind !== 'result') throw new Error(`no result: ${JSON.stringify(reply)}`)
    return reply.payload.args()[0]
  }

  /** URI of the ERROR that a CALL gets at once. */
  error(procedure: string, args: readonly unknown[] = [], kwargs: Dict = noDict): string {
    const reply = this.call(procedure, args, kwargs)
    if (reply?.kind !== 'error') throw new Error(`no error: ${JSON.stringify(reply)}`)
    return reply.error
  }

  subscribe(topic: string, options: Dict = noDict): RouterMessage | undefined {
    const request = ++this.#request
    this.say({ kind: 'subscribe', request, options, topic })
    return this.replyTo(request)
  }

  register(procedure: string, options: Dict = noDict): RouterMessage | undefined {
    const request = ++this.#request
    this.say({ kind: 'register', request, options, procedure })
    return this.replyTo(request)
  }

  publish(topic: string, args: readonly unknown[] = [], options: Dict = noDict): RouterMessage | undefined {
    const request = ++this.#request
    this.say({ kind: 'publish', request, options, topic, payload: payloadOf(args) })
    return this.replyTo(request)
  }

  /** Answers the newest INVOCATION. */
  yield(args: readonly unknown[] = []): void {
    const invocation = this.sent.findLast(({ kind }) => kind === 'invocation')
    if (invocation?.kind !== 'invocation') throw new Error('nothing was invoked')
    this.say({ kind: 'yield', request: invocation.request, options: noDict, payload: payloadOf(args) })
  }

  replyTo(request: number): RouterMessage | undefined {
    return this.sent.findLast(
      (message) => 'request' in message && message.request === request && message.kind !== 'invocation',
    )
  }

  /** Kinds of what was sent, in order. */
  kinds(): readonly string[] {
    return this.sent.map(({ kind }) => kind)
  }

  /** Arguments of the events that came for a topic's subscription, in order. */
  events(subscription?: number): readonly (readonly unknown[])[] {
    return this.sent.flatMap((message) =>
      message.kind === 'event' && (subscription ?? message.subscription) === message.subscription
        ? [message.payload.args()]
        : [],
    )
  }

  get welcome(): Welcome {
    const found = this.sent.findLast((message) => message.kind === 'welcome')
    if (found?.kind !== 'welcome') throw new Error(`not welcomed: ${JSON.stringify(this.sent)}`)
    return found
  }

  get session(): number {
    return this.welcome.session
  }
}

/** Asserts that a connection ended by this ABORT, with nothing behind it. */
export function expectAborted(peer: Peer, reason: string): Abort {
  const last = peer.sent.at(-1)
  expect(last).toMatchObject({ kind: 'abort', reason })
  expect(peer.closedBy).toBeDefined()
  return last as Abort
}

/** Asserts the end that every violation of the protocol has. */
export function expectViolation(peer: Peer): void {
  expectAborted(peer, 'wamp.error.protocol_violation')
  expect(peer.closedBy).toEqual({ code: 1002, reason: 'protocol_violation' })
}

/** Lets everything happen that waits for nothing but a turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
