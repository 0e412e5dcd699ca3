/** What a site is made of, and what its routes share. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Guard, GuessLimiter, Hash, Journal, PasswordHasher, Platform, Records } from 'countersign'
import type { ProxyOptions } from 'countersign/http'
import type { SecurityEvents } from 'countersign/methods'
import type { OriginRules } from 'countersign/wire'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Allowance } from './allowance.ts'
import type { CookieNames } from './cookies.ts'
import type { PageSources } from './headers.ts'
import type { KeyRing } from './key-ring.ts'

/** A door of which the site hands out credentials. */
export interface Door {
  /** Where its socket lives: `wss://chat.example.com/socket`. */
  readonly url: string
  readonly guard: Guard
}

/** An account that the login page offers as a button; its secrets are public. */
export interface DemoAccount {
  readonly username: string
  readonly password: string
  readonly api_key: string
  readonly roles: readonly string[]
}

/** Options of `createSite`. */
export interface SiteOptions {
  /** Accounts, sessions and marks; the same as its guards have. */
  readonly records: Records
  /** Makes sessions and revokes; any guard over the same records. */
  readonly issuer: Guard
  /** Every guard whose leases can be listed, refreshed and shown by `/healthz`; asked at each request. */
  readonly guards: () => readonly Guard[]
  /** Doors by audience. */
  readonly doors: ReadonlyMap<string, Door>
  readonly passwords: PasswordHasher
  readonly platform: Platform
  /** The site's own origins; the first is the issuer of its JWTs. State-changing requests with a cookie need one. */
  readonly origins: readonly string[]
  /** Hosts that the site answers to; anything else gets 421. */
  readonly hosts: readonly string[]
  /** Whether it is reached over TLS: cookies are then `Secure` and named `__Host-…`. */
  readonly secure: boolean
  /** Where logins are written down, beside what the guards write. */
  readonly journal: Journal
  readonly log: Logger
  /** Keys of `/countersign/token`. @default fresh ones, forgotten at exit */
  readonly keys?: KeyRing
  /** Where a login leads. @default a page of its own at `/` */
  readonly home?: string
  /** Audience of `/countersign/connect` when the request names none. @default none: 400 */
  readonly connectAudience?: string
  /** Accounts that the login page shows as buttons; for demonstrations on loopback only. */
  readonly demo?: { readonly accounts: readonly DemoAccount[] }
  /** Where pages may reach beside the site itself and the sockets of `doors`. @default nowhere */
  readonly sources?: Partial<PageSources>
  /** Longest silence of a login session, ms. @default 30 minutes */
  readonly idleMs?: number
  /** Longest life of a login session, ms. @default 8 hours */
  readonly sessionMs?: number
  /** Life of the lease that an issued credential opens, ms; never beyond the session. @default 15 minutes */
  readonly leaseMs?: number
  /** Slows guessing at the login. @default the issuer's: what is tried at a guard is tried here as well */
  readonly guesses?: GuessLimiter
  /** Key of device cookies: keep it, or every browser is a stranger after a restart. @default random */
  readonly deviceKey?: string | Uint8Array
  /** Proxies that are believed about addresses: guessing is slowed by the client's, not by theirs. @default none */
  readonly proxies?: ProxyOptions | undefined
  /** Ends what identity providers say has ended. @default none: the routes are not there */
  readonly events?: SecurityEvents | undefined
  /** Makes the Node server, for TLS. @default a plain http server */
  readonly server?: (handle: (request: IncomingMessage, response: ServerResponse) => void) => Server
}

/** What the routes share: the options with their defaults, and what is made once at the start. */
export interface SiteContext {
  readonly options: SiteOptions
  readonly cookies: CookieNames
  /** Compiled from the options' origins: what a request that changes something may come from. */
  readonly origins: OriginRules
  readonly keys: KeyRing
  readonly guesses: GuessLimiter
  readonly idleMs: number
  readonly sessionMs: number
  readonly leaseMs: number
  /** Key of form tokens: random at every start. */
  readonly formKey: string
  /** Key of device cookies. */
  readonly deviceKey: string | Uint8Array
  /** Lasting secrets that one login may ask for in a minute. */
  readonly allowances: { readonly challengeSecrets: Allowance; readonly preauths: Allowance }
  /** Address of the client: the peer's, or the one that a listed proxy names. */
  clientOf(request: FastifyRequest): string
  /** The platform's clock, ms since the epoch. */
  now(): number
}

/** A good login session of a request. */
export interface LoginSession {
  /** Public identifier: what marks and leases name the session by. */
  readonly id: string
  /** Hash of its secret: what the records keep it under. */
  readonly key: Hash
  readonly subject: string
  readonly roles: readonly string[]
  /** When it ends if it is not used again. */
  readonly expiresAtMs: number
  /** When it ends however much it is used. */
  readonly endsAtMs: number
}
