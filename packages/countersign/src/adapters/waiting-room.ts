/** Sockets that are open but not accepted: bounded in number, bytes, messages and time. */
import { settle, type PeerTurn, type Turn } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import { refuse, type Accepted, type Decision, type Refused } from '../core/knock.ts'
import type { Waiting } from '../core/pool.ts'
import type { Reason } from '../core/reasons.ts'
import { subnetOf } from '../wire/address.ts'
import { chunkWeight } from './chunk-weight.ts'
import { challengeFrame } from './frames.ts'
import type { GatedSocket, Visitor } from './gated-socket.ts'
import { answerOf } from './in-band.ts'
import { abandon, type Upgrade } from './http.ts'
import { plainOpening, type Opening } from './opening.ts'

/** A message that arrived before acceptance, behind the credential. */
export interface QueuedMessage {
  readonly data: Buffer
  readonly isBinary: boolean
}

/** How a visit ends: `left` always, first, where the socket was open; then one of the others, or, where the peer went, none. */
export interface VisitEnds {
  left(socket: GatedSocket): void
  welcome(socket: GatedSocket, upgrade: Upgrade, welcome: Welcome): void
  turnAway(socket: GatedSocket, decision: Refused, upgrade: Upgrade): void
}

/** An acceptance, and what the application must hear first. */
export interface Welcome {
  readonly decision: Accepted
  readonly queued: readonly QueuedMessage[]
}

/** A handshake whose peer may have a place in the pool. */
export interface Visit {
  readonly guard: Guard
  readonly upgrade: Upgrade
  readonly turn: PeerTurn<Decision>
  readonly ends: VisitEnds
  /** How a first message of another protocol is read. @default text, as the carriers read it */
  readonly opening?: Opening | undefined
}

/** One waiting socket. Ask `enter` before the socket is upgraded, `begin` once it is. */
export class WaitingSocket implements Waiting, Visitor {
  readonly source: string
  readonly subnet: string
  readonly sinceMs: number
  readonly #guard: Guard
  readonly #upgrade: Upgrade
  readonly #ends: VisitEnds
  readonly #opening: Opening | undefined
  /** What the peer is to answer; `undefined` while an answer is judged, and once the visit is over. */
  #turn: PeerTurn<Decision> | undefined
  #socket: GatedSocket | undefined
  #timer: NodeJS.Timeout | undefined
  /** What came behind the credential, in order, for the application to hear first. */
  #queued: QueuedMessage[] = []
  /** Weight of what came over the wire since the socket was upgraded. */
  #bytes = 0
  /** Bytes of messages: with permessage-deflate far more than what came over the wire. */
  #inflated = 0
  #messages = 0
  /** However the visit ended: whatever still happens to the socket is not for here. */
  #over = false

  constructor(visit: Visit) {
    this.#guard = visit.guard
    this.#upgrade = visit.upgrade
    this.#turn = visit.turn
    this.#ends = visit.ends
    this.#opening = visit.opening
    this.source = visit.upgrade.handshake.remoteAddress
    this.subnet = subnetOf(this.source)
    this.sinceMs = visit.guard.now()
  }

  /** Takes a place in the pool. @returns `false`: it is full, refuse by HTTP */
  enter(): boolean {
    return this.#guard.pool.enter(this)
  }

