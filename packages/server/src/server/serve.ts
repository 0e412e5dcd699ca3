/** Composes the production form: the site and its guards, over one database, as a configuration says. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  createGuard,
  localBus,
  Lockout,
  MisuseError,
  type Bus,
  type Guard,
  type GuessLimiter,
  type LimitOptions,
  type Method,
  type PasswordHasher,
  type Platform,
  type Records,
} from 'countersign'
import {
  argon2Passwords,
  decoyKeyFrom,
  deviceKeyFrom,
  nodePlatform,
  sealer,
  sealingKeysFrom,
} from 'countersign/platform/node'
import { sqlite } from 'countersign/stores/sqlite'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import {
  guardHosts,
  guardUrl,
  listenersOf,
  siteIsSecure,
  siteOrigin,
  type ListenerPlan,
} from './config-places.ts'
import { siteOrigins } from './config-rules.ts'
import type { GuardConfig, LimitsConfig } from './config-types.ts'
import { functionLoader } from './crossbar/functions.ts'
import { cookieStores } from './crossbar/guards.ts'
import { registerFrame } from './frame.ts'
import { ownSources } from './headers.ts'
import { createJournal, type SiteJournal } from './journal.ts'
import { openKeyRing, type KeyRing } from './key-ring.ts'
import { guardPaths, listenAt, serverOf, type Application } from './serve-listener.ts'
import { eventsOf, namedApart } from './serve-events.ts'
import { methodsOf } from './serve-methods.ts'
import { openWamp, type UpgradeTaker } from './serve-wamp.ts'
import { watchRecords } from './serve-watch.ts'
import { createSite } from './site.ts'

export { ListenError, type Application } from './serve-listener.ts'

/** What serving needs beside the configuration. */
export interface ServeOptions {
  readonly log: Logger
  /** What may stand behind a guard, by the name that the configuration uses. */
  readonly applications: Readonly<Record<GuardConfig['application'], Application>>
  /** Value of `COUNTERSIGN_KEY`. */
  readonly key: string | undefined
}

/** A running server. */
export interface Serving {
  /** What clients reach, for people. */
  readonly listeners: readonly { readonly name: string; readonly url: string }[]
  /** Ends sockets with `shutting_down`, then the listeners, then the database. */
  close(): Promise<void>
}

/** Life of secrets that stand in the configuration: they are put in afresh at every start. */
const configuredSecretMs = 3_650 * 86_400_000

/**
 * Starts everything and answers when all of it listens.
 * @throws MisuseError for a key or a store that cannot be used, ListenError for an address; nothing is left open
 */
export async function startServer(config: Config, options: ServeOptions): Promise<Serving> {
  const shared = openShared(config, options)
  const guards = new Map<string, Served>()
  const stops: (() => Promise<void>)[] = []
  try {
    for (const guard of config.guards) guards.set(guard.name, await buildServed(shared, guard))
    await putConfiguredSecrets(shared, first(guards))
    for (const plan of listenersOf(config)) stops.push(await openListener(shared, guards, plan))
  } catch (error) {
    await closeEverything(shared, guards, stops)
    throw error
  }
  const { records, log } = shared
  const stopWatching = watchRecords({
    records,
    log,
    clock: shared.platform.clock,
    guards: guardsOf(guards),
  })
  return {
    listeners: [
      { name: 'site', url: `${siteOrigin(config)}/` },
      ...config.guards.map((guard) => ({ name: guard.name, url: guardUrl(config, guard) })),
    ],
    async close() {
      stopWatching()
      await closeEverything(shared, guards, stops)
    },
  }
}

/** What all guards and the site have in common: one database, one bus, one journal. */
interface Shared extends ServeOptions {
  readonly config: Config
  readonly records: Records
  readonly platform: Platform
  readonly passwords: PasswordHasher
  readonly journal: SiteJournal
  readonly bus: Bus
  readonly keys: KeyRing
  readonly decoyKey: Uint8Array
  readonly deviceKey: Uint8Array
  /** One for every guard and the login form: another door is no other set of tries. */
  readonly guesses: GuessLimiter
}

