/**
 * Guards that speak WAMP: realms, `auth` and the rest of a transport in the form of Crossbar.io, read by its readers;
 * address, origins, hosts and limits in the form of this program.
 */
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Finding, KeyPath } from './config-issues.ts'
import { guardUrl, listenOf, siteOrigin } from './config-places.ts'
import type { ConfigText, GuardConfig } from './config-types.ts'
import { registrantFindings, withoutEffect } from './crossbar/explain-findings.ts'
import type { ListenerNode, RealmNode, RouterNode, WebSocketNode } from './crossbar/node.ts'
import { below, complain, isMapping, list, type Reading, type Spot } from './crossbar/reader.ts'
import { complainTwice, realmOf } from './crossbar/realm.ts'
import { defaultSettings } from './crossbar/settings.ts'
import { websocketOf } from './crossbar/wamp-transports.ts'

/** What the text of a configuration does not say itself. */
export interface WampText {
  /** Absolute; relative file names are seen from here. */
  readonly folder: string
  /** Variables that secrets may name, `${NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Guards as they are served, and what was found about their WAMP. */
export interface WampReading {
  readonly guards: readonly GuardConfig[]
  readonly findings: readonly Finding[]
}

/** Keys of a transport that are written as Crossbar.io has them. */
const transportKeys = ['auth', 'serializers', 'cookie', 'options'] as const
/** Keys that a guard has only where it speaks WAMP, and only where it does not. */
const wampKeys: readonly string[] = ['realms', ...transportKeys]
const plainKeys: readonly string[] = ['accept', 'refusals', 'application']

/**
 * Reads the WAMP parts of all guards. @param values the whole configuration as written
 * @param config the same, as its schema has read it
 */
export function readWampGuards(
  config: ConfigText,
  values: unknown,
  { folder, environment }: WampText,
): WampReading {
  const reading: Reading = { folder, environment, known: undefined, findings: [] }
  const whole: Spot = { reading, path: [], value: values }
  const guards = config.guards.map((guard, index) => {
    const spot = below(below(whole, 'guards'), index)
    if (guard.protocol === 'wamp') return wampGuard(config, guard, spot)
    judgePlain(spot)
    return guard
  })
  return { guards, findings: reading.findings }
}

function judgePlain(spot: Spot): void {
  for (const key of wampKeys) {
    if (isWritten(spot, key)) complain(below(spot, key), 'belongs to a guard with "protocol: wamp"')
  }
  if (!isWritten(spot, 'accept')) complain(below(spot, 'accept'), 'is missing')
}

function isWritten({ value }: Spot, key: string): boolean {
  return isMapping(value) && Object.hasOwn(value, key)
}

/** Pages of the site may open it where no other list stands: they are those that log in there. */
function wampGuard(config: ConfigText, guard: GuardConfig, spot: Spot): GuardConfig {
  for (const key of plainKeys) {
    if (isWritten(spot, key)) complain(below(spot, key), 'means nothing with "protocol: wamp"; write "auth"')
  }
  const origins = guard.origins ?? [siteOrigin(config), ...config.site.origins]
  const realms = list(realmOf, 1)(below(spot, 'realms'))
  complainTwice(
    below(spot, 'realms'),
    realms.map(({ name }) => name),
  )
  const listener = listenerOf(config, guard, { spot: knowing(spot, realms), origins })
  const router: RouterNode = { id: guard.name, realms, listeners: [listener], session: defaultSettings }
  return { ...guard, origins, wamp: router }
}

/** Realms and roles are known by now: what names others is told. */
function knowing(spot: Spot, realms: readonly RealmNode[]): Spot {
  const known = {
    realms: new Set(realms.map(({ name }) => name)),
    roles: new Set(realms.flatMap(({ roles }) => roles.map(({ name }) => name))),
  }
  return { ...spot, reading: { ...spot.reading, known } }
}

function listenerOf(
  config: ConfigText,
  guard: GuardConfig,
  { spot, origins }: { readonly spot: Spot; readonly origins: readonly string[] },
): Extract<ListenerNode, { kind: 'web' }> {
  const { host, port } = listenOf(config, guard)
  // Judged as clients see it: a proxy may have ended TLS. The files are none of its business.
  const tls = guardUrl(config, guard).startsWith('wss:') ? clientsTls : undefined
  const endpoint = { kind: 'tcp', host, port, ipVersion: 4, backlog: 50, shared: false, tls } as const
  const service = transportOf(spot, { endpoint, origins })
  const paths = [{ path: guard.path, service }]
  const web = { paths, accessLog: false, hstsMaxAgeS: undefined, clientTimeoutMs: undefined }
  return { kind: 'web', id: guard.name, endpoint, web }
}

const clientsTls = {
  key: '',
  certificate: '',
  chainCertificates: [],
  dhparam: undefined,
  ciphers: undefined,
  caCertificates: [],
} as const

/** The transport, read as Crossbar.io has it but for its origins, which are the guard's. */
function transportOf(
  spot: Spot,
  around: {
    readonly endpoint: Parameters<typeof websocketOf>[1]['endpoint']
    readonly origins: readonly string[]
  },
): WebSocketNode {
  const options = below(spot, 'options')
  for (const key of ['allowed_origins', 'allow_null_origin']) {
    if (isWritten(options, key)) complain(below(options, key), 'is "origins" of the guard here')
  }
  if (below(spot, 'auth').value === undefined)
    complain(below(spot, 'auth'), 'is missing: it says who may join')
  const written = Object.fromEntries(
    transportKeys.flatMap((key) => (isWritten(spot, key) ? [[key, below(spot, key).value]] : [])),
  )
  const judged = isMapping(options.value) || options.value === undefined
  const value = judged
    ? {
        ...written,
        options: { ...mapping(options.value), allowed_origins: around.origins, allow_null_origin: false },
      }
    : written
  return websocketOf({ ...spot, value }, { endpoint: around.endpoint, session: defaultSettings }, false)
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {}
}

/** What is not as one might expect of a guard that was read: options without effect, modules that are missing. */
export function wampFindings({ wamp }: GuardConfig, path: KeyPath): readonly Finding[] {
  if (wamp === undefined) return []
  const node = wampTransport(wamp)
  return [
    ...withoutEffect(node).map((words) => finding('warning', [...path, 'options'], words)),
    ...registrantFindings(wamp).map(([, words]) => finding('warning', [...path, 'realms'], words)),
    ...modulesOf(node)
      .filter((module) => !existsSync(module))
      .map((module) => finding('error', [...path, 'auth'], `there is no file ${module}`)),
  ]
}

function finding(level: Finding['level'], path: KeyPath, message: string): Finding {
  return { level, path, message }
}

function modulesOf({ auth }: WebSocketNode): readonly string[] {
  return auth.methods
    .flatMap(({ sources }) => sources.flatMap((source) => (source.kind === 'function' ? source.module : [])))
    .filter((module) => isAbsolute(module))
}

/** The one transport of a guard's router. */
export function wampTransport({ listeners }: RouterNode): WebSocketNode {
  const [listener] = listeners
  const service = listener?.kind === 'web' ? listener.web.paths[0]?.service : undefined
  if (service?.kind !== 'websocket') throw new TypeError('a guard of WAMP has one transport')
  return service
}
