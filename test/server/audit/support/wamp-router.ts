/** Countersign's own router of WAMP, with the logins of `naive-wamp.ts`. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, memory, wampHello, type GuardOptions } from 'countersign'
import { anonymous, wampcra, wampcraUsers, type WampcraUser } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf, type PermissionRule } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
import { secrets, wampLogins } from './naive-wamp.ts'
import { listening, type Target } from './site.ts'

/** What differs. */
export interface RouterSiteOptions {
  /** @default mira and otto, with random secrets */
  readonly users?: Readonly<Record<string, WampcraUser>>
  /** Lets anybody in, who may then do nothing. @default false */
  readonly welcomesAnybody?: boolean
  readonly guard?: Partial<GuardOptions>
}

const usual = Object.fromEntries(
  Object.entries(secrets).map(([name, secret]) => [name, { secret, role: 'member' }]),
)

/** Starts one. */
export async function openRouter({
  users = usual,
  welcomesAnybody = false,
  guard: more,
}: RouterSiteOptions = {}): Promise<Target> {
  const known = wampcraUsers(users, nodePlatform().derive)
  await known.ready
  const from = wampHello()
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const guard = createGuard({
    records: memory(),
    origins: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`], // it listens
    accept: [...(welcomesAnybody ? [anonymous({ from })] : []), wampcra({ from, sources: [known] })],
    decoyKey: 'a key of these tests, for decoys only',
    ...more,
    limits: { jitter: 0, lingerMs: 100, ...more?.limits },
  })
  const news: PermissionRule = {
    ...ruleOf('com.audit.*'),
    allow: { call: true, register: true, publish: true, subscribe: true },
    disclose: { caller: false, publisher: false },
    cache: true,
  }
  const roles = [
    { name: 'member', rules: [news] },
    { name: 'anonymous', rules: [] },
  ]
  const router = new Router({ realms: [{ name: 'realm1', roles }], lingerMs: 100 }, nodeRouterPorts())
  const sockets = wampWebSockets(router, { guard })
  server.on('upgrade', sockets.upgrade)
  return listening(server, wampLogins, () => {
    sockets.close()
    router.close()
    guard.close()
  })
}