/** What all guards and the site have in common. @throws MisuseError for a key or a store that cannot be used */
function openShared(config: Config, options: ServeOptions): Shared {
  const { keyFile, tokenKeyFile } = config
  const sealing = sealingKeysFrom({
    env: options.key,
    file: keyFile === undefined ? undefined : config.path(keyFile),
  })
  return {
    ...options,
    config,
    decoyKey: decoyKeyFrom(sealing),
    deviceKey: deviceKeyFrom(sealing),
    guesses: new Lockout(),
    records: sqlite(config.path(config.store), { sealer: sealer(sealing) }),
    platform: nodePlatform(),
    passwords: argon2Passwords(),
    journal: createJournal(options.log),
    bus: localBus(),
    keys: openKeyRing(tokenKeyFile === undefined ? undefined : config.path(tokenKeyFile)),
  }
}

/** A guard, and what takes its upgrades where it speaks a protocol of its own. */
interface Served {
  readonly guard: Guard
  readonly taker: UpgradeTaker | undefined
}

type GuardMap = ReadonlyMap<string, Served>

function guardsOf(guards: GuardMap): readonly Guard[] {
  return [...guards.values()].map(({ guard }) => guard)
}

/** @throws MisuseError when its methods cannot be built */
async function buildServed(shared: Shared, guard: GuardConfig): Promise<Served> {
  const { config, platform } = shared
  const { wamp } = guard
  if (wamp === undefined) {
    const accept = methodsOf(guard, {
      siteOrigin: siteOrigin(config),
      keys: shared.keys,
      siteSecure: siteIsSecure(config),
      guardSecure: isSecure(config, guard),
      namedApart: namedApart(config),
    })
    return { guard: buildGuard(shared, guard, accept), taker: undefined }
  }
  const side = await openWamp(guard, wamp, {
    shared: {
      ...shared,
      functions: functionLoader(dirname(resolve(config.file))),
      cookies: cookieStores(() => platform.clock.now()),
      dangerouslyAllowCleartext: guard.dangerouslyAllowCleartext,
    },
    guardOf: (accept) => buildGuard(shared, guard, accept),
    proxies: config.proxies,
  })
  return { guard: side.guard, taker: side }
}

/** One bus for all of them, so that a revocation at one is heard by every other. */
function buildGuard(shared: Shared, guard: GuardConfig, accept: readonly Method[]): Guard {
  const { config } = shared
  const limits = limitsOf(guard.limits)
  return createGuard({
    name: guard.name,
    audience: guard.name,
    records: shared.records,
    passwords: shared.passwords,
    platform: shared.platform,
    journal: shared.journal,
    bus: shared.bus,
    guesses: shared.guesses,
    decoyKey: shared.decoyKey,
    accept,
    hosts: guardHosts(config, guard),
    refusals: guard.refusals,
    dangerouslyAllowCleartext: guard.dangerouslyAllowCleartext,
    ...(guard.origins === undefined ? {} : { origins: guard.origins }),
    ...(limits === undefined ? {} : { limits }),
    ...(guard.perSubject === undefined ? {} : { perSubject: guard.perSubject }),
  })
}

/** Opens one address. @returns a function that closes it */
async function openListener(
  shared: Shared,
  guards: GuardMap,
  plan: ListenerPlan,
): Promise<() => Promise<void>> {
  const app = plan.site ? await buildSite(shared, guards, plan) : buildDoor(shared, guards, plan)
  const paths = plan.guards.flatMap(({ name, path, application }) => {
    const served = guards.get(name)
    if (served === undefined) return []
    const { guard, taker } = served
    return taker === undefined
      ? { path, guard, application: shared.applications[application] }
      : { path, taker }
  })
  const endSockets = guardPaths(app.server, paths, shared.config.proxies)
  await listenAt(app, plan.listen)
  return async () => {
    await endSockets()
    await app.close()
  }
}

