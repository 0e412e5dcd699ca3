/** On what a session of a transport rests: entries of its `auth` block. A reload ends what rests on what has changed. */
import { createHash } from 'node:crypto'
import type { Lease, Principal } from 'countersign'
import type { CookieStore } from 'countersign/methods'
import type { AuthMethodNode, AuthNode } from './auth-node.ts'
import type { KeptIdentity } from './cookie-file.ts'

/** What an `auth` block says about those whom it lets in. */
export interface Standing {
  /**
   * Fingerprint of everything that an identity rests upon: of a listed one its entries without their roles, in all
   * methods; of any other the source that knew it; of one that came back by cookie both, since it is not known any more
   * how it came first. Two configurations that agree about it agree about the identity.
   */
  printOf(principal: Principal): string
  /** Roles that a listed identity has now; `undefined`: they were not the configuration's to give. */
  rolesOf(principal: Principal): readonly string[] | undefined
}

/** Reads a block. */
export function standingOf(auth: AuthNode): Standing {
  const entries = auth.methods.flatMap(entriesOf)
  const byAuthid = Map.groupBy(entries, ({ authid }) => authid)
  return {
    printOf(principal) {
      const listed = (byAuthid.get(principal.id) ?? []).map(({ what }) => what)
      if (principal.provider === 'cookie') return digest([listed, unlisted(auth)])
      return digest(isListed(principal) ? listed : sourcesBehind(auth, principal))
    },
    rolesOf(principal) {
      if (!isListed(principal) && principal.provider !== 'cookie') return undefined
      const method = methodOf(principal)
      const roles = (byAuthid.get(principal.id) ?? []).filter(
        (entry) => method === 'cookie' || entry.method === method,
      )
      return roles.length === 0 ? undefined : [...new Set(roles.map(({ role }) => role))]
    },
  }
}

/** One identity in one method. */
interface Entry {
  readonly method: string
  readonly authid: string
  readonly role: string
  /** All of it but the role. Secret. */
  readonly what: unknown
}

function entriesOf(node: AuthMethodNode): readonly Entry[] {
  if (node.method === 'anonymous' || node.method === 'cookie') return []
  const { method, sources } = node
  const entries: Entry[] = []
  for (const source of sources) {
    if (source.kind !== 'static') continue
    for (const { role, ...entry } of source.principals)
      entries.push({
        method,
        authid: entry.authid,
        role,
        what: [method, source.secondFactor, node.first, entry],
      })
  }
  return entries
}

/** Everything but identities that are listed: the sources of its kind, in the method that it came by. */
function sourcesBehind(auth: AuthNode, principal: Principal): readonly unknown[] {
  const node = auth.methods.find(({ method }) => method === methodOf(principal))
  if (node === undefined || !node.first) return ['gone']
  return node.sources.map((source) => (source.kind === 'static' ? withoutList(node, source) : source))
}

/** Sources that are no lists, of all methods. */
function unlisted(auth: AuthNode): readonly unknown[] {
  return auth.methods.map(({ method, first, sources }) => [
    method,
    first,
    sources.filter(({ kind }) => kind !== 'static'),
  ])
}

function withoutList(
  node: AuthMethodNode,
  source: { readonly secondFactor: string | undefined; readonly principals: readonly unknown[] },
): unknown {
  return node.method === 'anonymous' ? source : ['static', source.secondFactor]
}

/** Whether the file itself names the identity; nobody in particular is named nowhere. */
function isListed({ provider, method }: Principal): boolean {
  return provider === 'static' && method !== 'anonymous'
}

/** SCRAM has several names on the wire. */
function methodOf({ method }: Principal): string {
  return method.includes('scram') ? 'scram' : method
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** Whom a reload found among the sessions of a transport. */
export interface Reconciled {
  readonly ended: number
  readonly changed: number
}

/**
 * Holds open sessions against a changed block: those that rest on what has changed end with `revoked`, those whose role
 * has changed go on under the new one.
 */
export function reconcile(
  leases: readonly Lease[],
  { before, after, now }: { readonly before: Standing; readonly after: Standing; readonly now: number },
): Reconciled {
  let ended = 0
  let changed = 0
  for (const lease of leases) {
    if (lease.ended) continue
    const { principal } = lease
    if (before.printOf(principal) !== after.printOf(principal)) {
      lease.apply({ kind: 'ended', reason: 'revoked' }, now)
      ended++
    } else if (takeRoles(lease, after.rolesOf(principal), now)) changed++
  }
  return { ended, changed }
}

function takeRoles(lease: Lease, roles: readonly string[] | undefined, now: number): boolean {
  const { principal, grant, untilMs, neverAfterMs } = lease
  if (roles === undefined || sameTexts(roles, principal.roles)) return false
  lease.renew(
    {
      kind: 'accept',
      principal: { ...principal, roles },
      grant: { ...grant, roles },
      untilMs,
      neverAfterMs,
      lease: undefined,
    },
    now,
  )
  return true
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at])
}

/** Cookies of a transport: each is worth what the entries are worth that it rests upon, also after a restart. */
export function standingCookies(store: CookieStore, standing: Standing): CookieStore {
  const printOf = (principal: Principal): string => standing.printOf({ ...principal, provider: 'cookie' })
  return {
    remember: (cookie, identity, now) => {
      const kept: KeptIdentity = { ...identity, standing: printOf(identity.principal) }
      return store.remember(cookie, kept, now)
    },
    async find(cookie, now) {
      const found = await store.find(cookie, now)
      if (found === undefined) return undefined
      const isStanding = 'standing' in found && found.standing === printOf(found.principal)
      if (isStanding) return withRoles(found, standing)
      await store.forget(cookie)
      return undefined
    },
    forget: (cookie) => store.forget(cookie),
    // Meant by the role that it was remembered under, or by the one that it would come back under.
    forgetWhere: (who) => store.forgetWhere((found) => who(found) || who(withRoles(found, standing))),
  }
}

/** A listed identity comes back under the role that it has now. */
function withRoles<R extends { readonly principal: Principal }>(found: R, standing: Standing): R {
  const roles = standing.rolesOf(found.principal)
  return roles === undefined ? found : { ...found, principal: { ...found.principal, roles } }
}
