/** What a node configuration says that is read, and yet does not hold here; and files that it names and that are not there. */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import type { PlacedFinding } from '../config-issues.ts'
import { isLocal } from './endpoint.ts'
import { transportsOf, type TransportPlace } from './mount-realms.ts'
import type { AuthNode, CrossbarNode, ListenerNode, RealmNode, RouterNode, WebSocketNode } from './node.ts'

/** What is known about the file. */
export interface FindingSurroundings {
  /** Its text, in which lines are looked up. */
  readonly text: string
  readonly dangerouslyAllowCleartext: boolean
}

/** Warnings, and errors for files that are missing. */
export function nodeFindings(node: CrossbarNode, around: FindingSurroundings): readonly PlacedFinding[] {
  const lineOf = linesOf(around.text)
  const warning = (name: string, words: string): PlacedFinding => finding('warning', lineOf(name), words)
  return node.routers.flatMap((router) => [
    ...router.listeners.flatMap((listener) => [
      ...missingFiles(listener).map((file) => finding('error', lineOf(file), `${file} does not exist`)),
      ...transportsOf(listener).flatMap((place) =>
        weaknesses({ listener, place, around }).map((words) => warning(place.path ?? '', words)),
      ),
      ...servicesWithoutEffect(listener).map(([key, words]) => warning(key, words)),
    ]),
    ...router.realms.flatMap((realm) => realmWithoutEffect(realm).map(([key, words]) => warning(key, words))),
    ...registrantFindings(router).map(([name, words]) => warning(name, words)),
  ])
}

/** Findings of a node have a line and no path: values were read and defaulted, and lost their place by then. */
function finding(level: 'error' | 'warning', line: number, message: string): PlacedFinding {
  return { level, path: [], at: '', line, message }
}

/** The first line that has the last part of a name. */
function linesOf(text: string): (name: string) => number {
  const lines = text.split('\n')
  return (name) => {
    const part = name.split('/').at(-1) ?? ''
    return part === '' ? 1 : Math.max(1, lines.findIndex((line) => line.includes(part)) + 1)
  }
}

/** Files that must be there before anything is served. */
function missingFiles(listener: ListenerNode): readonly string[] {
  const { endpoint } = listener
  const tls = endpoint.kind === 'tcp' ? endpoint.tls : undefined
  const web = listener.kind === 'web' || listener.kind === 'universal' ? listener.web : undefined
  const files = [
    ...(tls === undefined
      ? []
      : [tls.key, tls.certificate, ...tls.chainCertificates, ...tls.caCertificates, tls.dhparam]),
    ...(endpoint.kind === 'unix' ? [dirname(endpoint.path)] : []),
    ...(web?.paths ?? []).map(({ service }) => (service.kind === 'static' ? service.directory : undefined)),
    ...transportsOf(listener).flatMap(modulesOf),
  ]
  return [...new Set(files)].flatMap((file) => (file === undefined || existsSync(file) ? [] : file))
}

/** Modules that are files; packages are found when they are imported. */
function modulesOf({ node }: TransportPlace): readonly string[] {
  return node.auth.methods.flatMap(({ sources }) =>
    sources.flatMap((source) =>
      source.kind === 'function' && isAbsolute(source.module) ? source.module : [],
    ),
  )
}

/** What weakens a transport, and what has no effect on it. */
function weaknesses(at: {
  readonly listener: ListenerNode
  readonly place: TransportPlace
  readonly around: FindingSurroundings
}): readonly string[] {
  const { place, listener, around } = at
  const where = `transport ${listener.id ?? ''}${place.path ?? ''}`.trim()
  return [
    ...cleartextWords(listener, place, around),
    ...(place.kind === 'websocket' ? withoutEffect(place.node) : []),
  ].map((words) => `${where}: ${words}`)
}

/** Methods whose answer works for whoever overhears it. */
const bearers: ReadonlySet<string> = new Set(['ticket', 'cookie'])

/** Off this machine and without TLS, whoever overhears the credential can use it. */
function cleartextWords(
  { endpoint }: ListenerNode,
  { node }: TransportPlace,
  { dangerouslyAllowCleartext }: FindingSurroundings,
): readonly string[] {
  const isClear = endpoint.kind === 'tcp' && endpoint.tls === undefined && !isLocal(endpoint)
  const carried = node.auth.methods.filter(({ method }) => bearers.has(method)).map(({ method }) => method)
  if (!isClear || carried.length === 0) return []
  return [
    dangerouslyAllowCleartext
      ? `${carried.join(' and ')} may travel in clear: whoever listens in can take them`
      : `${carried.join(' and ')} is for clients on this machine alone, since there is no TLS; others are refused (--dangerously-allow-cleartext lets them in)`,
  ]
}

/** A word of the file, and what is to be said about it. */
type Told = readonly [word: string, words: string]

