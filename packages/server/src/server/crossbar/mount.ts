/** Serves a node configuration of Crossbar.io: routers, guards, listeners; and takes another one while it runs. */
import { dirname, join, resolve } from 'node:path'
import { localBus, Lockout, memory, MisuseError, type Guard, type Records } from 'countersign'
import {
  argon2Passwords,
  decoyKeyFrom,
  nodePlatform,
  rejectingPasswords,
  sealer,
  sealingKeysFrom,
  type SealingKey,
} from 'countersign/platform/node'
import { sqlite } from 'countersign/stores/sqlite'
import { Router } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import type { Logger } from 'pino'
import { createJournal } from '../journal.ts'
import { watchRecords } from '../serve-watch.ts'
import { functionLoader } from './functions.ts'
import { cookieStores, type GuardShared } from './guards.ts'
import { openListener, type MountedListener } from './mount-listener.ts'
import { realmOptions, transportsOf } from './mount-realms.ts'
import type { CrossbarNode, RouterNode } from './node.ts'
import { reloadNode, type Reloaded } from './reload.ts'

/** What serving needs beside the configuration. */
export interface MountOptions {
  /** The file of the configuration: modules and `countersign.key` are looked for beside it. */
  readonly file: string
  readonly log: Logger
  /** Value of `COUNTERSIGN_KEY`. */
  readonly key: string | undefined
  /** Database of accounts, for sources of type `x_accounts`. @default countersign.db beside the configuration */
  readonly store: string | undefined
  /** Whether tickets and cookies may travel in clear beyond this machine. */
  readonly dangerouslyAllowCleartext: boolean
}

/** A running node. */
export interface Mounted {
  /** What clients reach, in the order of the file. */
  readonly listeners: readonly { readonly name: string; readonly url: string }[]
  /** What is not as one might expect, for people. */
  readonly warnings: readonly string[]
  /** Takes another configuration: users, roles, rules, certificates. All of it, or nothing. */
  reload(node: CrossbarNode): Promise<Reloaded>
  /** Sends every session GOODBYE `wamp.close.system_shutdown`, then closes everything. */
  close(): Promise<void>
}

/** A router and its listeners, as they run. */
export interface MountedRouter {
  readonly router: Router
  readonly listeners: readonly MountedListener[]
}

/** Everything that runs. */
export interface Running {
  node: CrossbarNode
  readonly routers: readonly MountedRouter[]
  readonly shared: GuardShared
  /** Those of replaced configurations as well, while sessions of theirs live. Changed in place. */
  readonly guards: Guard[]
}

/** How long sessions have to answer the GOODBYE, ms. */
const farewellMs = 1_200

/**
 * Starts everything and answers when all of it listens.
 * @throws MisuseError for what the configuration names and cannot be used, ListenError for an address; nothing is left open
 */
export async function mountNode(node: CrossbarNode, options: MountOptions): Promise<Mounted> {
  const warnings: string[] = []
  const shared = openShared(node, options, warnings)
  const routers: { readonly router: Router; readonly listeners: MountedListener[] }[] = []
  const guards: Guard[] = []
  const running: Running = { node, routers, shared, guards }
  try {
    for (const one of node.routers) {
      const router = routerOf(one)
      const listeners: MountedListener[] = []
      routers.push({ router, listeners })
      for (const listener of one.listeners) {
        const mounted = await openListener(listener, { router, shared, index: listeners.length })
        listeners.push(mounted)
        guards.push(...mounted.transports.map(({ gate }) => gate.guard))
      }
    }
  } catch (error) {
    await closeAll(running)
    throw error
  }
  const { records, platform } = shared
  const stop = watchRecords({ records, log: options.log, clock: platform.clock, guards })
  return {
    listeners: routers.flatMap(({ listeners }) => listeners.flatMap(({ urls }) => urls)),
    warnings,
    reload: (next) => reloadNode(running, next),
    async close() {
      stop()
      await closeAll(running)
    },
  }
}

/** What sessions are given is said by each transport. */
function routerOf(node: RouterNode): Router {
  return new Router({ realms: realmOptions(node) }, nodeRouterPorts())
}

function openShared(node: CrossbarNode, options: MountOptions, warnings: string[]): GuardShared {
  const folder = dirname(resolve(options.file))
  const platform = nodePlatform()
  const keys = keysOf(options, folder, warnings)
  const usesAccounts = needsAccounts(node)
  const decoyKey = keys === undefined ? randomKey(platform.random(32)) : decoyKeyFrom(keys)
  return {
    records: usesAccounts ? openAccounts(options.store ?? join(folder, 'countersign.db'), keys) : memory(),
    platform,
    passwords: usesAccounts ? argon2Passwords() : rejectingPasswords,
    journal: createJournal(options.log),
    bus: localBus(),
    guesses: new Lockout(),
    decoyKey,
    functions: functionLoader(folder),
    cookies: cookieStores(() => platform.clock.now()),
    dangerouslyAllowCleartext: options.dangerouslyAllowCleartext,
  }
}

/** Answers to unknown names are drawn from it: kept, so that they are the same after a restart. */
function keysOf(
  { key, log }: MountOptions,
  folder: string,
  warnings: string[],
): readonly SealingKey[] | undefined {
  try {
    return sealingKeysFrom({ env: key, file: join(folder, 'countersign.key') })
  } catch (error) {
    // A folder that is mounted read-only is no reason not to route.
    if (error instanceof MisuseError || !(error instanceof Error)) throw error
    log.warn({ code: 'code' in error ? error.code : undefined }, 'no key file')
    warnings.push(
      `${join(folder, 'countersign.key')} cannot be made: challenges for unknown names change at every start; set COUNTERSIGN_KEY`,
    )
    return undefined
  }
}

function randomKey(text: string): Uint8Array {
  return Buffer.from(text, 'base64url')
}

function openAccounts(file: string, keys: readonly SealingKey[] | undefined): Records {
  if (keys === undefined)
    throw new MisuseError('missing_port', 'x_accounts: set COUNTERSIGN_KEY, which seals secrets of accounts')
  return sqlite(file, { sealer: sealer(keys) })
}

/** Whether some transport asks the database of accounts. */
function needsAccounts({ routers }: CrossbarNode): boolean {
  return routers
    .flatMap(({ listeners }) => listeners.flatMap(transportsOf))
    .some(({ node }) =>
      node.auth.methods.some(({ sources }) => sources.some(({ kind }) => kind === 'accounts')),
    )
}

/** Nobody new first, then a word to those who are in, and a moment for their own. */
async function closeAll({ routers, guards, shared }: Running): Promise<void> {
  const listeners = routers.flatMap((one) => one.listeners)
  for (const { listening } of listeners) listening.stop()
  for (const { router } of routers) router.close()
  const end = Date.now() + farewellMs
  while (routers.some(({ router }) => router.connections > 0) && Date.now() < end) await pause(20)
  for (const guard of guards) guard.close()
  await Promise.allSettled(listeners.map(({ listening }) => listening.close()))
  await shared.records.close()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
