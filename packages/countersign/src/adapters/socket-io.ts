/** `countersign/socket.io`: guards a Socket.IO server, over polling and WebSocket alike. */
import type { IncomingMessage } from 'node:http'
import type { DefaultEventsMap, Namespace, Server, Socket } from 'socket.io'
import { MisuseError } from '../core/errors.ts'
import { Guard } from '../core/guard.ts'
import { Lease } from '../core/lease.ts'
import { Policy } from '../core/policy.ts'
import type { Reason } from '../core/reasons.ts'
import { Closings } from './closings.ts'
import type { UpgradeOptions } from './http.ts'
import { admission, type AdmissionSide, type NamespaceDoor } from './socket-io-admission.ts'
import { Recovery } from './socket-io-recovery.ts'
import { engineParameters, Requests } from './socket-io-requests.ts'
import { SharedDeadline } from './shared-deadline.ts'
import { sessionOf } from './socket-io-transport.ts'
import { Visit, type VisitSide } from './socket-io-visit.ts'

export type { UpgradeOptions } from './http.ts'
export type { ToldRefusal } from './socket-io-seat.ts'

/** What a namespace lets in, and what may be said there. Exactly one of `events` and `dangerouslyAllowEveryEvent`. */
export interface NamespaceRules {
  /**
   * What each event must pass, made by `messagePolicy`: the event's name is the action, its message
   * `{ type: name, args: [...] }`. The application receives the arguments that the row's schema makes of them.
   */
  readonly events?: Policy
  /** Lets every event of an open lease through, whatever it is called. @default false */
  readonly dangerouslyAllowEveryEvent?: boolean
  /** Who judges here. Its limits before acceptance are those of the server's guard. @default the server's guard */
  readonly guard?: Guard
  /** Whether each socket joins the room `user:<id>` of its subject. @default true */
  readonly userRooms?: boolean
}

/** Options of a guarded Socket.IO server. */
export interface SocketIoOptions extends UpgradeOptions {
  /**
   * The namespaces that may be asked for, by name; a function for those that are made on demand, which have the server's
   * guard. Every other one is refused before Socket.IO makes anything of it.
   */
  readonly namespaces:
    Readonly<Record<string, NamespaceRules>> | ((namespace: string) => NamespaceRules | undefined)
  /** Namespaces that one transport may have at once, and refusals that it may collect. @default 8 */
  readonly maxNamespaces?: number
}

/** What `socket.data` holds: give it as the fourth type of your `Server`. */
export interface GuardedData {
  /** Not enumerable: it is for this process, and adapters do not carry it to other nodes. */
  readonly lease: Lease
  /** Who it is, for other nodes too (`fetchSockets`). */
  readonly subject: { readonly id: string; readonly realm?: string | undefined }
}

/** The lease of an accepted socket. @throws MisuseError when the socket's namespace is not guarded */
export function leaseOf(socket: { readonly data: unknown }): Lease {
  const { data } = socket
  const lease: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'lease') : undefined
  if (lease instanceof Lease) return lease
  throw new MisuseError('invalid_option', 'socket: it was not accepted by a guard')
}

/**
 * Guards every request of a Socket.IO server and every namespace. Call it once, when `io` is attached to its HTTP
 * server and before connections come. It turns `skipMiddlewares` of connection state recovery off.
 * @throws MisuseError when `io` is not attached, serves clients of protocol 3, or has another parser; when a namespace has
 * neither a policy nor `dangerouslyAllowEveryEvent`; when a carrier looks into a parameter of Engine.IO
 */
export function guardSocketIo<
  ListenEvents extends Record<keyof ListenEvents, unknown> = DefaultEventsMap,
  EmitEvents extends Record<keyof EmitEvents, unknown> = DefaultEventsMap,
  ServerSideEvents extends Record<keyof ServerSideEvents, unknown> = DefaultEventsMap,
  Data = unknown,
>(
  io: Server<ListenEvents, EmitEvents, ServerSideEvents, Data>,
  guard: Guard,
  options: SocketIoOptions,
): void {
  // The names of events and what `data` holds besides are the application's; nothing here depends upon them.
  const server = io as unknown as Server
  checkServer(server)
  const side = new SocketIoSide(server, guard, options)
  side.install()
}

