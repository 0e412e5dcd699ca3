/** Countersign's WAMP router with two users, mira and otto, whose roles have their names. */
import { createServer } from 'node:http'
import { createGuard, memory, wampHello, type Method } from 'countersign'
import { anonymous, wampcra, wampcraUsers } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf, type Action, type PermissionRule, type RealmOptions } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { listening, type Target } from './site.ts'

const secrets = { mira: 'a-window-in-may', otto: 'seven-dry-leaves' } as const

const audit: AuditOptions = {
  protocol: 'wamp',
  identities: {
    low: { wamp: { authid: 'mira', method: 'wampcra', secret: secrets.mira } },
    high: { wamp: { authid: 'otto', method: 'wampcra', secret: secrets.otto } },
  },
  settleMs: 300,
}

/** A rule for some actions, by stars. */
export function rule(uri: string, ...actions: readonly Action[]): PermissionRule {
  const may = (action: Action): boolean => actions.includes(action)
  return {
    ...ruleOf(uri),
    allow: {
      call: may('call'),
      register: may('register'),
      publish: may('publish'),
      subscribe: may('subscribe'),
    },
    disclose: { caller: false, publisher: false },
    cache: false,
  }
}

/** Starts one. Visitors without a name have the role `anonymous`, where a realm has it. */
export async function openWampSite(
  realms: readonly RealmOptions[],
  options: AuditOptions = {},
): Promise<Target> {
  const users = wampcraUsers(
    { mira: { secret: secrets.mira, role: 'mira' }, otto: { secret: secrets.otto, role: 'otto' } },
    nodePlatform().derive,
  )
  await users.ready
  const accept: readonly Method[] = [
    anonymous({ from: wampHello() }),
    wampcra({ from: wampHello(), sources: [users] }),
  ]
  const server = createServer()
  const router = new Router({ realms, lingerMs: 100 }, nodeRouterPorts())
  const sockets: ReturnType<typeof wampWebSockets>[] = []
  const target = await listening(server, { ...audit, ...options }, () => {
    for (const one of sockets) one.close()
    router.close()
    guard.close()
  })
  const origin = target.url.replace('ws:', 'http:').replace('/socket', '')
  const guard = createGuard({
    records: memory(),
    accept,
    origins: [origin],
    limits: { jitter: 0, lingerMs: 100 },
  })
  const transport = wampWebSockets(router, { guard })
  sockets.push(transport)
  server.on('upgrade', transport.upgrade)
  return target
}
