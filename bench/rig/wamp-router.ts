/** The measured router: WAMP-CRA with a static user, rules as asked, everything else as it comes. */
import type { Server } from 'node:http'
import { createGuard, memory, wampHello } from 'countersign'
import { wampcra, wampcraUsers } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf, type PermissionRule } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
import { names } from './wamp-load.ts'

/** Answers upgrades of any path. @param rules how many rules the role has; the one that counts is a prefix */
export function serveRouter(server: Server, rules: number): void {
  const router = new Router(
    { realms: [{ name: names.realm, roles: [{ name: 'load', rules: rulesOf(rules) }] }] },
    nodeRouterPorts(),
  )
  const guard = createGuard({
    records: memory(),
    accept: [
      wampcra({
        from: wampHello(),
        sources: [
          wampcraUsers({ [names.authid]: { secret: names.secret, role: 'load' } }, nodePlatform().derive),
        ],
      }),
    ],
    // One address sends all the load: its rate is counted, and never reached.
    limits: { handshakesPerSecond: 1e9 },
  })
  const sockets = wampWebSockets(router, { guard })
  server.on('upgrade', sockets.upgrade)
}

function rulesOf(count: number): readonly PermissionRule[] {
  const allow = { call: true, register: true, publish: true, subscribe: true }
  const disclose = { caller: false, publisher: false }
  const rule = (uri: string): PermissionRule => ({ ...ruleOf(uri), allow, disclose, cache: true })
  const others = Array.from({ length: count - 1 }, (_none, at) => {
    const uri = at % 3 === 0 ? `com.other${at}` : at % 3 === 1 ? `com.other${at}.*` : `com.*.part${at}`
    return rule(uri)
  })
  return [...others, rule('com.bench.*')]
}
