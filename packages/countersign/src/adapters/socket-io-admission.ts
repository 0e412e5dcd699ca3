/** The first middleware of every namespace: a CONNECT is judged, and its socket bound to a lease. */
import type { Socket } from 'socket.io'
import type { Credential } from '../core/credential.ts'
import { isThenable, settle, type Turn } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import { refuse, type Decision, type Refused } from '../core/knock.ts'
import type { Lease, LeaseHolder } from '../core/lease.ts'
import type { Policy } from '../core/policy.ts'
import type { Principal } from '../core/principal.ts'
import type { MaybePromise } from '../core/records.ts'
import { findExplicit } from '../core/search.ts'
import { takeAuth, type Shown } from './socket-io-auth.ts'
import { bindGate } from './socket-io-gate.ts'
import { packetText } from './socket-io-packets.ts'
import type { Recovery } from './socket-io-recovery.ts'
import { ConnectRefusal, tell, type Seat } from './socket-io-seat.ts'
import type { Visit } from './socket-io-visit.ts'

/** A namespace's rules, complete. */
export interface NamespaceDoor {
  readonly guard: Guard
  /** `undefined`: every event passes. */
  readonly events: Policy | undefined
  /** Whether sockets join the room of their subject. */
  readonly rooms: boolean
}

/** What middlewares need of their server. */
export interface AdmissionSide {
  /** `undefined` where connection state recovery is off. */
  readonly recovery: Recovery | undefined
  doorOf(namespace: string): NamespaceDoor | undefined
  visitOf(conn: Socket['conn']): Visit | undefined
}

type Next = (error?: Error) => void

/** A CONNECT that is being judged. */
interface Asking {
  readonly side: AdmissionSide
  readonly socket: Socket
  readonly door: NamespaceDoor
  readonly visit: Visit
  readonly seat: Seat
  readonly shown: Shown
}

/** The middleware. It stands before all others, so that none of them sees what was shown in `auth`. */
export function admission(side: AdmissionSide): (socket: Socket, next: Next) => void {
  return (socket, next) => {
    const shown = takeAuth(socket.handshake.auth)
    const door = side.doorOf(socket.nsp.name)
    const visit = side.visitOf(socket.conn)
    const seat = visit?.take(socket)
    if (seat !== undefined) seat.expiring = shown.expiring
    if (door === undefined || visit === undefined || seat === undefined) {
      next(new ConnectRefusal(tell('forbidden')))
      return
    }
    goOn({ side, socket, door, visit, seat, shown }, next)
  }
}

/**
 * Says what became of it: in this very turn, unless a store or a key must be waited for. What a middleware behind this one
 * throws keeps the socket out, and the process up.
 */
function goOn(asking: Asking, next: Next): void {
  const failed = (error: unknown): void => {
    asking.door.guard.failed(error)
    asking.visit.drop('internal')
  }
  try {
    settle(
      decide(asking),
      (decision) => {
        const refused = admit(asking, decision)
        if (refused === undefined) next()
        else next(new ConnectRefusal(tell(refused.reason, refused.retryAfterMs)))
      },
      failed,
    )
  } catch (error) {
    failed(error)
  }
}

function decide({ side, socket, door, visit, shown }: Asking): MaybePromise<Lease | Decision> {
  // The private id is a bearer credential as any other.
  const pid = socket.recovered && door.guard.mayCarryBearer(visit.handshake) ? shown.pid : undefined
  const kept = pid === undefined ? undefined : side.recovery?.take(pid, door.guard)
  return kept ?? judgeConnect(door.guard, visit.handshake, shown.message)
}

/** @returns the refusal, or `undefined` once the socket is bound */
function admit(asking: Asking, decision: Lease | Decision): Refused | undefined {
  const { socket, door, visit } = asking
  if (!isLease(decision) && decision.kind === 'refused') return decision
  const lease = isLease(decision) ? decision : decision.lease
  const refused = (reason: Refused['reason']): Refused => {
    lease.leave()
    return door.guard.refusal(visit.handshake, reason)
  }
  if (visit.over) return refused('authentication_timeout')
  // Rooms, data and missed packets are those of whoever was connected before.
  if (socket.recovered && !isSubject(socket, lease.principal)) return refused('forbidden')
  if (!lease.open()) return refused(lease.reason ?? 'internal')
  bind(asking, lease)
  return undefined
}

function isLease(value: Lease | Decision): value is Lease {
  return 'grant' in value
}

/**
 * Judges what `auth` shows, or what came with the request. A token in `auth` is explicit and goes before what browsers
 * attach unasked; beside another explicit credential that says something else it is refused.
 */
