/** What a web transport answers to plain requests: files, values, redirections. Nothing of it needs to know who asks. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebNode, WebServiceNode } from './node.ts'
import { answerFile, say } from './services-static.ts'

/** Answers one request, whatever it is. */
export type WebAnswer = (request: IncomingMessage, response: ServerResponse) => void

/** What is known about the listener. */
export interface WebSurroundings {
  readonly secure: boolean
  /** Paths that open to WebSockets; `undefined`: every path does. */
  readonly sockets: ReadonlySet<string> | undefined
}

/** Makes the answer of a listener; `web` is `undefined` where it has no services. */
export function answerWeb(web: WebNode | undefined, around: WebSurroundings): WebAnswer {
  const services = new Map((web?.paths ?? []).map(({ path, service }) => [path, service]))
  const folders = foldersOf(web)
  const headers = headersOf(web, around.secure)
  return (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value)
    const path = pathOf(request)
    if (path === undefined) return say(response, 400, 'Bad request')
    // Before methods and services: a plain request to a socket's path can be nothing but a mistake.
    if (around.sockets === undefined || around.sockets.has(path)) return needsUpgrade(response)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return say(response, 405, 'Method not allowed')
    }
    const service = services.get(path)
    if (service !== undefined && service.kind !== 'static') return answerService(service, response)
    // Other services answer to exactly their path, folders to all that lies below theirs.
    const folder = folders.find(({ prefix }) => path === prefix || path.startsWith(slashed(prefix)))
    if (folder === undefined) return say(response, 404, 'Not found')
    const within = path.slice(folder.prefix === '/' ? 1 : folder.prefix.length + 1)
    return void answerFile(folder.service, { path, within, head: request.method === 'HEAD' }, response)
  }
}

/** The longest prefix first: it is the nearest. */
function foldersOf(web: WebNode | undefined): readonly {
  readonly prefix: string
  readonly service: Extract<WebServiceNode, { kind: 'static' }>
}[] {
  return (web?.paths ?? [])
    .flatMap(({ path, service }) => (service.kind === 'static' ? [{ prefix: path, service }] : []))
    .toSorted((one, other) => other.prefix.length - one.prefix.length)
}

/** With a slash at its end, so that `/files` does not cover `/files-of-others`. */
function slashed(prefix: string): string {
  return prefix === '/' ? prefix : `${prefix}/`
}

/** Of every answer. Strict transport security is said over TLS alone: elsewhere browsers ignore it (RFC 6797 §8.1). */
function headersOf(web: WebNode | undefined, secure: boolean): readonly (readonly [string, string])[] {
  const hsts = secure ? web?.hstsMaxAgeS : undefined
  return [
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'same-origin'],
    ...(hsts === undefined ? [] : [['strict-transport-security', `max-age=${hsts}`] as const]),
  ]
}

/** A target in origin-form (RFC 9112 §3.2.1), without its query. */
function pathOf({ url = '' }: IncomingMessage): string | undefined {
  return url.startsWith('/') ? url.split('?')[0] : undefined
}

/** RFC 9110 §15.5.22. */
function needsUpgrade(response: ServerResponse): void {
  response.setHeader('upgrade', 'websocket')
  say(response, 426, 'This address opens to WebSockets.')
}

function answerService(service: Exclude<WebServiceNode, { kind: 'static' }>, response: ServerResponse): void {
  switch (service.kind) {
    case 'websocket':
      return needsUpgrade(response)
    case 'nodeinfo':
      return say(response, 200, 'Countersign')
    case 'redirect':
      response.setHeader('location', service.url)
      return say(response, 302, 'Found')
    case 'json': {
      if (service.allowCrossOrigin) response.setHeader('access-control-allow-origin', '*')
      if (service.discourageCaching) response.setHeader('cache-control', 'no-store')
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.end(JSON.stringify(service.value, undefined, service.prettify ? 2 : undefined))
    }
  }
}
