/** An HTTP server with bounds, strict content types, refusals that teach nothing and a log without URLs. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { allowsHost, compileHosts, parseJson } from 'countersign/wire'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { siteHeaders, type Headers, type PageSources } from './headers.ts'
import { renderMessage } from './pages/message-page.ts'
import { refuse, statusOf, wordOf, type Word } from './refuse.ts'

/** Longest request body, bytes. */
export const maxBodyBytes = 16_384

/**
 * How long Node waits for slow requests, ms: give it to `createServer` of `node:http` and `node:https`. Its own
 * defaults let a peer take five minutes, and look only twice a minute. After an upgrade the guard's deadline holds.
 */
export const patience: ServerOptions = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
}

/** How long a peer has to take the answer to what is no HTTP, ms. */
const farewellMs = 1_000

/** Options of the bare server. */
export interface AppOptions {
  readonly log: Logger
  /** Hosts that it answers to, as `compileHosts` of `countersign/wire` reads them; anything else gets 421. */
  readonly hosts: readonly string[]
  /** Whether it is reached over TLS. */
  readonly secure: boolean
  /** Where its pages may reach. */
  readonly sources: PageSources
  /** Makes the Node server, for TLS; with `patience`. @default a plain http server */
  readonly server?:
    ((handle: (request: IncomingMessage, response: ServerResponse) => void) => Server) | undefined
}

/**
 * Makes a server without routes. Every answer carries the security headers; nothing listens yet.
 * @throws TypeError when `hosts` has something that is no host
 */
export function createApp(options: AppOptions): FastifyInstance {
  const app = Fastify({
    // Some of Fastify's own lines quote the URL: the log below is the only one.
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: 10_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    http: patience,
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, _request, reply) => void refuse(reply, 'invalid_request'),
    ...(options.server === undefined ? {} : { serverFactory: options.server }),
  })
  const headers = siteHeaders(options.sources, options.secure)
  readJsonStrictly(app)
  answerOnlyTo(app, options.hosts)
  app.addHook('onSend', async (_request, reply) => addMissing(reply, headers))
  app.addHook('onResponse', async (request, reply) => logAnswer(options.log, request, reply))
  app.setNotFoundHandler((request, reply) => refuseVisitor(request, reply, 'not_found'))
  app.setErrorHandler((error, request, reply) => answerError(options.log, error, { request, reply }))
  return app
}

/** Refuses with a page where a person navigates, with JSON for everyone else. Return what it returns. */
export function refuseVisitor(request: FastifyRequest, reply: FastifyReply, word: Word): FastifyReply {
  if (request.headers.accept?.includes('text/html') !== true) return refuse(reply, word)
  return reply
    .code(statusOf(word))
    .header('content-type', 'text/html; charset=utf-8')
    .send(renderMessage(word))
}

/** Fields that decide who is asked, and who asks: Node keeps the first of several, other readers the last. */
const onceOnly: ReadonlySet<string> = new Set(['host', 'origin', 'authorization', 'content-type'])

/**
 * Whether the request can be read in one way only: a target in origin-form (RFC 9112 §3.2.1), since the authority of
 * the absolute form would have to replace `Host`, and no field twice that decides something.
 */
function isPlain({ url = '', rawHeaders }: IncomingMessage): boolean {
  if (!url.startsWith('/')) return false
  const names = rawHeaders.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase())
  const deciding = names.filter((name) => onceOnly.has(name))
  return new Set(deciding).size === deciding.length
}

/** Host before everything else: a page of a rebound name is another site (DNS rebinding). */
function answerOnlyTo(app: FastifyInstance, hosts: readonly string[]): void {
  const rules = compileHosts(hosts)
  app.addHook('onRequest', async (request, reply) => {
    if (!isPlain(request.raw)) return refuseVisitor(request, reply, 'invalid_request')
    const { host } = request.headers
    if (host === undefined || !allowsHost(rules, host)) return refuseVisitor(request, reply, 'wrong_host')
    return undefined
  })
}

/** JSON as `countersign/wire` reads it: no repeated members, no prototypes, bounded depth. An empty body is no body. */
function readJsonStrictly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    const parsed = parseJson(String(body), { maxBytes: maxBodyBytes, maxDepth: 4 })
    if (parsed.kind === 'malformed') done(Object.assign(new Error('not JSON'), { statusCode: 400 }))
    else done(null, parsed.kind === 'found' ? parsed.value : undefined)
  })
}

/** What a route has set itself stays: pages that may be framed have a policy of their own. */
function addMissing(reply: FastifyReply, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) if (!reply.hasHeader(name)) reply.header(name, value)
}

/** The route's pattern stands for the URL, which may hold a credential. */
function logAnswer(log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  log.info(
    {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    },
    'http',
  )
}

/**
 * Errors of the framework have a status; any other is the program's failure and is logged, class and place
 * only.
 */
function answerError(
  log: Logger,
  error: unknown,
  at: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): FastifyReply {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  const word = wordOf(typeof status === 'number' ? status : undefined)
  if (word === 'internal') log.error({ route: at.request.routeOptions.url, err: error }, 'failed')
  return refuseVisitor(at.request, at.reply, word)
}

/** What cannot be parsed as HTTP gets a constant answer: the bytes of the request are never repeated or logged. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  // Where TLS did not come about nothing can be written, and a farewell would wait for ever.
  if (error.code === 'ECONNRESET' || /^ERR_(?:TLS|SSL)/.test(error.code ?? '') || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
  setTimeout(() => socket.destroy(), farewellMs).unref()
}
