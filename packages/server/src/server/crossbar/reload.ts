/** Another configuration for a node that runs: all of what may change while sessions live, or nothing. */
import { MisuseError } from 'countersign'
import { Router } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import type { CrossbarNode, EndpointNode, ListenerNode, RouterNode } from './node.ts'
import { openGate, type Gate } from './guards.ts'
import { reconcile } from './guards-standing.ts'
import { readTls, type TlsFiles } from './listeners-tls.ts'
import type { MountedRouter, Running } from './mount.ts'
import type { MountedListener, MountedTransport } from './mount-listener.ts'
import { realmOptions, reservedOf, rolesOf, transportsOf, type TransportPlace } from './mount-realms.ts'

/** What came of it. */
export type Reloaded =
  /** Sessions that ended because what they rested upon has changed; sessions whose role has changed. */
  | { readonly kind: 'reloaded'; readonly ended: number; readonly changed: number }
  /** Nothing has changed; the words say why. */
  | { readonly kind: 'kept'; readonly why: string }

/** Prepares everything, and only then puts it in place. Never rejects. */
export async function reloadNode(running: Running, next: CrossbarNode): Promise<Reloaded> {
  const fixed = needsRestart(running.node, next)
  if (fixed !== undefined) return { kind: 'kept', why: `${fixed} changed, which needs a restart` }
  try {
    const steps = await prepare(running, next)
    const result = { ended: 0, changed: 0 }
    for (const [index, { router }] of running.routers.entries())
      widenRoles(router, at(running.node, index), at(next, index))
    for (const step of steps) {
      const { ended, changed } = commit(running, step)
      result.ended += ended
      result.changed += changed
    }
    for (const [index, { router }] of running.routers.entries()) narrowRoles(router, at(next, index))
    running.node = next
    return { kind: 'reloaded', ...result }
  } catch (error) {
    if (error instanceof MisuseError) return { kind: 'kept', why: error.message }
    return { kind: 'kept', why: error instanceof Error ? error.name : 'unknown trouble' }
  }
}

/** What is put in place at once. */
type Step =
  | { readonly kind: 'tls'; readonly listener: MountedListener; readonly files: TlsFiles }
  | {
      readonly kind: 'gate'
      readonly transport: MountedTransport
      readonly place: TransportPlace
      readonly gate: Gate
    }

/** @throws MisuseError before anything is touched */
async function prepare(running: Running, next: CrossbarNode): Promise<readonly Step[]> {
  const steps: Step[] = []
  // Rules that cannot be compiled are found out here: roles are replaced realm by realm.
  for (const router of next.routers) tryRoles(router)
  for (const [index, mounted] of running.routers.entries()) {
    const { listeners } = at(next, index)
    for (const [place, listener] of mounted.listeners.entries()) {
      const node = listeners[place]
      if (node === undefined) continue
      const tls = tlsOf(node.endpoint)
      if (tls !== undefined) steps.push({ kind: 'tls', listener, files: readTls(tls) })
      steps.push(...(await prepareGates(running, { mounted, listener, places: transportsOf(node) })))
    }
  }
  return steps
}

function tryRoles(router: RouterNode): void {
  new Router({ realms: realmOptions(router) }, nodeRouterPorts()).close()
}

/** A guard for each transport whose `auth` block is another one now; the others stay as they are. */
async function prepareGates(
  { shared }: Running,
  one: {
    readonly mounted: MountedRouter
    readonly listener: MountedListener
    readonly places: readonly TransportPlace[]
  },
): Promise<readonly Step[]> {
  const steps: Step[] = []
  for (const [index, transport] of one.listener.transports.entries()) {
    const place = one.places[index]
    if (place === undefined || same(place.node.auth, transport.place.node.auth)) continue
    const { name } = transport
    const gate = await openGate(place, { shared, router: one.mounted.router, name, unix: one.listener.unix })
    steps.push({ kind: 'gate', transport, place, gate })
  }
  return steps
}

function commit(
  { guards, shared }: Running,
  step: Step,
): { readonly ended: number; readonly changed: number } {
  if (step.kind === 'tls') {
    step.listener.listening.renewTls(step.files)
    return { ended: 0, changed: 0 }
  }
  const { transport, place, gate } = step
  const before = transport.gate
  const earlier = [before, ...transport.retired]
  transport.gate = gate
  transport.place = place
  guards.push(gate.guard)
  before.retire()
  const now = shared.platform.clock.now()
  const leases = earlier.flatMap((one) => one.guard.leases())
  const result = reconcile(leases, { before: before.standing, after: gate.standing, now })
  transport.retired = earlier.filter((one) => one.guard.leases().length > 0)
  for (const one of earlier) {
    if (transport.retired.includes(one)) continue
    one.close()
    guards.splice(guards.indexOf(one.guard), 1)
  }
  return result
}

/** Roles and reserved procedures of both configurations: sessions go from a role that ends to one that begins. */
function widenRoles(router: MountedRouter['router'], before: RouterNode, after: RouterNode): void {
  const reserved = [...new Set([...reservedOf(before), ...reservedOf(after)])]
  for (const realm of after.realms) {
    const names = new Set(realm.roles.map(({ name }) => name))
    const old = before.realms.find(({ name }) => name === realm.name)
    const ending = (old?.roles ?? []).filter(({ name }) => !names.has(name))
    router.replaceRoles(realm.name, [...rolesOf(realm), ...rolesOf({ ...realm, roles: ending })], reserved)
  }
}

/** Sessions of a role that is gone end. */
function narrowRoles(router: MountedRouter['router'], node: RouterNode): void {
  const reserved = reservedOf(node)
  for (const realm of node.realms) router.replaceRoles(realm.name, rolesOf(realm), reserved)
}

function at(node: CrossbarNode, index: number): RouterNode {
  const router = node.routers[index]
  if (router === undefined) throw new TypeError('routers are counted before')
  return router
}

function tlsOf(endpoint: EndpointNode): Extract<EndpointNode, { kind: 'tcp' }>['tls'] {
  return endpoint.kind === 'tcp' ? endpoint.tls : undefined
}

/** What of the two is not to be changed while it runs; `undefined`: nothing differs. */
function needsRestart(before: CrossbarNode, after: CrossbarNode): string | undefined {
  const kinds: readonly (readonly [string, (router: RouterNode) => unknown])[] = [
    ['realms', ({ realms }) => realms.map((realm) => ({ ...realm, roles: undefined }))],
    ['timeouts or vocabulary', ({ session }) => session],
    ['transports', ({ listeners }) => listeners.map(withoutAuth)],
  ]
  if (before.routers.length !== after.routers.length) return 'workers'
  for (const [name, look] of kinds) if (!same(before.routers.map(look), after.routers.map(look))) return name
  return undefined
}

/** A listener without what a reload brings: blocks of authentication, and names of files of certificates. */
function withoutAuth(listener: ListenerNode): unknown {
  const { endpoint, ...rest } = listener
  const tls = tlsOf(endpoint)
  // Whether clients are asked for certificates is settled when a server is made.
  const kind = tls === undefined ? 'clear' : tls.caCertificates.length > 0 ? 'mutual' : 'tls'
  const bare: unknown = JSON.parse(
    JSON.stringify(rest, (key, value: unknown) => (key === 'auth' ? undefined : value)),
  )
  return [bare, { ...endpoint, tls: kind }]
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
