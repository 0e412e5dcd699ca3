/**
 * One connection: the state machine between a transport and a realm (WAMP, basic profile, "Session Establishment" and
 * "Session Closing"; advanced profile, "Authentication").
 *
 *     waiting ──HELLO──► entering (CHALLENGE ⇄ AUTHENTICATE) ──WELCOME──► joined
 *        ▲                  └─ABORT──► closed ◄──ABORT───────────────────┤
 *        └──────────────── GOODBYE of the client, answered ──────────────┤
 *                              closed ◄── leaving ◄──GOODBYE, ours───────┘
 */
import type { Accepted, Decision } from '../core/knock.ts'
import type { Lease, LeaseHolder } from '../core/lease.ts'
import type { Challenge } from '../core/ports.ts'
import type { Reason } from '../core/reasons.ts'
import type { Malformed } from './codec.ts'
import type { ConnectionFacts, ConnectionHost, ConnectionSettings } from './connection-facts.ts'
import { Hearing } from './connection-hearing.ts'
import { identityOf, roleFor, transportIdentity, welcomeOf } from './connection-join.ts'
import { offersNothing, readHello, type Opening } from './hello.ts'
import type { Authenticate, Goodbye, Hello, Message, RouterMessage } from './messages.ts'
import type { Timer } from './ports.ts'
import type { Realm } from './realm.ts'
import { abortOf, endUri, goodbyeAndOut, goodbyeOf, temporary } from './refusals.ts'
import { Session, type SessionKeeper } from './session.ts'

/** Where a connection stands; see the drawing above. */
export type Phase = 'waiting' | 'entering' | 'joined' | 'leaving' | 'closed'

/** What makes a session, kept together. */
interface Joined {
  readonly session: Session
  readonly realm: Realm
  readonly lease: Lease
  /** What the principal's roles came to: a renewal that brings the same role leaves the session alone. */
  granted: string
}

/** Feed it messages with `receive`, tell it the end of the transport with `gone`. Neither throws. */
export class Connection implements SessionKeeper {
  readonly #host: ConnectionHost
  readonly #facts: ConnectionFacts
  readonly #settings: ConnectionSettings
  #phase: Phase = 'waiting'
  #joined: Joined | undefined = undefined
  /** What HELLO said; after WELCOME only where the client wants to be challenged again. */
  #opening: Opening | undefined = undefined
  /** Kills that there had been at HELLO: later ones count against whoever is known by a cookie. */
  #killMark = 0
  /** Name of the first method that challenged the client. */
  #method: string | undefined = undefined
  #entry: Hearing<Decision> | undefined = undefined
  /** Challenges on the live session, which renew its lease. */
  #renewal: Hearing<Reason | undefined> | undefined = undefined
  #timer: Timer | undefined = undefined
  /** Why the connection closes once the client has said its GOODBYE. */
  #farewell: Reason | undefined = undefined
  /** Whether a session has been here before: waiting for another one is no failure then. */
  #served = false

  constructor(host: ConnectionHost, facts: ConnectionFacts) {
    this.#host = host
    this.#facts = facts
    this.#settings = facts.settings ?? host.settings
    this.#expect(this.#settings.helloTimeoutMs, 'authentication_timeout')
  }

  /** Where it stands. */
  get phase(): Phase {
    return this.#phase
  }

  /** Takes one message, decoded. What cannot be decoded breaks the protocol like anything else out of place. */
  receive(message: Message | Malformed): void {
    switch (this.#phase) {
      case 'joined':
        return this.#live(message)
      case 'waiting':
      case 'entering':
        return this.#enter(message)
      case 'leaving':
        // Its answer to our GOODBYE, or its own that crossed it: nothing is left to wait for.
        if (message.kind === 'goodbye') this.#close()
        return undefined
      case 'closed':
        return undefined
    }
  }

  /**
   * The transport was to send a message that is larger than its peer takes. An event is not delivered to this one client,
   * what belongs to a call is answered in its place; see `Dealer.undeliverable`.
   * @returns `false`: the session cannot go on without it
   */
  undeliverable(message: RouterMessage): boolean {
    const joined = this.#joined
    if (joined === undefined) return false
    return message.kind === 'event' || joined.realm.dealer.undeliverable(joined.session, message)
  }

  /** The transport is gone: whatever was under way is given up. May be called again. */
  gone(): void {
    this.#drop()
    this.#host.left(this)
  }

