/** `countersign/sessions/better-auth`: sockets that live and end with the sessions of Better Auth. */
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { ApplicationCheck, ApplicationVisitor } from '../core/ports.ts'
import { idOf } from './connect-sessions.ts'
import type { FoundSession, WatchOptions } from './coupled-sessions.ts'
import { SessionWatch } from './session-watch.ts'
import { decodedCookie } from './signed-value.ts'
import { overhearStorage } from './store-events.ts'

export type { WatchOptions } from './coupled-sessions.ts'

/** A session of Better Auth, with whatever its plugins have added. */
export interface BetterAuthSession {
  readonly session: Readonly<Record<string, unknown>>
  readonly user: Readonly<Record<string, unknown>>
}

/** What is used of what `betterAuth()` returns. */
export interface BetterAuthInstance {
  readonly api: {
    getSession(input: {
      headers: Headers
      query: { disableCookieCache: true; disableRefresh: true }
    }): Promise<BetterAuthSession | null>
  }
  readonly $context: Promise<{
    /** What `betterAuth()` was given. */
    readonly options: object
    readonly authCookies: { readonly sessionToken: { readonly name: string } }
    readonly internalAdapter: { findSession(token: string): Promise<BetterAuthSession | null> }
  }>
}

/** A row that a hook of Better Auth is told about. */
type Row = Readonly<Record<string, unknown>> | null | undefined
type RowHook = (row: Row) => Promise<void>

/** The plugin by which Better Auth tells what it changes. */
export interface CountersignPlugin {
  readonly id: 'countersign'
  init(): {
    options: {
      databaseHooks: {
        session: { update: { after: RowHook }; delete: { after: RowHook } }
        user: { update: { after: RowHook }; delete: { after: RowHook } }
      }
    }
  }
}

/** How sessions of Better Auth are read. */
export interface BetterAuthSessionsOptions extends WatchOptions {
  /** @default the texts in the user's `role`, which the admin plugin keeps there, divided by commas */
  readonly roles?: (found: BetterAuthSession) => readonly string[]
  /** What the application wants to find on the lease besides; a snapshot, where `current` is not. @default nothing */
  readonly claims?: (found: BetterAuthSession) => Readonly<Record<string, unknown>>
}

/** As `CoupledSessions`; `couple` takes Better Auth as well, which needs the plugin before there is a guard. */
export interface BetterAuthSessions {
  /** For `betterAuth({ plugins: [sessions.plugin] })`. */
  readonly plugin: CountersignPlugin
  /** See `CoupledSessions.check`. */
  readonly check: ApplicationCheck
  /** See `CoupledSessions.couple`. @param auth what `betterAuth()` returned; the same one for every guard */
  couple(guard: Guard, auth: BetterAuthInstance): () => void
  /** See `CoupledSessions.current`. */
  current(lease: Lease): Promise<BetterAuthSession | undefined>
}

/**
 * Couples the sessions of Better Auth. The subject is the user's `id`. The carrier has the cookie's name:
 * `cookie('better-auth.session_token')`, over TLS `cookie('__Secure-better-auth.session_token')`. Better Auth without a
 * database or secondary storage keeps sessions in the cookie alone; there is nothing to look up there, and nobody gets in.
 * @throws MisuseError for options out of range
 */
export function betterAuthSessions(options: BetterAuthSessionsOptions = {}): BetterAuthSessions {
  let auth: BetterAuthInstance | undefined
  const watch = new SessionWatch<BetterAuthSession>({
    options,
    idOf,
    load: async (token) => found((await contextOf(auth)).internalAdapter.findSession(token), options),
  })
  return {
    plugin: pluginOf(watch),
    async check(value) {
      const token = tokenOf(value)
      if (token === undefined) return undefined
      return await watch.admit(token, async () => {
        const name = (await contextOf(auth)).authCookies.sessionToken.name
        const headers = new Headers({ cookie: `${name}=${value}` })
        // From the database, whatever else the value may have said; and looking at a session does not lengthen it.
        const query = { disableCookieCache: true, disableRefresh: true } as const
        return found(auth?.api.getSession({ headers, query }), options)
      })
    },
    couple(guard, instance) {
      if (auth !== undefined && auth !== instance)
        throw new MisuseError('invalid_option', 'betterAuthSessions: one instance for all guards')
      if (auth === undefined)
        void instance.$context.then((context) => overhearSecondary(context.options, watch))
      auth = instance
      return watch.couple(guard)
    },
    current: (lease) => watch.current(lease),
  }
}