/** The site, which hands out credentials for every guard of the configuration. */
function buildSite(shared: Shared, guards: GuardMap, plan: ListenerPlan): Promise<FastifyInstance> {
  const { config, records, platform, passwords, journal, log, keys, guesses, deviceKey } = shared
  const origin = siteOrigin(config)
  const doors = config.guards.flatMap((guard) => {
    const built = guards.get(guard.name)
    return built === undefined
      ? []
      : [[guard.name, { url: guardUrl(config, guard), guard: built.guard }] as const]
  })
  return createSite({
    records,
    platform,
    passwords,
    journal,
    log,
    keys,
    guesses,
    deviceKey,
    issuer: first(guards),
    guards: () => guardsOf(guards),
    doors: new Map(doors),
    origins: siteOrigins(config),
    hosts: [new URL(origin).host],
    secure: siteIsSecure(config),
    proxies: config.proxies,
    events: eventsOf(config, first(guards)),
    server: serverOf(config, plan),
  })
}

/** The HTTP side of an address that has no site: the frame page where a guard wants one, and a word for visitors. */
function buildDoor(shared: Shared, guards: GuardMap, plan: ListenerPlan): FastifyInstance {
  const { config, log, records, platform } = shared
  const [guard] = plan.guards
  const built = guard === undefined ? undefined : guards.get(guard.name)?.guard
  if (guard === undefined || built === undefined) throw new TypeError('an address without a guard')
  const secure = isSecure(config, guard)
  const app = createApp({
    log,
    secure,
    hosts: guardHosts(config, guard),
    sources: ownSources,
    server: serverOf(config, plan),
  })
  const framed = guard.accept.some(
    (accept) => accept.method === 'session' && accept.from.includes('frame-cookie'),
  )
  if (framed) {
    const ownOrigins = [new URL(guardUrl(config, guard).replace(/^ws/, 'http')).origin]
    registerFrame(app, {
      guard: built,
      records,
      platform,
      secure,
      ownOrigins,
      pageOrigins: guard.origins ?? [],
    })
  }
  app.get(guard.path, (_request, reply) =>
    reply.code(426).header('upgrade', 'websocket').send('This address opens to WebSockets.'),
  )
  return app
}

/** Written at every start: the configuration is what counts, not what an earlier one left in the database. */
async function putConfiguredSecrets({ config }: Shared, issuer: Guard): Promise<void> {
  for (const row of config.challengeSecrets) {
    const secret = row.secret ?? firstLine(config.path(row.secretFile ?? ''))
    await issuer.issue.challengeSecret({
      subject: row.subject ?? row.authid,
      roles: row.roles,
      authid: row.authid,
      secret,
      ttlMs: configuredSecretMs,
      ...(row.salting === undefined ? {} : { salting: row.salting }),
    })
  }
}

function firstLine(file: string): string {
  const line = readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? ''
  if (line === '')
    throw new MisuseError('invalid_option', `${file}: its first line is empty, where a secret should be`)
  return line
}

/** Guards first, so that nothing new is let in while sockets say farewell; the database last. */
async function closeEverything(
  shared: Shared,
  guards: GuardMap,
  stops: readonly (() => Promise<void>)[],
): Promise<void> {
  for (const guard of guardsOf(guards)) guard.close()
  await Promise.allSettled(stops.map((stop) => stop()))
  await shared.records.close()
}

function isSecure(config: Config, guard: GuardConfig): boolean {
  return guardUrl(config, guard).startsWith('wss:')
}

/** What is left out must be absent, not `undefined`: it would replace the default. */
function limitsOf(limits: LimitsConfig | undefined): LimitOptions | undefined {
  if (limits === undefined) return undefined
  const { pool, ...flat } = limits
  return { ...present(flat), ...(pool === undefined ? {} : { pool: present(pool) }) }
}

function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  // Only members of T are left, and none of them is undefined.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

function first(guards: GuardMap): Guard {
  const [served] = guards.values()
  if (served === undefined) throw new TypeError('a configuration without guards')
  return served.guard
}
