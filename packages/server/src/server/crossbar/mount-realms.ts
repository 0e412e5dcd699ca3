/** Realms of a configuration as the router is told them. */
import type { RealmOptions, RoleOptions } from 'countersign/wamp'
import type { AuthNode } from './auth-node.ts'
import type { ListenerNode, RawSocketNode, RealmNode, RoleNode, RouterNode, WebSocketNode } from './node.ts'

/** Every realm, with the procedures that only the router may call: all that the configuration relies on. */
export function realmOptions(router: RouterNode): readonly RealmOptions[] {
  const reserved = reservedOf(router)
  return router.realms.map((realm) => ({
    name: realm.name,
    roles: rolesOf(realm),
    uriCheck: realm.uriCheck,
    metaApi: realm.metaApi,
    history: realm.history,
    reserved,
  }))
}

/** The roles of a realm. */
export function rolesOf({ roles }: RealmNode): readonly RoleOptions[] {
  return roles.map(roleOf)
}

function roleOf({ name, trustlevel, grant }: RoleNode): RoleOptions {
  const trust = trustlevel === undefined ? {} : { trustlevel }
  if (grant.kind === 'rules') return { name, rules: grant.rules, ...trust }
  const { uri, cacheKey, cacheTtlMs } = grant
  return { name, authorizer: { authorizer: uri, cacheBy: cacheKey, cacheTtlMs }, ...trust }
}

/**
 * Authenticators and authorizers, whatever the realm on which they are called: whoever could register one of them
 * would decide who comes in.
 */
export function reservedOf(router: RouterNode): readonly string[] {
  const authorizers = router.realms.flatMap(({ roles }) =>
    roles.flatMap(({ grant }) => (grant.kind === 'authorizer' ? grant.uri : [])),
  )
  const authenticators = router.listeners
    .flatMap(transportsOf)
    .flatMap(({ node }) => authenticatorsOf(node.auth))
  return [...new Set([...authorizers, ...authenticators])].toSorted()
}

function authenticatorsOf({ methods }: AuthNode): readonly string[] {
  return methods.flatMap(({ sources }) =>
    sources.flatMap((source) => (source.kind === 'dynamic' ? source.authenticator : [])),
  )
}

/** A transport that carries sessions, where it is on its listener. */
export type TransportPlace =
  /** `path` of a WebSocket; `undefined`: any. */
  | { readonly kind: 'websocket'; readonly path: string | undefined; readonly node: WebSocketNode }
  | { readonly kind: 'rawsocket'; readonly path: undefined; readonly node: RawSocketNode }

/** All transports of a listener that carry sessions, always in the same order. */
export function transportsOf(listener: ListenerNode): readonly TransportPlace[] {
  switch (listener.kind) {
    case 'websocket':
      return [{ kind: 'websocket', path: undefined, node: listener.websocket }]
    case 'rawsocket':
      return [rawPlace(listener.rawsocket)]
    case 'web':
      return listener.web.paths.flatMap(webPlaces)
    case 'universal':
      return [
        ...(listener.rawsocket === undefined ? [] : [rawPlace(listener.rawsocket)]),
        ...listener.websocket.flatMap(webPlaces),
        ...(listener.web?.paths ?? []).flatMap(webPlaces),
      ]
  }
}

function rawPlace(node: RawSocketNode): TransportPlace {
  return { kind: 'rawsocket', path: undefined, node }
}

function webPlaces({
  path,
  service,
}: {
  readonly path: string
  readonly service: { readonly kind: string }
}): readonly TransportPlace[] {
  return isWebSocket(service) ? [{ kind: 'websocket', path, node: service }] : []
}

function isWebSocket(service: { readonly kind: string }): service is WebSocketNode {
  return service.kind === 'websocket'
}
