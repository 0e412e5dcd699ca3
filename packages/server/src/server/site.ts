/** The site of the program: logs people in and hands out what they connect with. Composes; decides nothing itself. */
import { handshakeOf, trustProxies, type ProxyOptions } from 'countersign/http'
import { compileOrigins } from 'countersign/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Allowance } from './allowance.ts'
import { createApp } from './app.ts'
import { readAssets, serveAssets } from './assets.ts'
import { cookieNames, type CookieNames } from './cookies.ts'
import type { PageSources } from './headers.ts'
import { registerEvents } from './event-routes.ts'
import { registerHealth } from './health.ts'
import { registerIssuing } from './issuing.ts'
import { openKeyRing } from './key-ring.ts'
import { registerLeases } from './lease-routes.ts'
import { registerLogin } from './login-routes.ts'
import { guardChanges } from './origin-gate.ts'
import { findLogin } from './sessions.ts'
import type { LoginSession, SiteContext, SiteOptions } from './site-options.ts'

/** What other routes on the same server may ask of the site. */
export interface SiteTools {
  /** The good login session of a request, if any. */
  session(request: FastifyRequest): Promise<LoginSession | undefined>
  /** Names of the cookies, for guards that look for them. */
  readonly cookies: CookieNames
  /** How often a login may ask for what lasts: one count for the site's own routes and for those added later. */
  readonly allowances: SiteContext['allowances']
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Set by `createSite`. */
    readonly site: SiteTools
  }
}

// What an option left out means; `SiteOptions` says the same.
const idleMs = 30 * 60_000
const sessionMs = 8 * 3_600_000
const leaseMs = 15 * 60_000

/**
 * Makes the site with all its routes. It does not listen: the caller does, and may add routes of its own before, which
 * then stand behind the same Host and Origin rules and carry the same headers.
 * @throws TypeError when an origin or a host is none
 */
export async function createSite(options: SiteOptions): Promise<FastifyInstance> {
  const site = contextOf(options)
  const { log, hosts, secure } = options
  const app = createApp({ log, hosts, secure, sources: sourcesOf(options), server: options.server })
  app.decorate('site', {
    session: (request: FastifyRequest) => findLogin(site, request),
    cookies: site.cookies,
    allowances: site.allowances,
  })
  guardChanges(app, site)
  serveAssets(app, '/assets/', readAssets(new URL('./pages/', import.meta.url)))
  serveAssets(app, '/assets/browser/', readAssets(new URL('./browser/', import.meta.url)))
  await registerLogin(app, site)
  registerIssuing(app, site)
  registerLeases(app, site)
  registerHealth(app, site)
  if (options.events !== undefined) await registerEvents(app, site, options.events)
  return app
}

/** Who is calling, for limits and the journal. */
function clientsOf(proxies: ProxyOptions | undefined): (request: FastifyRequest) => string {
  const trust = proxies === undefined ? undefined : trustProxies(proxies)
  return (request) => {
    const facts = handshakeOf(request.raw, { trust, certificates: false })
    return typeof facts === 'string' ? request.ip : facts.remoteAddress
  }
}

/** What the routes share, made once. @throws TypeError when an origin is none */
function contextOf(options: SiteOptions): SiteContext {
  return {
    options,
    cookies: cookieNames(options.secure),
    origins: compileOrigins(options.origins),
    keys: options.keys ?? openKeyRing(),
    guesses: options.guesses ?? options.issuer.guesses,
    idleMs: options.idleMs ?? idleMs,
    sessionMs: options.sessionMs ?? sessionMs,
    leaseMs: options.leaseMs ?? leaseMs,
    formKey: options.platform.random(32),
    deviceKey: options.deviceKey ?? options.platform.random(32),
    allowances: { challengeSecrets: new Allowance(60), preauths: new Allowance(600) },
    clientOf: clientsOf(options.proxies),
    now: () => options.platform.clock.now(),
  }
}

/** Pages may open sockets to the doors; anything more is named by the caller. */
function sourcesOf(options: SiteOptions): PageSources {
  const sockets = [...options.doors.values()].map((door) => new URL(door.url).origin)
  return {
    connect: [...sockets, ...(options.sources?.connect ?? [])],
    frame: options.sources?.frame ?? [],
    ancestors: options.sources?.ancestors ?? [],
  }
}
