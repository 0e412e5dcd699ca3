/** Composes the lab: the site, fourteen doors on origins of their own, the WAMP router beside the site, and the hostile site. Loopback only. */
import {
  createGuard,
  Lockout,
  memory,
  type Guard,
  type GuardOptions,
  type PasswordHasher,
  type Records,
} from 'countersign'
import { jwks } from 'countersign/methods'
import { argon2Passwords, nodePlatform } from 'countersign/platform/node'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { KeyPairPem } from '../server/certificates.ts'
import { registerFrame } from '../server/frame.ts'
import { createJournal, type SiteJournal } from '../server/journal.ts'
import { openKeyRing } from '../server/key-ring.ts'
import { createSite } from '../server/site.ts'
import type { Door as SiteDoor } from '../server/site-options.ts'
import { createDemoAccounts } from './demo.ts'
import { createDoorServer, type DoorServer } from './door-server.ts'
import { GuestCertificates } from './guest-certificates.ts'
import { Guests } from './guests.ts'
import { labCookies, doors as labDoors, originsOfDoor, type Door, type DoorContext } from './doors.ts'
import { createHostileSite } from './hostile.ts'
import { makeCertificates, type Certificates } from './lab-certificates.ts'
import { closeAll, listenOnLoopback, type Listener } from './listen.ts'
import { portsFrom, type LabPorts } from './ports.ts'
import { addGuestRoutes } from './guest-routes.ts'
import { addLabRoutes } from './routes.ts'
import { createSocketIoDoor } from './socket-io-door.ts'
import { createLabWamp, type LabWamp } from './wamp.ts'
import { WireRecorder } from './wire-recorder.ts'

/** Options of the lab. */
export interface LabOptions {
  /** First port of the block. @default 8000 */
  readonly port: number
  readonly log: Logger
}

/** A running lab. */
export interface Lab {
  /** `http://localhost:8000/` */
  readonly url: string
  /** What listens where, for people. */
  readonly listeners: readonly { readonly name: string; readonly url: string }[]
  /** A client certificate that D11 accepts, for browsers and tools, and the authority that signed it. */
  readonly client: KeyPairPem & { readonly authority: string }
  /** Ends every socket and every listener. Nothing is left behind: the records were in memory. */
  close(): Promise<void>
}

/**
 * Starts everything and answers when all of it listens.
 * @throws PortTakenError naming the port and what wanted it; whatever listened already is closed again
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const parts = await compose(options)
  try {
    for (const part of parts.all) await listenOnLoopback(part)
  } catch (error) {
    await closeAll(parts.all)
    throw error
  }
  return {
    url: parts.siteUrl,
    listeners: parts.listed,
    client: parts.client,
    close: () => closeAll(parts.all),
  }
}

/** All parts, made and not yet listening: nothing is open when the first port turns out to be taken. */
interface Composed {
  readonly siteUrl: string
  readonly client: Lab['client']
  readonly all: readonly Listener[]
  /** What people are told of: the listeners, and the router on the site's own. */
  readonly listed: Lab['listeners']
}

/** Builds every part. Doors before the site: it lists them, and hands out what they take. */
async function compose({ port, log }: LabOptions): Promise<Composed> {
  const ports = portsFrom(port)
  const origins = [`http://localhost:${ports.site}`, `http://127.0.0.1:${ports.site}`]
  const siteUrl = `http://localhost:${ports.site}/`
  const certificates = await makeCertificates()
  const shared = share(ports, certificates, { log, origins })
  const { records, passwords, journal } = shared
  const wamp = await createLabWamp({
    records,
    passwords,
    journal,
    origins,
    host: new URL(siteUrl).host,
    hosts: loopbackHosts(ports.site),
    secureHosts: loopbackHosts(ports.door(11)),
    client: { fingerprint: certificates.client.fingerprint, authid: 'alice' },
    limits: labLimits,
  })
  const siteDoors = new Map<string, SiteDoor>()
  const guests = guestCertificates(shared, siteDoors)
  const built = labDoors.map((door) => buildDoor(shared, door, { wamp, guests }))
  for (const { door, url, guard } of built) siteDoors.set(door.id, { url, guard })
  siteDoors.set(wamp.id, wamp)
  const site = await buildSite(shared, { built, wamp, guests, siteDoors }, certificates)
  const hostile = createHostileSite({
    log,
    hosts: loopbackHosts(ports.hostile),
    labOrigins: origins,
    doors: [...built.map(({ door, url }) => ({ id: door.id, url })), { id: 'D15', url: wamp.url }],
  })
  const all: readonly Listener[] = [
    { name: 'site', url: siteUrl, port: ports.site, app: site, close: () => closeSite(site, wamp) },
    ...built.map((door) => listenerOf(door, ports)),
    {
      name: 'hostile site',
      url: `http://localhost:${ports.hostile}/attack`,
      port: ports.hostile,
      app: hostile,
      close: () => hostile.close(),
    },
  ]
  const router = { name: `WAMP ${wamp.realm}`, url: wamp.url }
  return {
    siteUrl,
    client: { ...certificates.client, authority: certificates.authority },
    all,
    listed: all.flatMap(({ name, url }) => [{ name, url }, ...(url === siteUrl ? [router] : [])]),
  }
}

