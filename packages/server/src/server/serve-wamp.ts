/** A guard that speaks WAMP, as it is served: a router of its own behind it, on the address that it shares. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Guard, Method } from 'countersign'
import type { ProxyOptions } from 'countersign/http'
import { Router } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampTransport } from './config-wamp.ts'
import type { GuardConfig } from './config-types.ts'
import { openGate, type GuardShared } from './crossbar/guards.ts'
import { realmOptions } from './crossbar/mount-realms.ts'
import type { RouterNode } from './crossbar/node.ts'
import { heartbeatMs } from './heartbeat.ts'

/** What takes upgrades of a path, and lets its sockets go in the end. */
export interface UpgradeTaker {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Says goodbye to every session, and cuts off whoever does not leave. */
  farewell(): Promise<void>
}

/** A guard and its router. */
export interface WampSide extends UpgradeTaker {
  readonly guard: Guard
}

/** What a router needs beside its configuration. */
export interface WampSurroundings {
  readonly shared: GuardShared
  /** Makes the guard, once its methods are there. */
  readonly guardOf: (accept: readonly Method[]) => Guard
  readonly proxies: ProxyOptions | undefined
}

/** How long sessions have to answer the GOODBYE, ms. */
const farewellMs = 1_200

/** Opens it. @throws MisuseError when its `auth` cannot be served: a module that is missing, a store that cannot be opened */
export async function openWamp(
  { name, path }: GuardConfig,
  wamp: RouterNode,
  { shared, guardOf, proxies }: WampSurroundings,
): Promise<WampSide> {
  const router = new Router({ realms: realmOptions(wamp) }, nodeRouterPorts())
  const place = { kind: 'websocket', path, node: beating(wampTransport(wamp)) } as const
  const gate = await openGate(place, { shared, router, name, unix: false, guardOf, proxies })
  const sockets = new Set<Duplex>()
  return {
    guard: gate.guard,
    upgrade(request, socket, head) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      gate.upgrade?.(request, socket, head)
    },
    async farewell() {
      router.close()
      gate.retire()
      await leftWithin(router, farewellMs)
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function leftWithin(router: Router, ms: number): Promise<void> {
  const end = Date.now() + ms
  while (router.connections > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** A transport whose peers are asked whether they are there, as those of other guards are; another interval may be configured. */
function beating(node: ReturnType<typeof wampTransport>): ReturnType<typeof wampTransport> {
  const { options } = node
  if (options.autoPingIntervalMs > 0) return node
  return { ...node, options: { ...options, autoPingIntervalMs: heartbeatMs } }
}
