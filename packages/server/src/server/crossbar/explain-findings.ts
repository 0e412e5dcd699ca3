/** What a node configuration says that is read, and yet does not hold here; and files that it names and that are not there. */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import type { PlacedFinding } from '../config-issues.ts'
import { isLocal } from './endpoint.ts'
import { transportsOf, type TransportPlace } from './mount-realms.ts'
import type { CrossbarNode, ListenerNode, RouterNode, SessionSettings, WebSocketNode } from './node.ts'

/** What is known about the file. */
export interface FindingSurroundings {
  /** Its text, in which lines are looked up. */
  readonly text: string
  readonly dangerouslyAllowCleartext: boolean
}

/** Warnings, and errors for files that are missing. */
export function nodeFindings(node: CrossbarNode, around: FindingSurroundings): readonly PlacedFinding[] {
  const lineOf = linesOf(around.text)
  return node.routers.flatMap((router) => [
    ...router.listeners.flatMap((listener) => [
      ...missingFiles(listener).map((file) => finding('error', lineOf(file), `${file} does not exist`)),
      ...transportsOf(listener).flatMap((place) =>
        weaknesses(router, { listener, place, around }).map((words) =>
          finding('warning', lineOf(place.path?.split('/').at(-1) ?? ''), words),
        ),
      ),
    ]),
    ...router.realms.flatMap((realm) =>
      realm.stats === undefined
        ? []
        : finding('warning', lineOf('stats'), `realm "${realm.name}": stats are not published here`),
    ),
  ])
}

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

function weaknesses(
  router: RouterNode,
  at: {
    readonly listener: ListenerNode
    readonly place: TransportPlace
    readonly around: FindingSurroundings
  },
): readonly string[] {
  const { place, listener, around } = at
  const where = `transport ${listener.id ?? ''}${place.path ?? ''}`.trim()
  return [
    ...cleartextWords(listener, place, around),
    ...(place.kind === 'websocket' ? withoutEffect(place.node) : []),
    ...settingsOfRouter.flatMap(([key, word]) =>
      router.session[key] === place.node.session[key]
        ? []
        : `"${word}" holds for a whole worker: write it in its options`,
    ),
  ].map((words) => `${where}: ${words}`)
}

/** Methods whose answer works for whoever overhears it. */
const bearers: ReadonlySet<string> = new Set(['ticket', 'cookie'])

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

/** Settings that connections of one router share. */
const settingsOfRouter: readonly (readonly [keyof SessionSettings, string])[] = [
  ['helloTimeoutMs', 'x_hello_timeout'],
  ['authenticateTimeoutMs', 'x_authenticate_timeout'],
  ['errorUris', 'x_error_uris'],
  ['cancelReply', 'x_cancel_reply'],
]

/** Options with values that nothing here heeds, in one sentence. */
function withoutEffect({ options, cookie, auth }: WebSocketNode): readonly string[] {
  const idle: readonly (readonly [key: string, set: boolean])[] = [
    ['open_handshake_timeout', options.openHandshakeTimeoutMs > 0],
    ['close_handshake_timeout', options.closeHandshakeTimeoutMs > 0],
    ['auto_ping_timeout', options.autoPingTimeoutMs > 0],
    ['compression', options.compression !== undefined],
    ['auto_fragment_size', options.autoFragmentBytes > 0],
    ['max_frame_size', options.maxFrameBytes > 0],
    ['echo_close_codereason', options.echoCloseCodeReason],
    ['fail_by_drop', options.failByDrop],
    ['show_server_version', options.showServerVersion],
    ['tcp_nodelay', !options.tcpNoDelay],
    ['external_port', options.externalPort !== undefined],
    ['http_strict', cookie?.httpOnly === false],
    ['cookie', cookie !== undefined && !auth.methods.some(({ method }) => method === 'cookie')],
  ]
  const keys = idle.flatMap(([key, set]) => (set ? `"${key}"` : []))
  return keys.length === 0 ? [] : [`without effect here: ${keys.join(', ')}`]
}