/** What the doors and the site have in common, made once. */
function share(
  ports: LabPorts,
  certificates: Certificates,
  { log, origins }: Pick<Shared, 'log' | 'origins'>,
): Shared {
  const issuer = `http://localhost:${ports.site}`
  return {
    ports,
    origins,
    log,
    records: memory(),
    passwords: argon2Passwords(),
    journal: createJournal(log),
    recorder: new WireRecorder(),
    context: {
      issuer,
      keys: jwks({ url: `${issuer}/.well-known/jwks.json` }),
      listedCertificate: { fingerprint: certificates.listed.fingerprint, subject: 'dave', roles: ['user'] },
    },
    tls: { ...certificates.server, authority: certificates.authority },
  }
}

/** Sessions first: they would hold the listener open. */
function closeSite(site: FastifyInstance, wamp: LabWamp): Promise<void> {
  wamp.close()
  return site.close()
}

/** A door as people are told of it. */
function listenerOf({ door, url, server }: BuiltDoor, ports: LabPorts): Listener {
  return {
    name: `${door.id} ${door.name}`,
    url,
    port: ports.door(door.number),
    app: server.app,
    close: () => server.close(),
  }
}

/** What all doors and the site have in common: one store, one journal, one set of certificates. */
interface Shared {
  readonly ports: LabPorts
  readonly origins: readonly string[]
  readonly log: Logger
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly journal: SiteJournal
  readonly recorder: WireRecorder
  readonly context: DoorContext
  readonly tls: NonNullable<Parameters<typeof createDoorServer>[0]['tls']>
}

/** A door with its guard and its server. */
export interface BuiltDoor {
  readonly door: Door
  readonly url: string
  readonly guard: Guard
  readonly server: DoorServer
}

/**
 * Every visitor comes from one address, so per-source limits are as wide as the pool. Leases of seconds are watched to
 * their end here: they end when they say so, half a second of grace later.
 */
const labLimits: NonNullable<GuardOptions['limits']> = {
  warnMs: 1_000,
  graceMs: 500,
  jitter: 0,
  pool: { total: 1_000, perSource: 1_000, perSubnet: 1_000, talking: 500 },
  lockout: { failures: 1_000, identityFailures: 100_000, allFailures: 1_000_000 },
  handshakesPerSecond: 100_000,
}

/** What listens at D11 beside the door. */
interface Beside {
  readonly wamp: LabWamp
  readonly guests: GuestCertificates
}

/** A guard of this door, as every door of the lab has one. */
function guardOf(
  shared: Shared,
  door: Door,
  own: Pick<GuardOptions, 'accept' | 'limits'> & Partial<GuardOptions>,
): Guard {
  return createGuard({
    name: door.id,
    audience: door.id,
    records: shared.records,
    passwords: shared.passwords,
    journal: shared.journal,
    origins: shared.origins,
    hosts: loopbackHosts(shared.ports.door(door.number)),
    refusals: door.refusals,
    ...own,
  })
}

/** The door of certificates, for guests. */
function guestCertificates(shared: Shared, doors: Map<string, SiteDoor>): GuestCertificates {
  const door = labDoors.find(({ id }) => id === 'D11')
  if (door === undefined) throw new TypeError('the lab has no door of certificates')
  return new GuestCertificates({
    guardOf: (method, maxLeaseMs) =>
      guardOf(shared, door, { name: 'D11 guest', accept: [method], limits: { ...labLimits, maxLeaseMs } }),
    url: urlOf(shared, door),
    doors,
  })
}

/** Clients of Socket.IO begin with HTTP, whatever they go on with. */
function urlOf({ ports }: Shared, { secure, number, protocol }: Door): string {
  const scheme = protocol === 'socket.io' ? 'http' : secure ? 'wss' : 'ws'
  return `${scheme}://localhost:${ports.door(number)}/`
}

/**
 * A guard and a server for one row of the table. D3 alone has a frame page, which the lab's own pages may
 * embed; at D11 the WAMP router and the paths of guests are beside the door.
 */