function judgeConnect(
  guard: Guard,
  handshake: Handshake,
  message: string | undefined,
): MaybePromise<Decision> {
  if (message === undefined) return after(guard.knock(handshake), (turn) => unheard(guard, handshake, turn))
  const beside = findExplicit(guard.places, handshake)
  if (beside.kind === 'refused') return guard.refusal(handshake, beside.reason)
  if (beside.kind === 'credential' && !saysToken(guard, message, beside.credential))
    return guard.refusal(handshake, 'protocol_violation')
  return after(guard.knock(withoutAmbient(handshake), message), (turn) => heard(guard, handshake, turn))
}

/** The same facts where nothing was attached: most clients attach nothing. */
function withoutAmbient(handshake: Handshake): Handshake {
  const { cookie, certificate } = handshake
  if (cookie === undefined && certificate === undefined) return handshake
  return { ...handshake, cookie: undefined, certificate: undefined }
}

/** Nothing was said; whoever came with a credential in the request has been judged. */
function unheard(guard: Guard, handshake: Handshake, turn: Turn<Decision>): Decision {
  if (turn.kind === 'done') return turn.value
  const decision = guard.refusal(handshake, 'missing_credential')
  turn.leave(refuse(guard, handshake, decision))
  return decision
}

/** What was said was the answer; a challenge would have to be answered again, and a CONNECT is one packet. */
function heard(guard: Guard, handshake: Handshake, turn: Turn<Decision>): Decision {
  if (turn.kind === 'done') return turn.value
  const decision = guard.refusal(handshake, 'invalid_credential')
  turn.leave(refuse(guard, handshake, decision))
  return decision
}

/** Goes on at once where nothing has to be waited for. */
function after<T, R>(value: MaybePromise<T>, then: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isThenable(value) ? value.then(then) : then(value)
}

/** Whether a payload shows the very credential that was found beside it. */
function saysToken(guard: Guard, message: string, credential: Credential): boolean {
  if (credential.kind !== 'token') return false
  return guard.places.message.some(({ carrier }) => {
    const shown = carrier.read(message)
    return shown.kind === 'found' && shown.value.kind === 'token' && shown.value.text === credential.text
  })
}

/** Hands the lease to the socket and everything at it that asks a lease. */
function bind({ side, socket, door, visit, seat }: Asking, lease: Lease): void {
  seat.lease = lease
  lease.hold(seatHolder, seat)
  keepLease(socket, lease)
  if (door.rooms) void socket.join(`user:${lease.principal.id}`)
  const renewal = bindGate({ socket, door, visit, seat, lease })
  socket.on('disconnect', (reason) => {
    renewal.gone()
    const pid: unknown = Reflect.get(socket, 'pid')
    const left = reason === 'client namespace disconnect' || reason === 'server namespace disconnect'
    if (side.recovery === undefined || left || typeof pid !== 'string') lease.leave()
    else side.recovery.park(pid, door.guard, lease)
    visit.vacate(seat)
  })
  // Warned while nobody held it.
  if (lease.phase === 'due') seatHolder.warn(seat, lease, lease.untilMs - door.guard.now())
}

/** Carries out what the leases of seats command. One object for all. */
const seatHolder: LeaseHolder<Seat> = {
  warn(seat, _lease, inMs) {
    if (!seat.expiring) return
    const told = { in: Math.max(0, Math.ceil(inMs / 1_000)) }
    const packet = packetText('event', { namespace: seat.namespace, data: ['auth_expiring', told] })
    if (seat.accepted) seat.transport.say(packet)
    else seat.held.push([packet])
  },
  close(seat, _lease, reason) {
    seat.transport.end(reason)
  },
}

/**
 * `data.lease` is for this process: adapters that carry `data` to other nodes do not see it. `data.subject` is for
 * them, and says whose session a recovered one is.
 */
function keepLease(socket: Socket, lease: Lease): void {
  const { id, realm } = lease.principal
  const data: object = socket.data
  Object.defineProperty(data, 'lease', {
    value: lease,
    enumerable: false,
    configurable: true,
    writable: true,
  })
  // Absent rather than `undefined`, of which some adapters make `null`: a recovered session is compared with it.
  Reflect.set(data, 'subject', realm === undefined ? { id } : { id, realm })
}

function isSubject(socket: Socket, { id, realm }: Principal): boolean {
  const data: unknown = socket.data
  const subject: unknown =
    typeof data === 'object' && data !== null ? Reflect.get(data, 'subject') : undefined
  if (typeof subject !== 'object' || subject === null) return false
  return Reflect.get(subject, 'id') === id && Reflect.get(subject, 'realm') === realm
}
