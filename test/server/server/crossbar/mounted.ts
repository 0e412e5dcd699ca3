/** Serves configurations in this process, each in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { createLog } from '../../../../packages/server/src/server/log.ts'
import {
  mountNode,
  type Mounted,
  type MountOptions,
} from '../../../../packages/server/src/server/crossbar/mount.ts'
import {
  readCrossbarConfig,
  type CrossbarNode,
} from '../../../../packages/server/src/server/crossbar/read.ts'

const endings: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end()
})

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'countersign-node-'))
  endings.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Reads a configuration that must be right. */
export function nodeOf(config: object, at: string): CrossbarNode {
  const read = readCrossbarConfig(JSON.stringify(config), { path: join(at, 'config.json'), environment: {} })
  if (read.kind === 'invalid') throw new Error(JSON.stringify(read.issues))
  return read.node
}

/** Serves a configuration until the test ends. */
export async function mount(
  config: object,
  options: Partial<MountOptions> & { readonly at?: string } = {},
): Promise<Mounted & { readonly at: string }> {
  const { at = folder(), ...others } = options
  const mounted = await mountNode(nodeOf(config, at), {
    file: join(at, 'config.json'),
    log: createLog({ level: 'silent' }),
    key: undefined,
    store: undefined,
    dangerouslyAllowCleartext: false,
    ...others,
  })
  endings.push(() => mounted.close())
  return { ...mounted, at }
}

/** Rules of a role: everything under `com.example.`. */
export const frontend: { readonly name: string; readonly permissions: readonly [object] } = {
  name: 'frontend',
  permissions: [
    {
      uri: 'com.example.',
      match: 'prefix',
      allow: { call: true, register: true, publish: true, subscribe: true },
    },
  ],
}

/** A role that may register the authenticator, and nothing else. */
export const authority: object = {
  name: 'authority',
  permissions: [{ uri: 'com.example.authenticate', match: 'exact', allow: { register: true } }],
}

/** A node with one realm and these transports. */
export function node(transports: readonly object[], roles: readonly object[] = [frontend]): object {
  return { version: 2, workers: [{ type: 'router', realms: [{ name: 'realm1', roles }], transports }] }
}

/** A transport of WAMP over WebSocket, on a free port of this machine. */
export function websocket(auth: object, more: object = {}): object {
  return { type: 'websocket', endpoint: { type: 'tcp', interface: '127.0.0.1', port: 0 }, auth, ...more }
}

/** Static users of WAMP-CRA. */
export function users(list: Readonly<Record<string, string>>, role = 'frontend'): object {
  const entries = Object.entries(list).map(([name, secret]) => [name, { secret, role }])
  return { wampcra: { type: 'static', users: Object.fromEntries(entries) } }
}

/** The nth address of a node. */
export function urlOf({ listeners }: Mounted, index = 0): string {
  return listeners[index]?.url ?? ''
}