  /** The router closes: GOODBYE to a session, a close code to whoever waits for one. */
  shutDown(): void {
    if (this.#joined !== undefined) this.#part(goodbyeOf(endUri('shutting_down')), 'shutting_down')
    else this.#refuse('shutting_down')
  }

  /** See `SessionKeeper`. */
  end(reason: string, options: { readonly message: string | undefined; readonly forget: boolean }): void {
    if (options.forget) this.#facts.transport.forget()
    this.#part(goodbyeOf(reason, options.message), 'revoked')
  }

  /** See `SessionKeeper`. */
  violated(): void {
    this.#refuse('protocol_violation')
  }

  /** See `SessionKeeper`. */
  overloaded(): void {
    this.#refuse('overloaded')
  }

  /** Its lease has ended; see `LeaseHolder`. */
  leaseEnded(lease: Lease, reason: Reason): void {
    if (this.#joined?.lease !== lease) return
    if (reason === 'revoked' || reason === 'logged_out') this.#facts.transport.forget()
    this.#part(goodbyeOf(endUri(reason)), reason)
  }

  /** Its lease nears the end: a client that asked for it is challenged again, any other leaves with the lease. */
  leaseWarns(lease: Lease): void {
    const opening = this.#opening
    if (this.#joined?.lease !== lease || this.#renewal !== undefined) return
    if (opening === undefined || this.#method === undefined) return
    this.#renewal = new Hearing<Reason | undefined>({
      challenge: (challenge) => this.#send(challenge),
      // A refusal changes nothing: the lease ends when it ends.
      done: () => void (this.#renewal = undefined),
      failed: () => void (this.#renewal = undefined),
      unheard: () => {},
      nothing: () => undefined,
    })
    const { guard, handshake } = this.#facts
    this.#renewal.run(guard.rejoin(lease.id, handshake, { ...opening.hello, methods: [this.#method] }))
  }

  /** Its lease was renewed, on this connection or out of band: the principal may have another role. */
  leaseRenewed(lease: Lease): void {
    const joined = this.#joined
    if (joined?.lease !== lease) return
    const role = roleFor(lease.principal, joined.granted, (name) => joined.realm.hasRole(name))
    if (role === undefined) return this.#part(goodbyeOf(endUri('no_such_role')), 'no_such_role')
    if (role === joined.granted) return
    joined.granted = role
    joined.realm.changeRole(joined.session, role)
  }

  /** Messages of a session: its realm has the word, but for those that begin or end one. */
  #live(message: Message | Malformed): void {
    const joined = this.#joined
    // The end comes in ticks of a wheel; between two of them nothing may be said any more.
    if (joined === undefined || !joined.lease.passes()) return
    if (message.kind === 'malformed') this.violated()
    else if (message.kind === 'goodbye') this.#leaves(message)
    else if (message.kind === 'abort') this.#hangUp()
    else if (message.kind === 'authenticate') this.#renews(message)
    else if (!joined.realm.handle(joined.session, message)) this.violated()
  }

  /** Messages before a session: each state knows one that leads on, and two that give up. */
  #enter(message: Message | Malformed): void {
    const entry = this.#entry
    if (message.kind === 'abort') return this.#hangUp()
    if (entry === undefined) return message.kind === 'hello' ? this.#hello(message) : this.violated()
    if (message.kind === 'authenticate' && entry.open) return this.#authenticate(entry, message)
    if (message.kind !== 'goodbye') return this.violated()
    this.#facts.transport.send(goodbyeAndOut)
    this.#hangUp()
  }

  #hello(message: Hello): void {
    const { guard, handshake, channels, told: transport = this.#facts } = this.#facts
    // A further session costs what a further connection would.
    const early = this.#served ? guard.greet(handshake, false) : undefined
    if (early !== undefined) return this.#refuse(early.reason)
    const { cancelReply, verdictTimeoutMs } = this.#settings
    const session = this.#host.ports.randomId()
    const opening = readHello(message, { session, transport, channels, cancelReply })
    if (opening === undefined) return this.violated()
    if (message.realm !== undefined && this.#host.realm(message.realm) === undefined) {
      return this.#refuse('no_such_realm')
    }
    this.#phase = 'entering'
    this.#opening = opening
    this.#killMark = this.#host.kills.mark
    this.#method = undefined
    this.#entry = new Hearing<Decision>({
      challenge: (challenge) => this.#challenge(challenge),
      done: (decision) => this.#decided(decision, opening),
      failed: () => this.#refuse('internal'),
      unheard: (decision) => void (decision.kind === 'accepted' && decision.lease.leave()),
      nothing: () => guard.refusal(handshake, 'authentication_timeout'),
    })
    if (this.#entry.run(guard.join(handshake, opening.hello))) this.#expect(verdictTimeoutMs, 'overloaded')
  }

  #challenge(challenge: Challenge): void {
    this.#method ??= challenge.method
    this.#expect(this.#settings.authenticateTimeoutMs, 'authentication_timeout')
    this.#send(challenge)
  }

