/** Who may receive a publication (WAMP, advanced profile, subscriber black- and whitelisting). */
import { idOf } from './ids.ts'
import type { Identity, Session } from './session.ts'

/** Names in one list that are looked at; a longer list is a wrong argument. */
export const maxListed = 10_000

/**
 * The lists of one PUBLISH. An absent list is no condition; every list that is present must hold, so an empty `eligible`
 * means nobody.
 */
export interface Audience {
  /** Session ids. */
  exclude: ReadonlySet<unknown> | undefined
  excludeAuthid: ReadonlySet<unknown> | undefined
  excludeAuthrole: ReadonlySet<unknown> | undefined
  /** Session ids. */
  eligible: ReadonlySet<unknown> | undefined
  eligibleAuthid: ReadonlySet<unknown> | undefined
  eligibleAuthrole: ReadonlySet<unknown> | undefined
}

/** Where each option of PUBLISH is kept. */
export const audienceOptions: ReadonlyMap<string, keyof Audience> = new Map<string, keyof Audience>([
  ['exclude', 'exclude'],
  ['exclude_authid', 'excludeAuthid'],
  ['exclude_authrole', 'excludeAuthrole'],
  ['eligible', 'eligible'],
  ['eligible_authid', 'eligibleAuthid'],
  ['eligible_authrole', 'eligibleAuthrole'],
])

/** No list at all. */
export function everyone(): Audience {
  return {
    exclude: undefined,
    excludeAuthid: undefined,
    excludeAuthrole: undefined,
    eligible: undefined,
    eligibleAuthid: undefined,
    eligibleAuthrole: undefined,
  }
}

/** Reads one list. @returns `undefined` for what is no list of ids or of names, or is too long */
export function listOf(key: keyof Audience, value: unknown): ReadonlySet<unknown> | undefined {
  if (!Array.isArray(value) || value.length > maxListed) return undefined
  const listed = new Set<unknown>()
  const ids = key === 'exclude' || key === 'eligible'
  for (const item of value) {
    const read = ids ? idOf(item) : typeof item === 'string' ? item : undefined
    if (read === undefined) return undefined
    listed.add(read)
  }
  return listed
}

/** Whether a session is among those a publication is for. */
export function admits(audience: Audience, session: Session): boolean {
  if (audience.exclude?.has(session.id) === true) return false
  if (audience.eligible?.has(session.id) === false) return false
  return admitsIdentity(audience, session.identity)
}

/** Whether the lists by authid and authrole let somebody through; those by session id are not asked. */
export function admitsIdentity(audience: Audience, { authid, authrole }: Identity): boolean {
  if (audience.excludeAuthid?.has(authid) === true) return false
  if (audience.excludeAuthrole?.has(authrole) === true) return false
  if (audience.eligibleAuthid?.has(authid) === false) return false
  return audience.eligibleAuthrole?.has(authrole) !== false
}

/** Whether sessions are named, which mean nothing to whoever joins later. */
export function namesSessions(audience: Audience | undefined): boolean {
  return audience?.exclude !== undefined || audience?.eligible !== undefined
}
