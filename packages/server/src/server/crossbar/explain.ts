/** A node configuration in plain words: where it listens, who can join and how, what each role may do. No secret is said. */
import { isLocal } from './endpoint.ts'
import { wanted } from './listeners.ts'
import { transportsOf, type TransportPlace } from './mount-realms.ts'
import type {
  AuthMethodNode,
  AuthNode,
  CrossbarNode,
  EndpointNode,
  ListenerNode,
  RealmNode,
  RoleNode,
  RouterNode,
  WebServiceNode,
} from './node.ts'

/** Lines for people. */
export function explainNode({ version, routers }: CrossbarNode): readonly string[] {
  const head = `A node of Crossbar.io, configuration version ${version}, ${count(routers.length, 'router')}.`
  return [head, ...routers.flatMap((router, index) => ['', ...explainRouter(router, index)])]
}

/** What there is, as values. */
export function nodeFacts({ routers }: CrossbarNode): object {
  return {
    routers: routers.map(({ id, realms, listeners }) => ({
      id,
      realms: realms.map(({ name, roles }) => ({ name, roles: roles.map((role) => role.name) })),
      transports: listeners.flatMap((listener) =>
        transportsOf(listener).map((place) => ({
          url: urlOf(listener.endpoint, place),
          methods: place.node.auth.methods.filter(({ first }) => first).map(({ method }) => method),
          serializers: place.node.serializers,
        })),
      ),
    })),
  }
}

/** Workers without an id are told by their place in the file, counted from one. */
function explainRouter({ id, realms, listeners }: RouterNode, index: number): readonly string[] {
  return [
    `Router "${id ?? `worker-${index + 1}`}":`,
    ...explainRealms({ realms }),
    ...listeners.flatMap(explainListener),
  ].map((line, at) => (at === 0 ? line : `  ${line}`))
}

/** Realms and what their roles may do. */
export function explainRealms({ realms }: Pick<RouterNode, 'realms'>): readonly string[] {
  return realms.flatMap(explainRealm)
}

function explainRealm({ name, roles, uriCheck, history }: RealmNode): readonly string[] {
  const kept = history.length === 0 ? '' : `, ${count(history.length, 'topic')} with a history`
  return [
    `Realm "${name}" (URIs are checked ${uriCheck === 'loose' ? 'loosely' : 'strictly'}${kept}):`,
    ...roles.map(explainRole),
  ]
}

/** Everything that is allowed, and nothing else: what is not said is denied. */
function explainRole({ name, grant, trustlevel }: RoleNode): string {
  const trust = trustlevel === undefined ? '' : `, trust level ${trustlevel}`
  if (grant.kind === 'authorizer')
    return `  Role "${name}" asks ${grant.uri}, and keeps answers by ${grant.cacheKey}${trust}.`
  if (grant.rules.length === 0) return `  Role "${name}" may do nothing${trust}.`
  const rules = grant.rules.map(({ uri, match, allow }) => {
    const actions = Object.entries(allow).flatMap(([action, allowed]) => (allowed ? action : []))
    return `${actions.length === 0 ? 'nothing' : actions.join(', ')} on ${writeUri(uri, match)}`
  })
  return `  Role "${name}" may ${rules.join('; ')}${trust}.`
}

/** As it was configured, in the star notation. */
function writeUri(uri: string, match: 'exact' | 'prefix' | 'wildcard'): string {
  if (match === 'exact') return uri
  if (match === 'prefix') return `${uri}*`
  return uri
    .split('.')
    .map((part) => (part === '' ? '*' : part))
    .join('.')
}

function explainListener(listener: ListenerNode): readonly string[] {
  const { kind, endpoint } = listener
  const services = servicesOf(listener)
  return [
    `Transport ${kind === 'websocket' ? 'WebSocket' : kind} on ${wanted(endpoint)}${tlsWords(endpoint)}:`,
    ...services.map(({ path, service }) => `  ${path} answers with ${serviceWords[service.kind]}.`),
    ...transportsOf(listener).flatMap((place) => explainTransport(endpoint, place)),
  ]
}