  #send({ method, extra }: Challenge): void {
    this.#facts.transport.send({ kind: 'challenge', method, extra })
  }

  #authenticate(entry: Hearing<Decision>, { signature, extra }: Authenticate): void {
    const pending = entry.answer({ text: signature, extra, now: this.#facts.guard.now() })
    if (pending) this.#expect(this.#settings.verdictTimeoutMs, 'overloaded')
  }

  #renews({ signature, extra }: Authenticate): void {
    if (this.#renewal?.open !== true) return this.violated()
    this.#renewal.answer({ text: signature, extra, now: this.#facts.guard.now() })
  }

  #decided(decision: Decision, opening: Opening): void {
    this.#entry = undefined
    if (decision.kind === 'accepted') return this.#accepted(decision, opening)
    // Whoever offered nothing is told that something is needed, not that nothing of it fits.
    const nothing = decision.reason === 'no_matching_method' && offersNothing(opening.hello)
    this.#refuse(nothing ? 'missing_credential' : decision.reason)
  }

  #accepted({ lease }: Accepted, opening: Opening): void {
    const { principal } = lease
    const realm = this.#host.realm(principal.realm ?? opening.join.realm ?? '')
    const role = realm && roleFor(principal, opening.join.authrole, (name) => realm.hasRole(name))
    if (realm === undefined || role === undefined) {
      lease.leave()
      return this.#refuse(realm === undefined ? 'no_such_realm' : 'no_such_role')
    }
    if (
      principal.provider === 'cookie' &&
      this.#host.kills.since(this.#killMark, { principal, realm: realm.name })
    ) {
      lease.leave()
      return this.#refuse('revoked')
    }
    lease.hold(holder, this)
    if (!lease.open()) return this.#refuse(lease.reason ?? 'internal')
    const session = new Session({
      id: opening.join.session,
      realm: realm.name,
      identity: identityOf(principal, role),
      features: opening.features,
      cancelReply: opening.cancelReply,
      trustlevel: realm.trustlevelOf(role),
      transport: this.#facts,
      outlet: this.#facts.transport,
      gate: lease,
      keeper: this,
    })
    this.#opening = opening.rechallenge ? opening : undefined
    this.#join({ session, realm, lease, granted: role })
  }

  /** WELCOME before anything else that may reach the client. */
  #join(joined: Joined): void {
    const { transport } = this.#facts
    this.#timer?.cancel()
    this.#timer = undefined
    this.#phase = 'joined'
    this.#joined = joined
    this.#served = true
    transport.send(welcomeOf(joined.session, joined.realm.metaApi))
    transport.joined(transportIdentity(joined.session, joined.lease))
    joined.realm.join(joined.session)
  }

  /** The client leaves: its GOODBYE is answered, and the transport may carry another session. */
  #leaves(message: Goodbye): void {
    const { transport } = this.#facts
    this.#drop()
    if (message.reason === 'wamp.close.logout') transport.forget()
    this.#phase = 'waiting'
    // Parted first: behind its session the answer has nothing to wait for in this turn.
    const stays = transport.parted()
    transport.send(goodbyeAndOut)
    if (stays) this.#expect(this.#settings.helloTimeoutMs, 'authentication_timeout')
    else this.#hangUp()
  }

  /** The client has broken off (ABORT is never answered), or has said goodbye before there was a session. */
  #hangUp(): void {
    this.#drop()
    this.#facts.transport.close(1000, '')
  }

  /** Ends a session by GOODBYE; the client has `lingerMs` to say its own. */
  #part(goodbye: Goodbye, reason: Reason): void {
    if (this.#phase !== 'joined') return
    this.#drop(reason)
    this.#phase = 'leaving'
    this.#farewell = reason
    this.#facts.transport.clear()
    this.#facts.transport.send(goodbye)
    this.#timer = this.#host.ports.after(this.#settings.lingerMs, () => this.#close())
  }

  /** ABORT and the end of the transport; no ABORT where it would keep a client from trying again. */
  #refuse(reason: Reason): void {
    if (this.#phase === 'closed' || this.#phase === 'leaving') return
    const silent = this.#served && this.#phase === 'waiting' && reason === 'authentication_timeout'
    this.#drop(reason)
    const { guard, transport } = this.#facts
    const code = temporary[reason]
    if (silent) return transport.close(1000, '')
    if (code !== undefined) return transport.close(code, reason)
    transport.send(abortOf(reason, this.#settings.errorUris))
    transport.close(guard.closeCode(reason), reason)
  }

  /** The end of an ended session's transport. */
  #close(): void {
    const reason = this.#farewell ?? 'internal'
    this.#drop()
    this.#facts.transport.close(this.#facts.guard.closeCode(reason), reason)
  }

  /**
   * Lets go of everything that is under way: timer, conversations, session, lease. Nothing more is sent by the session.
   * @param reason why the lease ends, for the journal; without one the client has left
   */
  #drop(reason?: Reason): void {
    const joined = this.#joined
    const entry = this.#entry
    this.#phase = 'closed'
    this.#joined = undefined
    this.#entry = undefined
    this.#opening = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    entry?.leave()
    this.#renewal?.leave()
    this.#renewal = undefined
    if (joined === undefined) return
    joined.realm.leave(joined.session)
    if (reason === undefined) joined.lease.leave()
    else joined.lease.apply({ kind: 'ended', reason }, this.#facts.guard.now())
  }

  #expect(withinMs: number, reason: Reason): void {
    this.#timer?.cancel()
    this.#timer = this.#host.ports.after(withinMs, () => this.#refuse(reason))
  }
}

/** One object carries out what the leases of all connections command. */
const holder: LeaseHolder<Connection> = {
  warn: (connection, lease) => connection.leaseWarns(lease),
  close: (connection, lease, reason) => connection.leaseEnded(lease, reason),
  renewed: (connection, lease) => connection.leaseRenewed(lease),
}
