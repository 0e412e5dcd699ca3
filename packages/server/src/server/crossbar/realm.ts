/**
 * Realms: their roles, options, stores and statistics.
 *
 * A realm is a world of its own: sessions of one never see those of another. What a session may do there follows
 * from its role alone, and a role that says nothing allows nothing.
 */
import type { GrantNode, HistoryNode, RealmNode, RoleNode, StatsNode } from './node.ts'
import { ruleOf } from './permissions.ts'
import {
  below,
  complain,
  flag,
  ignored,
  list,
  members,
  oneOf,
  optional,
  roleName,
  text,
  uri,
  warn,
  whole,
  without,
  type Reader,
  type Spot,
} from './reader.ts'

/** Reads a realm. */
export const realmOf: Reader<RealmNode> = (spot) => {
  const read = members(spot, {
    id: ignored,
    name: uri,
    roles: optional(list(roleOf), []),
    options: optional(optionsOf, defaultOptions),
    store: optional(historyOf, []),
    stats: optional(statsOf, undefined),
  })
  complainTwice(
    below(spot, 'roles'),
    read.roles.map(({ name }) => name),
  )
  return {
    name: read.name,
    roles: read.roles,
    ...read.options,
    history: read.store,
    stats: read.stats,
  }
}

/** Complains of names that a list of mappings has more than once. */
export function complainTwice(entries: Spot, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (seen.has(name) && name !== '')
      complain(below(below(entries, index), 'name'), 'is taken by an earlier one')
    seen.add(name)
  }
}

/** What holds in a realm without `options`. */
const defaultOptions = { uriCheck: 'loose', metaApi: true, bridgeMetaApi: false, eventChunk: 100 } as const

/** `options` of a realm. URIs are checked loosely by default, as clients of Crossbar.io expect. */
function optionsOf(spot: Spot): Pick<RealmNode, 'uriCheck' | 'metaApi' | 'bridgeMetaApi' | 'eventChunk'> {
  const read = members(spot, {
    uri_check: optional(oneOf(['strict', 'loose'], 'strict'), defaultOptions.uriCheck),
    enable_meta_api: optional(flag, defaultOptions.metaApi),
    bridge_meta_api: optional(flag, defaultOptions.bridgeMetaApi),
    event_dispatching_chunk_size: optional(whole(1, 1_000_000), defaultOptions.eventChunk),
  })
  if (read.bridge_meta_api) warn(below(spot, 'bridge_meta_api'), 'cannot apply: there is no management realm')
  return {
    uriCheck: read.uri_check,
    metaApi: read.enable_meta_api,
    bridgeMetaApi: read.bridge_meta_api,
    eventChunk: read.event_dispatching_chunk_size,
  }
}

/** How long an authorizer’s decision may be kept, where it allows keeping: Crossbar.io keeps it for ever. */
const cacheTtlMs = 60_000

/**
 * A role: its rules, or the procedure that decides instead. Both at once would leave open which of them counts.
 * Decisions are kept by session unless the role says otherwise: kept by role, what one user may do would be
 * what all of its role may do.
 */
function roleOf(spot: Spot): RoleNode {
  const read = members(spot, {
    id: ignored,
    name: roleName,
    permissions: optional(list(ruleOf), undefined),
    authorizer: optional(uri, undefined),
    x_trustlevel: optional(whole(0, 1_000_000), undefined),
    x_cache_ttl: optional(whole(0, 86_400_000), undefined),
    x_cache_key: optional(oneOf(['session', 'authid', 'role'], 'session'), undefined),
  })
  const { permissions, authorizer } = read
  if (permissions !== undefined && authorizer !== undefined) {
    complain(below(spot, 'authorizer'), 'stands beside "permissions": exactly one of them decides')
  }
  if (authorizer === undefined) {
    for (const key of ['x_cache_ttl', 'x_cache_key'] as const) {
      if (read[key] !== undefined) complain(below(spot, key), 'belongs to a role with "authorizer"')
    }
    if (permissions === undefined)
      warn(spot, 'has neither "permissions" nor "authorizer": everything is denied')
  }
  if (read.x_cache_key === 'role') {
    warn(below(spot, 'x_cache_key'), 'lets what is decided for one session hold for all of the role')
  }
  const grant: GrantNode =
    authorizer === undefined
      ? { kind: 'rules', rules: permissions ?? [] }
      : {
          kind: 'authorizer',
          uri: authorizer,
          cacheTtlMs: read.x_cache_ttl ?? cacheTtlMs,
          cacheKey: read.x_cache_key ?? 'session',
        }
  return { name: read.name, trustlevel: read.x_trustlevel, grant }
}

/** `store`: which events are kept. They are kept in memory, whatever the type is. */
function historyOf(spot: Spot): readonly HistoryNode[] {
  const type = below(spot, 'type')
  if (type.value !== undefined && type.value !== 'memory')
    warn(type, 'cannot apply: events are kept in memory')
  const read = members(spot, {
    type: optional(text(64), 'memory'),
    path: without('cannot apply: events are kept in memory'),
    maxsize: without('cannot apply: events are kept in memory'),
    limit: optional(whole(1, 1_000_000), 100),
    'event-history': optional(list(historyEntry), []),
    'call-queue': without('cannot apply: calls are not queued'),
  })
  return read['event-history'].map(({ limit, ...entry }) => ({ ...entry, limit: limit ?? read.limit }))
}

/** One entry of `event-history`; without a `limit` of its own it has that of the store. */
function historyEntry(spot: Spot): Omit<HistoryNode, 'limit'> & { readonly limit: number | undefined } {
  return members(spot, {
    uri: text(),
    match: optional(oneOf(['exact', 'prefix', 'wildcard'], 'exact'), 'exact'),
    limit: optional(whole(1, 1_000_000), undefined),
  })
}

/** `stats` of a realm: durations are written in seconds. */
function statsOf(spot: Spot): StatsNode {
  const read = members(spot, {
    rated_message_size: optional(whole(1, 16_777_216), 512),
    trigger_after_rated_messages: optional(whole(0, 1_000_000_000), 0),
    trigger_after_duration: optional(whole(0, 86_400), 0),
    trigger_on_join: optional(flag, true),
    trigger_on_leave: optional(flag, true),
  })
  if (!Number.isInteger(Math.log2(read.rated_message_size))) {
    complain(below(spot, 'rated_message_size'), 'must be a power of two')
  }
  return {
    ratedMessageBytes: read.rated_message_size,
    afterRatedMessages: read.trigger_after_rated_messages,
    afterMs: read.trigger_after_duration * 1_000,
    onJoin: read.trigger_on_join,
    onLeave: read.trigger_on_leave,
  }
}