/** Who can read along, or reach it at all. */
function tlsWords(endpoint: EndpointNode): string {
  if (endpoint.kind === 'unix') return ', for who may open that file'
  if (endpoint.tls === undefined) return isLocal(endpoint) ? ', on this machine alone' : ', in clear'
  return endpoint.tls.caCertificates.length > 0 ? ' with TLS, for clients with a certificate' : ' with TLS'
}

/** What is no transport of sessions: it answers to anyone. */
function servicesOf(listener: ListenerNode): readonly {
  readonly path: string
  readonly service: Exclude<WebServiceNode, { kind: 'websocket' }>
}[] {
  const web = listener.kind === 'web' || listener.kind === 'universal' ? listener.web : undefined
  return (web?.paths ?? []).flatMap(({ path, service }) =>
    service.kind === 'websocket' ? [] : [{ path, service }],
  )
}

const serviceWords: Readonly<Record<Exclude<WebServiceNode['kind'], 'websocket'>, string>> = {
  static: 'files of a folder',
  json: 'a value',
  nodeinfo: 'the name of this program',
  redirect: 'a redirection',
}

function explainTransport(endpoint: EndpointNode, place: TransportPlace): readonly string[] {
  return [
    `  ${urlOf(endpoint, place)} speaks ${place.node.serializers.join(', ')}; ${pagesWords(place)}.`,
    ...explainMethods(place.node).map((line) => `    ${line}`),
  ]
}

/** Who may begin, a line for each method: `Lets in: …`. */
export function explainMethods({ auth }: { readonly auth: AuthNode }): readonly string[] {
  return auth.methods.filter(({ first }) => first).map((method) => `Lets in: ${explainMethod(method)}.`)
}

/** Browsers tell by `Origin` which page opens a WebSocket; nothing else that connects is a page. */
function pagesWords(place: TransportPlace): string {
  if (place.kind === 'rawsocket') return 'no browser can reach it'
  const { allowedOrigins } = place.node.options
  if (allowedOrigins === 'any') return 'pages of every site may open it'
  return allowedOrigins.length === 0
    ? 'no page may open it'
    : `pages of ${allowedOrigins.join(', ')} may open it`
}

/** What a client must show, and what follows from it for whoever reads the configuration. */
const methodWords: Readonly<Record<AuthMethodNode['method'], string>> = {
  anonymous: 'anyone, as nobody in particular',
  ticket: 'tickets, which travel in clear inside the connection',
  wampcra: 'challenge-response (WAMP-CRA)',
  scram: 'challenge-response (SCRAM)',
  cryptosign: 'signatures (cryptosign)',
  tls: 'client certificates',
  cookie: 'cookies of those who came before',
}

/** A method with who is known to it, in the order in which they are asked; the numbers of names, never the names. */
function explainMethod({ method, sources }: AuthMethodNode): string {
  const known = sources.flatMap((source) => {
    switch (source.kind) {
      case 'static':
        return method === 'anonymous' ? [] : [`${count(source.principals.length, 'name')} listed`]
      case 'dynamic':
        return [
          `the procedure ${source.authenticator} decides${source.realm === undefined ? '' : ` on realm ${source.realm}`}`,
        ]
      case 'function':
        return [`the function ${source.exportName} of ${source.module} decides`]
      case 'accounts':
        return ['accounts of the database']
    }
  })
  const second = sources.find(({ secondFactor }) => secondFactor !== undefined)?.secondFactor
  const then = second === undefined ? '' : `, and then ${methodWords[second]}`
  return `${methodWords[method]}${known.length === 0 ? '' : ` (${known.join('; then ')})`}${then}`
}

/** As clients would write it; a wildcard address stays one, since what it comes to is known only when it is opened. */
function urlOf(endpoint: EndpointNode, place: TransportPlace): string {
  const scheme = place.kind === 'websocket' ? 'ws' : 'rs'
  const path = place.kind === 'rawsocket' ? '' : (place.path ?? '/')
  if (endpoint.kind === 'unix') return `${scheme}+unix://${endpoint.path}${path === '' ? '' : `:${path}`}`
  return `${scheme}${endpoint.tls === undefined ? '' : 's'}://${wanted(endpoint)}${path}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