/** The context, once it has shown that the plugin is in it: without, a logout would end no socket. */
async function contextOf(
  auth: BetterAuthInstance | undefined,
): Promise<Awaited<BetterAuthInstance['$context']>> {
  if (auth === undefined)
    throw new MisuseError('missing_port', 'betterAuthSessions: couple(guard, auth) comes first')
  const context = await auth.$context
  const plugins: unknown = Reflect.get(context.options, 'plugins')
  if (
    !Array.isArray(plugins) ||
    !plugins.some((plugin: { readonly id?: unknown }) => plugin.id === 'countersign')
  )
    throw new MisuseError('missing_port', 'betterAuthSessions: betterAuth() was not given the plugin')
  return context
}

/** Hooks of the database: they run for sign-out, revocation, a ban and every other way in which Better Auth does it. */
function pluginOf(watch: SessionWatch<BetterAuthSession>): CountersignPlugin {
  const ended: RowHook = async (row) => {
    if (typeof row?.['token'] === 'string') watch.destroyed(row['token'])
  }
  const changed =
    (member: 'id' | 'userId'): RowHook =>
    async (row) => {
      const subject = row?.[member]
      // Not awaited: whoever changes a user does not wait for look-ups.
      if (typeof subject === 'string') void watch.recheck({ subject })
    }
  return {
    id: 'countersign',
    init: () => ({
      options: {
        databaseHooks: {
          session: { update: { after: changed('userId') }, delete: { after: ended } },
          user: { update: { after: changed('id') }, delete: { after: changed('id') } },
        },
      },
    }),
  }
}

/**
 * Sessions that are kept in secondary storage alone are deleted there, by their token, and no hook of the database runs;
 * with a changed user they are written there after the hook of the user has run.
 */
function overhearSecondary(options: object, watch: SessionWatch<BetterAuthSession>): void {
  const storage: unknown = Reflect.get(options, 'secondaryStorage')
  if (typeof storage !== 'object' || storage === null) return
  overhearStorage(storage, {
    removed: (key) => watch.destroyed(key),
    written: (key) => {
      if (watch.knows(key)) void watch.recheck({ session: idOf(key) })
    },
  })
}

/**
 * What the value says that it signs: a name to listen by while Better Auth checks the signature. A value that is not one
 * cookie's, such as one that a first message brings, must not become several.
 */
function tokenOf(value: string): string | undefined {
  if (!/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,4096}$/.test(value)) return undefined
  const text = decodedCookie(value)
  const dot = text.lastIndexOf('.')
  return dot < 1 ? undefined : text.slice(0, dot)
}

/** Who is behind what Better Auth has found. A ban counts, though the session is still there. */
async function found(
  asked: Promise<BetterAuthSession | null> | undefined,
  { roles = rolesOf, claims }: BetterAuthSessionsOptions,
): Promise<FoundSession<BetterAuthSession> | undefined> {
  const data = await asked
  if (data === undefined || data === null) return undefined
  const { session, user } = data
  const subject = user['id']
  const expiresAtMs = instantOf(session['expiresAt'])
  if (typeof subject !== 'string' || expiresAtMs === undefined || isBanned(user)) return undefined
  if (expiresAtMs <= Date.now()) return undefined
  const provedAtMs = instantOf(session['createdAt'])
  const visitor: ApplicationVisitor = {
    subject,
    roles: roles(data),
    expiresAtMs,
    ...(provedAtMs === undefined ? {} : { provedAtMs }),
    ...(claims === undefined ? {} : { claims: claims(data) }),
  }
  return { data, visitor }
}

function rolesOf({ user }: BetterAuthSession): readonly string[] {
  const role = user['role']
  if (typeof role !== 'string') return []
  return role.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]))
}

/** For ever, or until a time that may be over. */
function isBanned(user: BetterAuthSession['user']): boolean {
  const until = instantOf(user['banExpires'])
  return user['banned'] === true && (until === undefined || until > Date.now())
}

/** Databases differ in what they keep a time as. */
function instantOf(value: unknown): number | undefined {
  if (!(value instanceof Date) && typeof value !== 'string' && typeof value !== 'number') return undefined
  const ms = new Date(value).getTime()
  return Number.isNaN(ms) ? undefined : ms
}
