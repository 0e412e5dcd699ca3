/** What an acceptance comes to in a realm: role, identity, WELCOME. Pure steps of a connection's way in. */
import type { Lease } from '../core/lease.ts'
import type { Principal } from '../core/principal.ts'
import { routerRoles } from './announce.ts'
import { isDict, noDict, type Dict, type Welcome } from './messages.ts'
import type { TransportIdentity } from './ports.ts'
import type { Identity, Session } from './session.ts'

/**
 * The role of a principal in a realm: the one that was wished for where it is among the principal's own, else the first
 * that exists. @returns `undefined`: the realm has none of them
 */
export function roleFor(
  principal: Principal,
  wished: string | undefined,
  exists: (role: string) => boolean,
): string | undefined {
  if (wished !== undefined && principal.roles.includes(wished) && exists(wished)) return wished
  return principal.roles.find(exists)
}

/** Who the session is: what was proved, and nothing that the client merely said. */
export function identityOf(principal: Principal, authrole: string): Identity {
  const { authid, authextra } = principal.claims
  return {
    authid: typeof authid === 'string' ? authid : principal.id,
    authrole,
    authmethod: principal.method,
    authprovider: principal.provider,
    authextra: isDict(authextra) ? authextra : noDict,
  }
}

/** WELCOME with the effective identity: realm, name and role may be others than the client asked for. */
export function welcomeOf(session: Session, metaApi: boolean): Welcome {
  const { authid, authrole, authmethod, authprovider, authextra } = session.identity
  const details: Dict = {
    realm: session.realm,
    authid,
    authrole,
    authmethod,
    authprovider,
    authextra,
    roles: routerRoles(metaApi),
  }
  return { kind: 'welcome', session: session.id, details }
}

/** What the transport may remember the client by. */
export function transportIdentity(session: Session, lease: Lease): TransportIdentity {
  const { authid, authrole, authmethod, authextra } = session.identity
  const { realm } = session
  return { realm, authid, authrole, authmethod, authextra, lease }
}