function buildDoor(shared: Shared, door: Door, { wamp, guests }: Beside): BuiltDoor {
  const port = shared.ports.door(door.number)
  const guard = guardOf(shared, door, { accept: door.methods(shared.context), limits: labLimits })
  const url = urlOf(shared, door)
  const parts = { guard, recorder: shared.recorder, log: shared.log, hosts: loopbackHosts(port) }
  if (door.protocol === 'socket.io')
    return { door, url, guard, server: createSocketIoDoor({ ...parts, origins: shared.origins }) }
  const framed = door.id === 'D3'
  const beside = (path: string): LabWamp['upgrade'] | undefined =>
    path === wamp.secure.path ? wamp.secure.upgrade : guests.at(path)
  const server = createDoorServer({
    ...parts,
    door,
    tls: door.secure ? shared.tls : undefined,
    ...(door.id === 'D11' ? { beside } : {}),
    ...(framed ? { sources: { connect: [], frame: [], ancestors: shared.origins } } : {}),
  })
  if (framed) {
    registerFrame(server.app, {
      guard,
      records: shared.records,
      pageOrigins: shared.origins,
      secure: false,
      cookieName: labCookies.frame,
      platform: nodePlatform(),
      ownOrigins: [`http://localhost:${port}`],
    })
  }
  return { door, url, guard, server }
}

/** What the site hands credentials out for. */
interface SiteParts {
  readonly built: readonly BuiltDoor[]
  readonly siteDoors: ReadonlyMap<string, SiteDoor>
}

/** The site with the lab's routes: its pages may reach every door, and frame D3 and the hostile site. */
async function buildSite(
  shared: Shared,
  { built, wamp, guests, siteDoors }: Beside & SiteParts,
  certificates: Certificates,
): ReturnType<typeof createSite> {
  const issuer = built[0]?.guard
  if (issuer === undefined) throw new TypeError('the lab has no doors')
  const accounts = await createDemoAccounts({ records: shared.records, passwords: shared.passwords, issuer })
  const sources = built.flatMap(({ url }) => originsOfDoor(url))
  const keys = openKeyRing()
  const issuerUrl = shared.context.issuer
  const site = await createSite({
    keys,
    records: shared.records,
    issuer,
    guards: () => [...built.map(({ guard }) => guard), ...wamp.guards, ...guests.guards],
    doors: siteDoors,
    passwords: shared.passwords,
    platform: nodePlatform(),
    guesses: new Lockout(),
    origins: shared.origins,
    hosts: loopbackHosts(shared.ports.site),
    secure: false,
    journal: shared.journal,
    log: shared.log,
    home: '/lab',
    connectAudience: 'D10',
    demo: { accounts },
    sources: {
      connect: sources,
      frame: [`http://localhost:${shared.ports.door(3)}`, `http://localhost:${shared.ports.hostile}`],
      ancestors: [],
    },
  })
  site.server.on('upgrade', (request, socket, head) => {
    shared.recorder.watch(request, socket, head)
    wamp.upgrade(request, socket, head)
  })
  await inviteGuests(site, { shared, built, wamp, guests, issuer })
  addLabRoutes(site, {
    accounts,
    built,
    wamp,
    records: shared.records,
    issuer,
    journal: shared.journal,
    recorder: shared.recorder,
    hostileOrigin: `http://localhost:${shared.ports.hostile}`,
    siteOrigin: `http://localhost:${shared.ports.site}`,
    client: certificates.client,
    authority: certificates.authority,
    expired: { issuer: issuerUrl, sign: (payload) => keys.sign('at+jwt', payload) },
  })
  return site
}

/** Adds the accounts that cases borrow, and the routes that end what those have opened. */
async function inviteGuests(
  site: FastifyInstance,
  {
    shared,
    built,
    wamp,
    guests: certificates,
    issuer,
  }: Beside & { readonly shared: Shared; readonly built: readonly BuiltDoor[]; readonly issuer: Guard },
): Promise<void> {
  const { records, passwords, ports } = shared
  const guests = new Guests({ records, passwords, issuer })
  site.addHook('onClose', () => guests.close())
  addGuestRoutes(site, {
    guests,
    certificates,
    doorOf: (id) => (id === wamp.id ? wamp : built.find(({ door }) => door.id === id)),
    siteOrigin: `http://localhost:${ports.site}`,
    operatorKey: await operatorKey(issuer),
  })
}

/** Revokes on behalf of whoever runs the lab. No page is told of it. */
async function operatorKey(issuer: Guard): Promise<string> {
  const { key } = await issuer.issue.apiKey({ subject: 'operator', name: 'lab operator', scopes: ['revoke'] })
  return key
}

/**
 * The three spellings under which this machine reaches a port of its own; any other `Host` is a rebound
 * name.
 */
function loopbackHosts(port: number): readonly string[] {
  return [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]
}