  /** The socket is open: starts the deadline and the byte count, and says what is to be said first. */
  begin(socket: GatedSocket): void {
    this.#socket = socket
    socket.visitor = this
    this.#timer = setTimeout(() => this.#finish('authentication_timeout'), this.#guard.limits.deadlineMs)
    // Before `ws` reads it. What came in one chunk with the handshake was put back and is counted when it is read again.
    this.#upgrade.socket.prependListener('data', this.#count)
    if (this.#turn?.say !== undefined) socket.send(challengeFrame(this.#turn.say))
  }

  /** A message before acceptance: an answer to the open turn, or one for the queue. */
  message(data: Buffer, isBinary: boolean): void {
    if (++this.#messages > this.#guard.limits.maxMessages) {
      this.#finish('protocol_violation')
      return
    }
    this.#inflated += data.length
    if (this.#inflated > this.#guard.limits.maxBytes) {
      this.#finish('message_too_big')
      return
    }
    const turn = this.#turn
    if (turn === undefined) this.#queued.push({ data, isBinary })
    else this.#hear(turn, data, isBinary)
  }

  #hear(turn: PeerTurn<Decision>, data: Buffer, isBinary: boolean): void {
    const said = this.#opening === undefined ? plainOpening(data, isBinary) : this.#opening(data, isBinary)
    if (said.kind === 'refused') this.#finish(said.reason)
    else if (!this.#guard.pool.speak(this)) this.#finish('overloaded')
    else {
      if (said.heard !== undefined) this.#queued.push({ data: said.heard, isBinary })
      this.#answer(turn, said.text)
    }
  }

  /** The peer has gone away. */
  gone(): void {
    this.#leave()
  }

  /** The pool needs the place, or the guard closes. */
  evict(reason: 'overloaded' | 'shutting_down'): void {
    this.#finish(reason)
  }

  /**
   * The peer has said what it was asked for. The turn is spent by it: whatever comes next waits for the
   * application.
   */
  #answer(turn: PeerTurn<Decision>, text: string): void {
    this.#turn = undefined
    const said = turn.say === undefined ? { text } : answerOf(text)
    if (said === undefined) {
      turn.leave(refuse(this.#guard, this.#upgrade.handshake, { reason: 'invalid_credential' }))
      this.#finish('invalid_credential')
      return
    }
    settle(
      turn.answer({ ...said, now: this.#guard.now() }),
      (next) => this.#proceed(next),
      (error) => this.#failed(error),
    )
  }

  /**
   * Where the conversation stands now. A verdict that falls after the visit has ended gives its lease back.
   */
  #proceed(next: Turn<Decision>): void {
    const socket = this.#over ? undefined : this.#socket
    if (socket === undefined) {
      abandon(next, this.#upgrade.handshake, this.#guard)
      return
    }
    if (next.kind === 'peer') {
      this.#turn = next
      if (next.say !== undefined) socket.send(challengeFrame(next.say))
      return
    }
    const queued = this.#queued
    this.#leave()
    if (next.value.kind === 'accepted')
      this.#ends.welcome(socket, this.#upgrade, { decision: next.value, queued })
    else this.#ends.turnAway(socket, { ...next.value, tell: 'close' }, this.#upgrade)
  }

  /** Ends the visit by a refusal of the guard's own. */
  #finish(reason: Reason): void {
    if (this.#over) return
    const socket = this.#socket
    this.#leave()
    const decision = this.#guard.refusal(this.#upgrade.handshake, reason)
    if (socket !== undefined) this.#ends.turnAway(socket, { ...decision, tell: 'close' }, this.#upgrade)
  }

  /** A guard never fails: what is caught here was thrown by the application's own listeners. */
  #failed(error: unknown): void {
    this.#guard.failed(error)
    this.#socket?.terminate()
  }

  /** Leaves the pool and the conversation, once, however the visit ends. */
  #leave(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#upgrade.socket.off('data', this.#count)
    this.#guard.pool.leave(this)
    if (this.#socket !== undefined) {
      this.#socket.visitor = undefined
      this.#ends.left(this.#socket)
    }
    const turn = this.#turn
    this.#turn = undefined
    turn?.leave(refuse(this.#guard, this.#upgrade.handshake, { reason: 'authentication_timeout' }))
    this.#queued = []
  }

  /**
   * Counts on the raw socket: a message's size is known to the library only when it is whole. The library still reads a
   * chunk that goes beyond the bound, and every tiny frame in it costs time: it is wiped, for the first frame of zeros is
   * an error, which ends the reading.
   */
  readonly #count = (chunk: Buffer): void => {
    this.#bytes += chunkWeight(chunk.length)
    if (this.#bytes <= this.#guard.limits.maxBytes) return
    this.#finish('message_too_big')
    chunk.fill(0)
  }
}
