/** Sessions in a store in the manner of `connect`: what `express-session` and `@fastify/session` have in common. */
import { hash } from 'node:crypto'
import { MisuseError, OutageError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { ApplicationVisitor } from '../core/ports.ts'
import type { CoupledSessions, FoundSession, WatchOptions } from './coupled-sessions.ts'
import { SessionWatch } from './session-watch.ts'
import { overhear, type ConnectStore, type StoreListener } from './store-events.ts'

/** Whose sessions they are, by what the application writes into them. */
export interface SessionReaders<S> {
  /** Who is logged in; `undefined`: nobody. Stable and unique, 1 to 256 characters. */
  readonly subject: (session: S) => string | undefined
  /** @default none */
  readonly roles?: (session: S) => readonly string[]
  /**
   * When they logged in, ms since the epoch: revocations since then refuse the session for good.
   * @default the time of each attempt
   */
  readonly provedAtMs?: (session: S) => number | undefined
  /** What the application wants to find on the lease besides; a snapshot, where `current` is not. @default nothing */
  readonly claims?: (session: S) => Readonly<Record<string, unknown>>
}

/** What both libraries are told. `S` is what a session holds. */
export interface ConnectSessionsOptions<S> extends SessionReaders<S>, WatchOptions {
  /** The very store that the application's sessions are in. */
  readonly store: ConnectStore<S>
}

/** As `CoupledSessions`, in a store whose sessions can be extended. */
export interface StoreSessions<S> extends CoupledSessions<S> {
  /**
   * Extends the session behind a lease by its own length from now on, and the lease with it, as a request of a rolling
   * session does. Nothing on a socket does that by itself: call it for what counts as use, and not for every message.
   * @returns `false` where the session is over or has no length, or the store has no `touch`
   * @throws OutageError when the store cannot tell
   */
  extend(lease: Lease): Promise<boolean>
}

/**
 * Couples the sessions of a store.
 * @param sidOf the session's id, of a value as it was shown; `undefined` where the application did not sign it
 */
export function connectSessions<S>(
  options: ConnectSessionsOptions<S>,
  sidOf: (value: string) => string | undefined,
): StoreSessions<S> {
  const { store } = options
  const find = async (sid: string): Promise<FoundSession<S> | undefined> => {
    const session = await load(store, sid)
    const visitor = session === undefined ? undefined : visitorOf(session, options)
    return session === undefined || visitor === undefined ? undefined : { data: session, visitor }
  }
  const watch = new SessionWatch<S>({ load: find, idOf, options })
  const listener: StoreListener = {
    destroyed: (sid) => watch.destroyed(sid),
    cleared: () => watch.cleared(),
    storing(sid, session) {
      if (!watch.knows(sid)) return undefined
      // What the application gives its own store is a session of its own.
      const told = visitorNow(session as S, options)
      return () => watch.stored(sid, told)
    },
    touching(sid, session) {
      if (!watch.knows(sid)) return undefined
      const expiresAtMs = expiryOf(session)
      return () => watch.extended(sid, expiresAtMs)
    },
  }
  let stopListening: (() => void) | undefined
  let coupled = 0
  return {
    check(value) {
      const sid = sidOf(value)
      return sid === undefined ? undefined : watch.admit(sid, () => find(sid))
    },
    couple(guard: Guard) {
      const stop = watch.couple(guard)
      coupled++
      stopListening ??= overhear(store, listener)
      return () => {
        stop()
        if (--coupled > 0) return
        stopListening?.()
        stopListening = undefined
      }
    },
    current: (lease) => watch.current(lease),
    async extend(lease) {
      const session = await watch.current(lease)
      const sid = watch.handleOf(lease)
      const longer = session === undefined ? undefined : extended(session)
      if (sid === undefined || longer === undefined || store.touch === undefined) return false
      await new Promise<void>((resolve) => store.touch?.(sid, longer, () => resolve()))
      return !lease.ended
    },
  }
}

/** Public name of a session: it leads to the session nobody who does not know it already. */
export function idOf(sid: string): string {
  return hash('sha256', sid, 'base64url')
}

/** @throws OutageError when the store fails */
function load<S>(store: ConnectStore<S>, sid: string): Promise<S | undefined> {
  return new Promise((resolve, reject) => {
    store.get(sid, (error, session) => {
      // Stores of files say so of a session that they do not have; both libraries take it for an answer.
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (error === undefined || error === null || missing) resolve(session ?? undefined)
      else reject(new OutageError('records_unavailable', 'sessions: the store fails', { cause: error }))
    })
  })
}

/** Who is behind a session. What the application writes wrongly, or a reader that throws, is nobody. */
function visitorNow<S>(session: S, readers: SessionReaders<S>): ApplicationVisitor | undefined {
  try {
    return visitorOf(session, readers)
  } catch {
    return undefined
  }
}

/** @throws MisuseError for roles that are none; what a reader throws passes through */
function visitorOf<S>(session: S, readers: SessionReaders<S>): ApplicationVisitor | undefined {
  const subject = readers.subject(session)
  if (subject === undefined || subject === '') return undefined
  const roles: unknown = readers.roles?.(session) ?? []
  if (!isTexts(roles)) throw new MisuseError('invalid_option', 'sessions: roles answers a list of texts')
  const expiresAtMs = expiryOf(session)
  const provedAtMs = readers.provedAtMs?.(session)
  return {
    subject,
    roles,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(provedAtMs === undefined ? {} : { provedAtMs }),
    ...(readers.claims === undefined ? {} : { claims: readers.claims(session) }),
  }
}

/** When the session's cookie expires, in which both libraries keep the end of the session; a text where it was stored. */
function expiryOf(session: unknown): number | undefined {
  const cookie: unknown = member(session, 'cookie')
  const expires: unknown = member(cookie, 'expires')
  if (!(expires instanceof Date) && typeof expires !== 'string') return undefined
  const ms = new Date(expires).getTime()
  return Number.isNaN(ms) ? undefined : ms
}

/** The session with a later end; `undefined` where it has no length. A copy: stores keep what they are given. */
function extended<S>(session: S): S | undefined {
  const cookie: unknown = member(session, 'cookie')
  const lengthMs: unknown = member(cookie, 'originalMaxAge')
  if (typeof lengthMs !== 'number' || !(lengthMs > 0)) return undefined
  return { ...session, cookie: { ...Object(cookie), expires: new Date(Date.now() + lengthMs) } }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