/** One guarded server. */
class SocketIoSide implements VisitSide, AdmissionSide {
  readonly guard: Guard
  readonly deadline: SharedDeadline<Visit>
  readonly maxNamespaces: number
  readonly maxAttachedBytes: number
  readonly recovery: Recovery | undefined
  readonly #io: Server
  readonly #doors: (namespace: string) => NamespaceDoor | undefined
  readonly #requests: Requests
  readonly #bySession = new Map<string, Visit>()
  readonly #closings = new Closings<Visit>((visit, reason) => visit.part(reason))
  readonly #warned = new Set<string>()

  constructor(io: Server, guard: Guard, options: SocketIoOptions) {
    const { namespaces, maxNamespaces = 8 } = options
    if (!Number.isInteger(maxNamespaces) || maxNamespaces < 1 || maxNamespaces > 1_000)
      throw new MisuseError('invalid_option', 'maxNamespaces: a whole number from 1 to 1,000')
    this.guard = guard
    this.deadline = new SharedDeadline(guard.limits.deadlineMs, (visit) =>
      visit.drop('authentication_timeout'),
    )
    this.maxNamespaces = maxNamespaces
    this.maxAttachedBytes = typeof namespaces === 'function' ? Infinity : mostAttached(namespaces)
    this.recovery = recoveryOf(io)
    this.#io = io
    this.#doors =
      typeof namespaces === 'function' ? doorsByFunction(namespaces, guard) : doorsByTable(namespaces, guard)
    const others = typeof namespaces === 'function' ? [] : guardsOf(namespaces)
    for (const name of [guard, ...others].flatMap(({ hiding }) => hiding.query)) checkParameter(name)
    this.#requests = new Requests([guard, ...others], this.#bySession, options)
  }

