/** A WAMP router on real listeners: WebSocket at every path of an HTTP server, RawSocket beside it. */
import { createServer, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer as createNet, type AddressInfo, type Server as NetServer } from 'node:net'
import { createServer as createTls, type TlsOptions } from 'node:tls'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { nodeRouterPorts } from '../../../packages/countersign/src/adapters/wamp-node.ts'
import {
  wampRawSockets,
  type WampRawSocketOptions,
} from '../../../packages/countersign/src/adapters/wamp-rawsocket.ts'
import {
  wampWebSockets,
  type WampWebSocketOptions,
} from '../../../packages/countersign/src/adapters/wamp-ws.ts'
import {
  createGuard,
  memory,
  wampBearer,
  wampHello,
  type Guard,
  type GuardOptions,
  type JournalEntry,
  type Method,
} from '../../../packages/countersign/src/index.ts'
import {
  anonymous,
  ticketPrincipals,
  wampcra,
  wampcraUsers,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import {
  Router,
  ruleOf,
  type RealmOptions,
  type RouterOptions,
} from '../../../packages/countersign/src/wamp/index.ts'
import { plainPasswords } from '../support/guard.ts'

/** What a site is made of. */
export interface SiteOptions {
  readonly router?: Partial<RouterOptions>
  readonly guard?: Partial<GuardOptions>
  readonly accept?: readonly Method[]
  readonly ws?: Partial<WampWebSocketOptions>
  readonly raw?: Partial<WampRawSocketOptions>
  /** Both listeners speak TLS with this. */
  readonly tls?: TlsOptions
  /** RawSocket listens on this path instead of a port. */
  readonly unix?: string
}

/** A running router. */
export interface Site {
  readonly router: Router
  readonly guard: Guard
  readonly server: Server
  /** Of the WebSocket listener. */
  readonly port: number
  readonly url: string
  /** Port or path of the RawSocket listener. */
  readonly raw: number | string
  readonly tls: boolean
  readonly journal: readonly JournalEntry[]
  close(): Promise<void>
}

/** A rule that allows every action on a pattern in star notation. */
export function allowAll(uri: string): ReturnType<typeof ruleOf> & {
  readonly allow: Readonly<Record<'call' | 'register' | 'publish' | 'subscribe', boolean>>
  readonly disclose: { readonly caller: boolean; readonly publisher: boolean }
  readonly cache: boolean
} {
  const allow = { call: true, register: true, publish: true, subscribe: true }
  return { ...ruleOf(uri), allow, disclose: { caller: false, publisher: false }, cache: true }
}

/** `frontend` and `anonymous` may do everything under `com.`; `admin` may do everything. */
export const realm1: RealmOptions = {
  name: 'realm1',
  roles: [
    { name: 'frontend', rules: [allowAll('com.*')] },
    { name: 'anonymous', rules: [allowAll('com.*')] },
    { name: 'admin', rules: [allowAll('*')] },
  ],
}

/** The users of the Crossbar.io documentation, with their passwords and one more. */
export const salted = { salt: 'salt123', iterations: 100, keylen: 16 } as const

/** Anonymous sessions, tickets, WAMP-CRA plain (joe) and salted (peter). */
export function usualMethods(): readonly Method[] {
  const users = {
    joe: { secret: 'secret2', role: 'frontend' },
    peter: { secret: 'prq7+YkJ1/KlW1X0YczMHw==', role: 'frontend', ...salted },
    root: { secret: 'rootrootroot', role: 'admin' },
  }
  return [
    anonymous({ from: wampHello() }),
    wampTicket({
      from: wampBearer(),
      sources: [ticketPrincipals({ joe: { ticket: 'joe ticket', role: 'frontend' } })],
    }),
    wampcra({ from: wampHello(), sources: [wampcraUsers(users, nodePlatform().derive)] }),
  ]
}

/** Starts one; close it. */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const journal: JournalEntry[] = []
  const guard = createGuard({
    records: memory(),
    accept: options.accept ?? usualMethods(),
    passwords: plainPasswords,
    journal: { record: (entry) => void journal.push(entry) },
    ...options.guard,
    limits: { jitter: 0, lingerMs: 100, ...options.guard?.limits },
  })
  const router = new Router({ realms: [realm1], lingerMs: 100, ...options.router }, nodeRouterPorts())
  const webSockets = wampWebSockets(router, { guard, ...options.ws })
  const rawSockets = wampRawSockets(router, { guard, ...options.raw })
  const { tls } = options
  const server = tls === undefined ? createServer() : createHttps(tls)
  server.on('upgrade', webSockets.upgrade)
  const raw =
    tls === undefined
      ? createNet((socket) => rawSockets.accept(socket))
      : createTls(tls, (socket) => rawSockets.accept(socket))
  server.listen(0, '127.0.0.1')
  if (options.unix === undefined) raw.listen(0, '127.0.0.1')
  else raw.listen(options.unix)
  await Promise.all([once(server, 'listening'), once(raw, 'listening')])
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  return {
    router,
    guard,
    server,
    port,
    url: `${tls === undefined ? 'ws' : 'wss'}://localhost:${port}/ws`,
    raw: options.unix ?? (raw.address() as AddressInfo).port,
    tls: tls !== undefined,
    journal,
    async close() {
      webSockets.close()
      router.close()
      guard.close()
      await Promise.all([ended(server), ended(raw)])
    },
  }
}

/** Starts one that ends with the test. */
export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const site = await startSite(options)
  onTestFinished(() => site.close())
  return site
}

/** Closes a listener; sockets that linger are gone within the guard's own limit. */
async function ended(server: NetServer): Promise<void> {
  if ('closeAllConnections' in server) (server as Server).closeAllConnections() // only HTTP servers have that
  server.close()
  await once(server, 'close')
}
