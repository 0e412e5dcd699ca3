/** A listener of a configuration as it runs: its transports, each judged by a guard of its own, and their addresses. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { answerHttp } from 'countersign/http'
import type { Router } from 'countersign/wamp'
import { openGate, type Gate, type GuardShared } from './guards.ts'
import { listenOn, type Listening, type ListeningAddress } from './listeners.ts'
import { transportsOf, type TransportPlace } from './mount-realms.ts'
import type { ListenerNode, WebNode } from './node.ts'
import { answerWeb } from './services.ts'

/** A transport as it runs. */
export interface MountedTransport {
  place: TransportPlace
  /** Whoever connects comes here; a reload puts another one in its place. */
  gate: Gate
  /** Earlier ones, whose sessions go on. */
  retired: readonly Gate[]
  readonly name: string
}

/** A listener as it runs. */
export interface MountedListener {
  readonly listening: Listening
  readonly transports: readonly MountedTransport[]
  readonly urls: readonly { readonly name: string; readonly url: string }[]
  readonly unix: boolean
}

/** Where a listener belongs. */
export interface ListenerSurroundings {
  readonly router: Router
  readonly shared: GuardShared
  /** Its number in the file, for its name. */
  readonly index: number
}

/** How long a refused upgrade has to read why, ms. */
const lingerMs = 1_000

/** Opens the transports of a listener, then its address. @throws MisuseError, ListenError */
export async function openListener(
  node: ListenerNode,
  around: ListenerSurroundings,
): Promise<MountedListener> {
  const { router, shared } = around
  const label = node.id ?? `transport-${around.index + 1}`
  const unix = node.endpoint.kind === 'unix'
  const transports: MountedTransport[] = []
  for (const place of transportsOf(node)) {
    const name = nameOf(label, place)
    const gate = await openGate(place, { router, shared, name, unix })
    transports.push({ place, gate, retired: [], name })
  }
  // One RawSocket a listener: it is told from HTTP by its first byte, and has no path.
  const raw = transports.find(({ place }) => place.kind === 'rawsocket')
  const sockets = transports.filter(({ place }) => place.kind === 'websocket')
  const web = webOf(node)
  const isSecure = node.endpoint.kind === 'tcp' && node.endpoint.tls !== undefined
  const listening = await listenOn(node.endpoint, {
    raw: raw === undefined ? undefined : (socket, head) => raw.gate.accept?.(socket, head),
    http:
      node.kind === 'rawsocket'
        ? undefined
        : {
            answer: answerWeb(web, { secure: isSecure, sockets: pathsOf(sockets) }),
            upgrade: upgradesOf(sockets),
            idleMs: web?.clientTimeoutMs,
          },
  })
  return { listening, transports, unix, urls: urlsOf(label, { transports, web, address: listening.address }) }
}

function webOf(node: ListenerNode): WebNode | undefined {
  return node.kind === 'web' || node.kind === 'universal' ? node.web : undefined
}

/** How the journal calls a transport: visible ASCII, bounded. */
function nameOf(label: string, place: TransportPlace): string {
  const name = place.path === undefined ? label : `${label} ${place.path}`
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 128)
}

/** `undefined` where one transport takes every path. */
function pathsOf(sockets: readonly MountedTransport[]): ReadonlySet<string> | undefined {
  const paths = sockets.map(({ place }) => place.path)
  return paths.includes(undefined) ? undefined : new Set(paths.flatMap((path) => path ?? []))
}

/** To the transport of the path, as it is when the request comes; any other path gets 404 before anything is judged. */
function upgradesOf(
  sockets: readonly MountedTransport[],
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const byPath = new Map(sockets.map((transport) => [transport.place.path, transport]))
  const any = byPath.get(undefined)
  return (request, socket, head) => {
    const transport = any ?? byPath.get((request.url ?? '').split('?')[0])
    if (transport?.gate.upgrade !== undefined) transport.gate.upgrade(request, socket, head)
    else answerHttp(socket, { status: 404, headers: {}, body: 'Not found' }, lingerMs)
  }
}

/** Services first, then sockets. */
function urlsOf(
  label: string,
  at: {
    readonly transports: readonly MountedTransport[]
    readonly web: WebNode | undefined
    readonly address: ListeningAddress
  },
): readonly { readonly name: string; readonly url: string }[] {
  const { transports, web, address } = at
  const services = (web?.paths ?? []).filter(({ service }) => service.kind !== 'websocket')
  return [
    ...(services.length === 0 ? [] : [{ name: label, url: urlOf('http', address, '/') }]),
    ...transports.map(({ name, place }) => ({
      name,
      url: place.kind === 'rawsocket' ? urlOf('rs', address, '') : urlOf('ws', address, place.path ?? '/'),
    })),
  ]
}

/** `ws://localhost:8080/ws`, `rs://127.0.0.1:8081`, `ws+unix:///run/router.sock:/ws`. */
function urlOf(scheme: 'http' | 'ws' | 'rs', address: ListeningAddress, path: string): string {
  if (address.kind === 'unix') return `${scheme}+unix://${address.path}${path === '' ? '' : `:${path}`}`
  return `${scheme}${address.secure ? 's' : ''}://${address.host}${path}`
}
