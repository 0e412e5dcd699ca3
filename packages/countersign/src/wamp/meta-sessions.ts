/** Session meta procedures (WAMP, advanced profile, session meta API). */
import { idOf } from './ids.ts'
import type { Dict } from './messages.ts'
import { badReason, reasonOf } from './meta-arguments.ts'
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
    const whom = { by: 'authid', value: session.identity.authid } as const
    return killed(host, call, { chosen: [session], whom, tell: () => answer() })
  },
  'wamp.session.kill_by_authid': (host, call) =>
    killedBy(host, call, { by: 'authid', tell: (ids) => answer(ids) }),
  'wamp.session.kill_by_authrole': (host, call) =>
    killedBy(host, call, { by: 'authrole', tell: (ids) => answer(ids.length) }),
  'wamp.session.kill_all': (host, call) => {
    const chosen = [...host.sessions()].filter((session) => session !== call.caller)
    const whom = { by: 'all', value: '' } as const
    return killed(host, call, { chosen, whom, tell: (ids) => answer(ids.length), quiet: true })
  },
}

/** What everyone with the permission may know about a session: who it is, nothing that its client said. */
export function sessionDetails(session: Session): Dict {
  const { authid, authrole, authmethod, authprovider } = session.identity
  return { session: session.id, authid, authrole, authmethod, authprovider, transport: session.transport }
}

const noSuchSession = refuse('wamp.error.no_such_session')
/** Longest message that a kill may tell, characters. */
const maxMessageLength = 1_024

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

/** Whom a kill ends now, whom it is meant for, and what its caller is told. */
interface Killing {
  readonly chosen: readonly Session[]
  readonly whom: Parameters<MetaHost['forget']>[0]
  readonly tell: (ids: readonly number[]) => MetaAnswer
  readonly quiet?: boolean
}

function killedBy(
  host: MetaHost,
  call: MetaCall,
  { by, tell }: { readonly by: 'authid' | 'authrole'; readonly tell: Killing['tell'] },
): MetaAnswer {
  const wanted = call.args[0]
  if (typeof wanted !== 'string') return badArguments
  const others = [...host.sessions()].filter((session) => session !== call.caller)
  const chosen = others.filter(({ identity }) => identity[by] === wanted)
  return killed(host, call, { chosen, whom: { by, value: wanted }, tell })
}

function killed(host: MetaHost, call: MetaCall, { chosen, whom, tell, quiet }: Killing): MetaAnswer {
  const reason = reasonOf(call, 'wamp.close.killed')
  const message = call.kwargs['message'] ?? undefined
  if (reason === undefined) return badReason
  if (message !== undefined && (typeof message !== 'string' || message.length > maxMessageLength)) {
    return badArguments
  }
  const how: Kill = { reason, message, quiet: quiet ?? false }
  // First of all: nobody whose session ends may come back by what is remembered.
  host.forget(whom)
  for (const session of chosen) host.kill(session, how)
  return tell(chosen.map(({ id }) => id))
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
