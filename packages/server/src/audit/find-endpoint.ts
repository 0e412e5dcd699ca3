/** From what one types to the endpoint that is meant: a socket's URL, a page, a command of curl, or a recording. */
import type { Header } from './answer.ts'
import { parseCurl } from './discovery/curl.ts'
import { parseHar } from './discovery/har.ts'
import { discoverSockets } from './discovery/page.ts'
import { findProtocol, protocolByPath } from './discovery/protocol.ts'
import type { AuditOptions, LoginOptions } from './options.ts'
import { readTexts } from './page-scripts.ts'
import { requestPage } from './page-request.ts'
import { secretsOfHeaders, secretsOfMessage, secretsOfQuery } from './spoken-secrets.ts'
import type { Endpoint, Protocol } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** A target that leads to no socket; the message says why. */
export class NoEndpoint extends Error {
  override readonly name = 'NoEndpoint'
}

/** An endpoint, and the options with what the target itself said. */
export interface FoundEndpoint {
  readonly endpoint: Endpoint
  readonly options: AuditOptions
}

/** What a target says before anything is asked. */
interface Said {
  readonly url: URL
  readonly headers: readonly Header[]
  readonly basic?: string | undefined
  readonly page?: string | undefined
  readonly sent?: readonly string[]
}

/**
 * Finds the endpoint.
 *
 * @param target a URL of a socket or of a page, a command of curl, or the text of a HAR file
 * @throws NoEndpoint for a page without sockets and for what is nothing of that; OutOfScope, Unresolved
 */
export async function findEndpoint(
  target: string,
  options: AuditOptions,
  needs: VisitNeeds,
): Promise<FoundEndpoint> {
  const said = read(target)
  const { url } = said
  learnSecrets(said, options, needs)
  await needs.scope.addressesOf(url)
  const isPage = /^https?:$/.test(url.protocol)
  const found = isPage
    ? await throughPage(needs, url, options)
    : { url, protocol: options.protocol, page: undefined }
  await needs.scope.addressesOf(found.url)
  const endpoint = endpointOf(said, options, found)
  const protocol =
    found.protocol ?? endpoint.protocol ?? (await findProtocol(needs, found.url, endpoint.origin))
  return { endpoint: { ...endpoint, protocol }, options: withCredentials(options, said) }
}

/** What can be said of the endpoint before anybody has answered. @throws NoEndpoint for what is no target */
export function presumedEndpoint(target: string, options: AuditOptions): Endpoint {
  const said = read(target)
  const url = new URL(said.url.href.replace(/^http/, 'ws'))
  const endpoint = endpointOf(said, options, { url, page: undefined })
  return { ...endpoint, protocol: options.protocol ?? endpoint.protocol ?? protocolByPath(url) }
}

/** The endpoint at an address. Its protocol is the one that its subprotocols speak of, where they do. */
function endpointOf(
  said: Said,
  options: AuditOptions,
  found: Pick<Endpoint, 'url' | 'page'>,
): Omit<Endpoint, 'protocol'> & { readonly protocol: Protocol | undefined } {
  const site = new URL(found.url.href.replace(/^ws/, 'http'))
  const named = options.page ?? said.page
  const page = named === undefined ? found.page : new URL(named, site)
  const subprotocols = options.subprotocols ?? listOf(valueOf(said.headers, 'sec-websocket-protocol'))
  return {
    url: found.url,
    protocol: protocolOf(subprotocols),
    origin: options.origin ?? valueOf(said.headers, 'origin') ?? page?.origin ?? site.origin,
    subprotocols: subprotocols.filter((name) => protocolOf([name]) === undefined),
    headers: said.headers.filter(([name]) => !isOfHandshake(name)),
    page,
    namespace: options.namespace ?? '/',
    realm: options.realm ?? 'realm1',
  }
}

