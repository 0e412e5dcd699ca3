/** Session meta procedures (WAMP, advanced profile, session meta API). */
import { idOf } from './ids.ts'
import type { Dict } from './messages.ts'
import {
  answer,
  badArguments,
  refuse,
  type Kill,
  type MetaAnswer,
  type MetaCall,
  type MetaHost,
  type MetaProcedure,
} from './meta-host.ts'
import type { Session } from './session.ts'
import { isUri } from './uri.ts'

/** The procedures by name. */
export const sessionProcedures: Readonly<Record<string, MetaProcedure>> = {
  'wamp.session.count': (host, call) => listed(host, call, (ids) => answer(ids.length)),
  'wamp.session.list': (host, call) => listed(host, call, (ids) => answer(ids)),
  'wamp.session.get': (host, { args }) => {
    const session = host.session(idOf(args[0]) ?? 0)
    return session === undefined ? noSuchSession : answer(sessionDetails(session))
  },
  'wamp.session.kill': (host, call) => {
    const session = host.session(idOf(call.args[0]) ?? 0)
    // The caller is no other session (WAMP, session meta API, `wamp.session.kill`).
    if (session === undefined || session === call.caller) return noSuchSession
    return killed(host, call, { chosen: [session], tell: () => answer() })
  },
  'wamp.session.kill_by_authid': (host, call) =>
    killedBy(host, call, { of: (session) => session.identity.authid, tell: (ids) => answer(ids) }),
  'wamp.session.kill_by_authrole': (host, call) =>
    killedBy(host, call, { of: (session) => session.identity.authrole, tell: (ids) => answer(ids.length) }),
  'wamp.session.kill_all': (host, call) => {
    const chosen = [...host.sessions()].filter((session) => session !== call.caller)
    return killed(host, call, { chosen, tell: (ids) => answer(ids.length), quiet: true })
  },
}

/** What everyone with the permission may know about a session: who it is, nothing that its client said. */
export function sessionDetails(session: Session): Dict {
  const { authid, authrole, authmethod, authprovider } = session.identity
  return { session: session.id, authid, authrole, authmethod, authprovider, transport: session.transport }
}

const noSuchSession = refuse('wamp.error.no_such_session')
const longestMessage = 1024

/** Ids of all sessions, or of those in the given roles. */
function listed(
  host: MetaHost,
  { args }: MetaCall,
  tell: (ids: readonly number[]) => MetaAnswer,
): MetaAnswer {
  const roles = args[0] ?? undefined
  if (roles !== undefined && !isTextList(roles)) return badArguments
  const wanted = roles && new Set(roles)
  const chosen = [...host.sessions()].filter(({ identity }) => wanted?.has(identity.authrole) ?? true)
  return tell(chosen.map(({ id }) => id))
}

interface Killing {
  readonly chosen: readonly Session[]
  readonly tell: (ids: readonly number[]) => MetaAnswer
  readonly quiet?: boolean
}

function killedBy(
  host: MetaHost,
  call: MetaCall,
  by: { readonly of: (session: Session) => string; readonly tell: Killing['tell'] },
): MetaAnswer {
  const wanted = call.args[0]
  if (typeof wanted !== 'string') return badArguments
  const others = [...host.sessions()].filter((session) => session !== call.caller)
  return killed(host, call, { chosen: others.filter((one) => by.of(one) === wanted), tell: by.tell })
}

function killed(host: MetaHost, { kwargs }: MetaCall, { chosen, tell, quiet }: Killing): MetaAnswer {
  const reason = kwargs['reason'] ?? 'wamp.close.killed'
  const message = kwargs['message'] ?? undefined
  if (typeof reason !== 'string' || !isUri(reason, 'loose')) return refuse('wamp.error.invalid_uri')
  if (message !== undefined && (typeof message !== 'string' || message.length > longestMessage)) {
    return badArguments
  }
  const how: Kill = { reason, message, quiet: quiet ?? false }
  for (const session of chosen) host.kill(session, how)
  return tell(chosen.map(({ id }) => id))
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