  install(): void {
    const { engine } = this.#io
    engine.use(this.#requests.judge)
    engine.on('headers', (_headers: unknown, request: IncomingMessage) => this.#upgrades(request))
    engine.on('connection', (conn: Socket['conn']) => this.#opens(conn))
    for (const namespace of this.#io._nsps.values()) this.#stand(namespace)
    this.#io.on('new_namespace', (namespace) => this.#stand(namespace))
  }

  /** See `VisitSide`. */
  lists(namespace: string): boolean {
    if (this.doorOf(namespace) !== undefined) return true
    if (this.#io._nsps.has(namespace)) this.#warn(namespace)
    return false
  }

  /** See `VisitSide`. */
  ended(visit: Visit, reason: Reason): void {
    if (reason === 'shutting_down') visit.part(reason)
    else this.#closings.add(visit, reason)
  }

  /** See `VisitSide`. */
  gone(visit: Visit): void {
    if (this.#bySession.get(visit.id) === visit) this.#bySession.delete(visit.id)
  }

  /** See `AdmissionSide`. */
  doorOf(namespace: string): NamespaceDoor | undefined {
    return this.#doors(namespace)
  }

  /** See `AdmissionSide`. */
  visitOf(conn: Socket['conn']): Visit | undefined {
    const visit = this.#bySession.get(sessionOf(conn))
    // An application may draw ids of its own.
    return visit?.carries(conn) === true ? visit : undefined
  }

  /** Before all middlewares that are there, and all to come: none of them is to see a credential. */
  #stand(namespace: Namespace): void {
    const middlewares: unknown = Reflect.get(namespace, '_fns')
    if (!Array.isArray(middlewares))
      throw new MisuseError('invalid_option', 'io: this version of Socket.IO is not known')
    middlewares.unshift(admission(this))
  }

  #opens(conn: Socket['conn']): void {
    const handshake = this.#requests.opening(conn.request)
    if (handshake === undefined) {
      conn.close(true)
      return
    }
    const visit = new Visit(conn, handshake, this)
    if (visit.over) return
    if (conn.transport.name === 'websocket') visit.watch(conn.request.socket)
    this.#bySession.set(visit.id, visit)
  }

  /** An upgrade of a transport is answered; its socket is read from the next tick on. */
  #upgrades(request: IncomingMessage): void {
    if (request.headers.upgrade === undefined) return
    const parameters: unknown = Reflect.get(request, '_query')
    const sid: unknown =
      typeof parameters === 'object' && parameters !== null ? Reflect.get(parameters, 'sid') : undefined
    const visit = typeof sid === 'string' ? this.#bySession.get(sid) : undefined
    if (visit !== undefined) process.nextTick(() => visit.watch(request.socket))
  }

  /** Told once, to whoever runs the server: the client learns nothing. */
  #warn(namespace: string): void {
    if (this.#warned.has(namespace)) return
    this.#warned.add(namespace)
    process.emitWarning(
      `The Socket.IO namespace ${JSON.stringify(namespace)} has no row in "namespaces" of guardSocketIo: nobody is let in`,
      { type: 'CountersignWarning', code: 'unguarded_namespace' },
    )
  }
}

function checkServer(io: Server): void {
  // Undefined until `io` is attached, whatever its type says.
  const engine: unknown = io.engine
  if (typeof engine !== 'object' || engine === null)
    throw new MisuseError('invalid_option', 'io: attach it to its HTTP server first')
  if (io.engine.opts.allowEIO3 === true)
    throw new MisuseError('invalid_option', 'io: clients of protocol 3 (allowEIO3) show no auth payload')
  const options: unknown = Reflect.get(io, 'opts')
  if (typeof options === 'object' && options !== null && Reflect.get(options, 'parser') !== undefined)
    throw new MisuseError('invalid_option', 'io: packets of another parser are not understood')
}

/** Middlewares are asked again at every recovery: what was granted may have ended meanwhile. */
function recoveryOf(io: Server): Recovery | undefined {
  const options: unknown = Reflect.get(io, 'opts')
  if (typeof options !== 'object' || options === null) return undefined
  // An object of Socket.IO's own, which it has made of the caller's.
  const recovery: unknown = Reflect.get(options, 'connectionStateRecovery')
  if (typeof recovery !== 'object' || recovery === null) return undefined
  Reflect.set(recovery, 'skipMiddlewares', false)
  return new Recovery(Number(Reflect.get(recovery, 'maxDisconnectionDuration')))
}

function doorsByTable(
  table: Readonly<Record<string, NamespaceRules>>,
  guard: Guard,
): (namespace: string) => NamespaceDoor | undefined {
  const doors = new Map(Object.entries(table).map(([name, rules]) => [name, doorFrom(name, rules, guard)]))
  for (const name of doors.keys()) {
    if (!name.startsWith('/'))
      throw new MisuseError('invalid_option', `namespaces: ${JSON.stringify(name)} begins with no slash`)
  }
  return (namespace) => doors.get(namespace)
}

/** A function is the application's: what it throws refuses. */
function doorsByFunction(
  rulesOf: (namespace: string) => NamespaceRules | undefined,
  guard: Guard,
): (namespace: string) => NamespaceDoor | undefined {
  return (namespace) => {
    try {
      const rules = rulesOf(namespace)
      if (rules?.guard !== undefined && rules.guard !== guard)
        throw new MisuseError('invalid_option', 'namespaces: what another guard hides is to be known before')
      return rules === undefined ? undefined : doorFrom(namespace, rules, guard)
    } catch (error) {
      guard.failed(error)
      return undefined
    }
  }
}

function doorFrom(namespace: string, rules: NamespaceRules, guard: Guard): NamespaceDoor {
  const { events, dangerouslyAllowEveryEvent = false, userRooms = true } = rules
  const what = `namespaces: ${JSON.stringify(namespace)}`
  if (events !== undefined && !(events instanceof Policy))
    throw new MisuseError('invalid_option', `${what}: make events with messagePolicy`)
  if ((events === undefined) !== dangerouslyAllowEveryEvent)
    throw new MisuseError('invalid_option', `${what} needs events, or dangerouslyAllowEveryEvent`)
  const judge: unknown = rules.guard ?? guard
  if (!(judge instanceof Guard)) throw new MisuseError('invalid_option', `${what}: guard is no guard`)
  return { guard: judge, events, rooms: userRooms }
}

/**
 * Twice what any policy lets through: who is a little over is told so, who goes on is cut off. Where there is a namespace
 * without a policy, Socket.IO's own bounds hold.
 */
function mostAttached(table: Readonly<Record<string, NamespaceRules>>): number {
  return Math.max(0, ...Object.values(table).map(({ events }) => (events?.limits.maxBytes ?? Infinity) * 2))
}

function guardsOf(table: Readonly<Record<string, NamespaceRules>>): readonly Guard[] {
  return [...new Set(Object.values(table).flatMap(({ guard }) => guard ?? []))]
}

function checkParameter(name: string): void {
  if (engineParameters.includes(name))
    throw new MisuseError('invalid_option', `accept: the query parameter ${name} is Engine.IO's own`)
}