/** Options of realms that nothing here heeds. */
function realmWithoutEffect({ name, stats, eventChunk }: RealmNode): readonly Told[] {
  const idle: readonly (readonly [key: string, set: boolean, words: string])[] = [
    ['stats', stats !== undefined, 'stats are not published here'],
    [
      'event_dispatching_chunk_size',
      eventChunk !== defaultEventChunk,
      'without effect here: "event_dispatching_chunk_size"',
    ],
  ]
  return idle.flatMap(([key, set, words]) => (set ? [[key, `realm "${name}": ${words}`] as const] : []))
}

/** Crossbar.io's own: written or not, it says nothing. */
const defaultEventChunk = 100

/** Options of web transports that nothing here heeds. */
function servicesWithoutEffect(listener: ListenerNode): readonly Told[] {
  if (listener.kind !== 'web' && listener.kind !== 'universal') return []
  const { web } = listener
  const listings = (web?.paths ?? []).flatMap(({ path, service }): readonly Told[] =>
    service.kind === 'static' && service.listing
      ? [['enable_directory_listing', `${path}: folders are not listed here`]]
      : [],
  )
  return web?.accessLog === true
    ? [['access_log', 'without effect here: "access_log"; the journal has what matters'], ...listings]
    : listings
}

/** Procedures that decide, which some role must be allowed to register by an exact rule: no other rule counts. */
export function registrantFindings({ realms, listeners }: RouterNode): readonly Told[] {
  const sources = listeners
    .flatMap(transportsOf)
    .flatMap(({ node }) => node.auth.methods.flatMap(({ sources: of }) => dynamicOf(of)))
  const needed = [
    ...sources.map(({ authenticator: uri, realm }) => ({ uri, realm })),
    ...realms.flatMap(({ name: realm, roles }) =>
      roles.flatMap(({ grant }) => (grant.kind === 'authorizer' ? { uri: grant.uri, realm } : [])),
    ),
  ]
  return needed
    .filter(
      ({ uri, realm }) => !realms.some((one) => (realm ?? one.name) === one.name && mayRegister(one, uri)),
    )
    .map(({ uri, realm }) => [
      uri,
      `${uri}: no role ${realm === undefined ? '' : `of realm "${realm}" `}may register it: that takes an exact rule`,
    ])
}

/** Authenticators that are procedures. */
function dynamicOf(
  sources: AuthNode['methods'][number]['sources'],
): readonly { readonly authenticator: string; readonly realm: string | undefined }[] {
  return sources.flatMap((source) => (source.kind === 'dynamic' ? source : []))
}

/** By an exact rule of its own: the router takes no other for a name that it relies on. */
function mayRegister({ roles }: RealmNode, procedure: string): boolean {
  return roles.some(
    ({ grant }) =>
      grant.kind === 'rules' &&
      grant.rules.some(({ uri, match, allow }) => uri === procedure && match === 'exact' && allow.register),
  )
}

/** Options with values that nothing here heeds, in one sentence. */
export function withoutEffect({ options, cookie, auth }: WebSocketNode): readonly string[] {
  const idle: readonly (readonly [key: string, set: boolean])[] = [
    ['open_handshake_timeout', options.openHandshakeTimeoutMs > 0],
    ['close_handshake_timeout', options.closeHandshakeTimeoutMs > 0],
    ['auto_ping_timeout', options.autoPingTimeoutMs > options.autoPingIntervalMs],
    ['auto_ping_size', options.autoPingBytes !== defaultPingBytes],
    ['auto_ping_restart_on_any_traffic', !options.autoPingRestartOnAnyTraffic],
    ['compression', options.compression !== undefined],
    ['auto_fragment_size', options.autoFragmentBytes > 0],
    ['max_frame_size', options.maxFrameBytes > 0],
    ['echo_close_codereason', options.echoCloseCodeReason],
    ['fail_by_drop', options.failByDrop],
    ['show_server_version', options.showServerVersion],
    ['tcp_nodelay', !options.tcpNoDelay],
    ['external_port', options.externalPort !== undefined],
    ['cookie', cookie !== undefined && !auth.methods.some(({ method }) => method === 'cookie')],
    ['authenticator-role', auth.methods.some(({ sources }) => sources.some(isCalledAsRole))],
  ]
  const keys = idle.flatMap(([key, set]) => (set ? `"${key}"` : []))
  return keys.length === 0 ? [] : [`without effect here: ${keys.join(', ')}`]
}

/** Crossbar.io's own: written or not, it says nothing. */
const defaultPingBytes = 12

/** The router needs nobody's permission to call. */
function isCalledAsRole(source: AuthNode['methods'][number]['sources'][number]): boolean {
  return source.kind === 'dynamic' && source.role !== undefined
}