function read(target: string): Said {
  const text = target.trim()
  if (/^curl\s/.test(text)) {
    const curl = parseCurl(text)
    if (curl === undefined || !isAddress(curl.url))
      throw new NoEndpoint('the command of curl names no address')
    const url = new URL(curl.url)
    // Browsers copy the handshake of a socket with the scheme of HTTP.
    if (curl.headers.some(([name]) => name.toLowerCase() === 'sec-websocket-key'))
      url.protocol = url.protocol.replace(/^http/, 'ws')
    return { url, headers: curl.headers, basic: curl.basic }
  }
  if (text.startsWith('{')) {
    const har = parseHar(text)
    if (har === undefined || !isAddress(har.url)) throw new NoEndpoint('the recording holds no socket')
    return { url: new URL(har.url), headers: har.headers, page: har.page, sent: har.sent }
  }
  if (!isAddress(text)) throw new NoEndpoint('what was given is no address: write ws://127.0.0.1:8080/socket')
  const url = new URL(text)
  const { username, password } = url
  if (username === '') return { url, headers: [] }
  url.username = ''
  url.password = ''
  return { url, headers: [], basic: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }
}

/** What stands in the target as a secret is shown nowhere. */
function learnSecrets(
  { url, headers, sent = [] }: Said,
  { messages = [], whoami, canaries = [], hooks = {} }: AuditOptions,
  { masking }: VisitNeeds,
): void {
  const probes = [
    ...sent,
    ...messages,
    whoami?.send ?? '',
    ...canaries.flatMap(({ send, undo = '' }) => [send, undo]),
    ...Object.values(hooks).map(({ body = '' }) => body),
  ]
  const secrets = [
    ...secretsOfQuery(url),
    ...secretsOfHeaders(headers),
    ...Object.values(hooks).flatMap(({ headers: fields = {} }) => secretsOfHeaders(Object.entries(fields))),
    ...probes.flatMap((probe) => secretsOfMessage(probe)),
  ]
  for (const secret of secrets) masking.learn(secret)
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^(?:wss?|https?):$/.test(new URL(text).protocol)
}

/** A page leads to the first socket that it opens; what is no page is the socket itself. */
async function throughPage(
  needs: VisitNeeds,
  page: URL,
  options: AuditOptions,
): Promise<{ readonly url: URL; readonly protocol: Protocol | undefined; readonly page: URL | undefined }> {
  const own = new URL(page)
  own.protocol = page.protocol.replace(/^http/, 'ws')
  const answer = await requestPage(needs, { url: page })
  const isHtml =
    answer.kind === 'answered' &&
    /text\/html/i.test(valueOf(answer.headers, 'content-type') ?? '') &&
    answer.status < 300
  if (answer.kind === 'failed' || !isHtml) return { url: own, protocol: options.protocol, page: undefined }
  const [first] = discoverSockets(await readTexts(needs, page, answer.body), page)
  if (first === undefined)
    throw new NoEndpoint(
      `no socket was found in ${page.origin}${page.pathname} and its scripts: name the socket’s own address`,
    )
  return { url: first.url, protocol: options.protocol ?? first.protocol, page }
}

/** Credentials that stood in the target are those of the identity `low`, unless the configuration has one. */
function withCredentials(options: AuditOptions, said: Said): AuditOptions {
  const cookie = valueOf(said.headers, 'cookie')
  const authorization = valueOf(said.headers, 'authorization')
  const { basic, sent } = said
  const messages =
    sent === undefined || sent.length === 0 ? {} : { messages: [...(options.messages ?? []), ...sent] }
  if (options.identities?.low !== undefined || (cookie ?? authorization ?? basic) === undefined)
    return { ...options, ...messages }
  const low: LoginOptions = {
    ...(cookie === undefined ? {} : { cookie }),
    ...(authorization === undefined ? {} : { headers: { Authorization: authorization } }),
    ...(basic === undefined ? {} : { basic }),
  }
  return { ...options, ...messages, identities: { ...options.identities, low } }
}

/** Fields that every handshake has anyway, or that are credentials. */
function isOfHandshake(name: string): boolean {
  return /^(?:host|connection|upgrade|origin|cookie|authorization|content-length|accept-encoding|sec-websocket-.*|sec-fetch-.*)$/i.test(
    name,
  )
}

function protocolOf(subprotocols: readonly string[]): Protocol | undefined {
  if (subprotocols.some((name) => name.startsWith('wamp.2.'))) return 'wamp'
  if (subprotocols.includes('graphql-transport-ws')) return 'graphql-transport-ws'
  return subprotocols.includes('graphql-ws') ? 'graphql-ws' : undefined
}

function valueOf(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([one]) => one.toLowerCase() === name)?.[1]
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(',').map((name) => name.trim())
}
