/** Makes credentials for subjects that someone else has authenticated: the application's own login code. */
import { MisuseError } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Ports } from './ports.ts'
import type { Hash, Salting, SessionPurpose, TicketPurpose } from './records.ts'

/** Prefixes that tell Countersign's own credentials apart, for the guard and for secret scanners. */
export const prefixes = {
  ticket: 'cst_',
  session: 'css_',
  alias: 'csa_',
  preauth: 'csp_',
  csrf: 'csc_',
  apiKey: 'csk_',
} as const

/** Whom a credential is for. */
export interface IssueFor {
  readonly subject: string
  /** @default [] */
  readonly roles?: readonly string[]
  /** Identifier of the login session that it shall die with. */
  readonly session?: string | undefined
  /**
   * When the subject was found to be who they are, ms since the epoch: a revocation after that instant hits what is
   * issued here, even one that falls between the look and the issuing. @default now
   */
  readonly provedAtMs?: number | undefined
}

/** A ticket. `@default` values in brackets. */
export interface TicketOptions extends IssueFor {
  /** What it may be exchanged at; must equal the guard's or the method's audience. [the guard's audience] */
  readonly audience?: string
  /** [`connect`] */
  readonly purpose?: TicketPurpose
  /** Page origin that alone may use it. [any allowed one] */
  readonly origin?: string | undefined
  /** Life of the ticket, ms, at most 30,000. [30,000] */
  readonly ttlMs?: number
  /** Life of the lease that it opens, ms. [15 minutes] */
  readonly leaseMs?: number
}

/** A session, or a child of one. */
export interface SessionOptions extends IssueFor {
  /** [`login`] */
  readonly purpose?: SessionPurpose
  readonly origin?: string | undefined
  /** Absolute life, ms. [8 hours] */
  readonly ttlMs?: number
  /** Longest silence, ms. [none] */
  readonly idleMs?: number
}

/** A preauth pair: cookie and CSRF token. */
export interface PreauthOptions extends IssueFor {
  /** The preauth cookie that the client already has, so that several tabs share it. */
  readonly cookie?: string | undefined
  /** Life of the pair, ms. [30,000] */
  readonly ttlMs?: number
  /** Life of the lease that it opens, ms. [15 minutes] */
  readonly leaseMs?: number
}

/** A secret for challenge-response. */
export interface ChallengeSecretOptions extends IssueFor {
  /** Name to log in with. [fresh and random] */
  readonly authid?: string
  /** The secret. [fresh and random, 256 bits] */
  readonly secret?: string
  /** Derive the key from the secret by PBKDF2 instead of using it as it is. */
  readonly salting?: Salting
  /** `one`: spent by its first success. [`session`] */
  readonly uses?: 'one' | 'session'
  /** Life, ms; its leases end with it. [8 hours] */
  readonly ttlMs?: number
}

/** A key for a machine. */
export interface ApiKeyOptions {
  readonly subject: string
  readonly name: string
  readonly roles?: readonly string[]
  /** [`connect`] */
  readonly scopes?: readonly string[]
  /** [never expires] */
  readonly ttlMs?: number
}

/** What was issued. The secret is returned once and kept only as a hash. */
export interface Issued {
  /** Public identifier: list and revoke by it. */
  readonly id: string
  readonly expiresAtMs: number
}

/** Issues credentials. Every secret has 256 random bits. */
export interface Issuer {
  /**
   * A single-use ticket, and the id that the lease which it opens will have: to revoke that lease before it
   * exists.
   */
  ticket(options: TicketOptions): Promise<Issued & { readonly ticket: string; readonly lease: string }>
  /** A login session; with `session` given, a child that ends with that login. */
  session(options: SessionOptions): Promise<Issued & { readonly session: string }>
  /** A preauth cookie (kept when still good) and a single-use CSRF token that is bound to it. */
  preauth(
    options: PreauthOptions,
  ): Promise<Issued & { readonly cookie: string; readonly csrf: string; readonly lease: string }>
  challengeSecret(
    options: ChallengeSecretOptions,
  ): Promise<Issued & { readonly authid: string; readonly secret: string }>
  apiKey(options: ApiKeyOptions): Promise<Issued & { readonly key: string }>
}

/** Longest life of a ticket, ms. */
export const maxTicketMs = 30_000
const defaultLeaseMs = 15 * 60_000
const defaultSessionMs = 8 * 3_600_000

/** Builds the issuing side of a guard. */
export function createIssuer(
  ports: Ports,
  defaults: { readonly audience: string; readonly guard: string; readonly limits: Limits },
): Issuer {
  const issuer = new RecordsIssuer(ports, defaults.guard)
  return {
    ticket: (options) => issuer.ticket(options, defaults.audience),
    session: (options) => issuer.session(options),
    preauth: (options) => issuer.preauth(options),
    challengeSecret: (options) => issuer.challengeSecret(options),
    apiKey: (options) => issuer.apiKey(options),
  }
}

class RecordsIssuer {
  readonly #ports: Ports
  readonly #guard: string

  constructor(ports: Ports, guard: string) {
    this.#ports = ports
    this.#guard = guard
  }

  async ticket(
    options: TicketOptions & { readonly sessionKey?: Hash },
    audience: string,
  ): Promise<Issued & { readonly ticket: string; readonly lease: string }> {
    const now = this.#ports.platform.clock.now()
    const ttlMs = life('ttlMs', options.ttlMs ?? maxTicketMs)
    if (ttlMs > maxTicketMs)
      throw new MisuseError('invalid_option', `ticket: ttlMs is at most ${maxTicketMs}`)
    const purpose = options.purpose ?? 'connect'
    const { secret, key } = await this.#fresh(purpose === 'csrf' ? prefixes.csrf : prefixes.ticket)
    const row = {
      key,
      purpose,
      id: this.#id(),
      ...holder(options),
      audience: options.audience ?? audience,
      origin: options.origin,
      sessionKey: options.sessionKey,
      lease: this.#id(),
      leaseUntilMs: now + life('leaseMs', options.leaseMs ?? defaultLeaseMs),
      issuedAtMs: issuedAt(options, now),
      expiresAtMs: now + ttlMs,
    }
    await this.#ports.records.putTicket(row)
    this.#journal(purpose === 'csrf' ? 'preauth' : 'ticket', row.subject)
    return { ticket: secret, id: row.id, expiresAtMs: row.expiresAtMs, lease: row.lease }
  }

  async session(options: SessionOptions): Promise<Issued & { readonly session: string; readonly key: Hash }> {
    const now = this.#ports.platform.clock.now()
    const purpose = options.purpose ?? 'login'
    const prefix =
      purpose === 'alias' ? prefixes.alias : purpose === 'preauth' ? prefixes.preauth : prefixes.session
    const { secret, key } = await this.#fresh(prefix)
    const id = this.#id()
    const { subject, roles, session } = holder(options)
    const row = {
      key,
      id,
      purpose,
      subject,
      roles,
      root: session ?? id,
      origin: options.origin,
      issuedAtMs: issuedAt(options, now),
      expiresAtMs: now + life('ttlMs', options.ttlMs ?? defaultSessionMs),
      idleMs: options.idleMs === undefined ? Infinity : life('idleMs', options.idleMs),
      lastSeenMs: now,
    }
    await this.#ports.records.putSession(row)
    this.#journal(purpose, subject)
    return { session: secret, key, id, expiresAtMs: row.expiresAtMs }
  }

  async preauth(
    options: PreauthOptions,
  ): Promise<Issued & { readonly cookie: string; readonly csrf: string; readonly lease: string }> {
    const kept = options.cookie === undefined ? undefined : await this.#keep(options.cookie, options)
    const parent =
      kept ??
      (await this.session({
        ...holder(options),
        provedAtMs: options.provedAtMs,
        purpose: 'preauth',
        ttlMs: defaultLeaseMs,
      }))
    const { ticket, id, expiresAtMs, lease } = await this.ticket(
      {
        ...holder(options),
        provedAtMs: options.provedAtMs,
        purpose: 'csrf',
        sessionKey: parent.key,
        ttlMs: options.ttlMs ?? maxTicketMs,
        leaseMs: options.leaseMs ?? defaultLeaseMs,
      },
      '',
    )
    return { cookie: parent.session, csrf: ticket, id, expiresAtMs, lease }
  }

  async challengeSecret(
    options: ChallengeSecretOptions,
  ): Promise<Issued & { readonly authid: string; readonly secret: string }> {
    const now = this.#ports.platform.clock.now()
    const authid = options.authid ?? this.#ports.platform.random(16)
    const secret = options.secret ?? this.#ports.platform.random(32)
    const { salting } = options
    checkSecret(authid, secret, salting)
    const row = {
      authid,
      secret: salting === undefined ? secret : base64(await this.#ports.platform.derive(secret, salting)),
      salting,
      ...holder(options),
      uses: options.uses ?? 'session',
      issuedAtMs: issuedAt(options, now),
      expiresAtMs: now + life('ttlMs', options.ttlMs ?? defaultSessionMs),
    }
    await this.#ports.records.putChallengeSecret(row)
    this.#journal('challenge_secret', row.subject)
    return { authid, secret, id: authid, expiresAtMs: row.expiresAtMs }
  }

  async apiKey(options: ApiKeyOptions): Promise<Issued & { readonly key: string }> {
    const now = this.#ports.platform.clock.now()
    const { secret, key } = await this.#fresh(prefixes.apiKey)
    const { subject, roles } = holder(options)
    const row = {
      key,
      subject,
      roles,
      id: this.#id(),
      name: options.name,
      scopes: options.scopes ?? ['connect'],
      issuedAtMs: now,
      expiresAtMs: options.ttlMs === undefined ? Infinity : now + life('ttlMs', options.ttlMs),
    }
    await this.#ports.records.putApiKey(row)
    this.#journal('api_key', subject)
    return { key: secret, id: row.id, expiresAtMs: row.expiresAtMs }
  }

  /** The preauth session behind a cookie, if it is still good and descends from the same login. */
  async #keep(
    cookie: string,
    options: PreauthOptions,
  ): Promise<{ readonly session: string; readonly key: Hash } | undefined> {
    const key = await this.#ports.platform.hash(cookie)
    const row = await this.#ports.records.findSession(key)
    const good =
      row?.purpose === 'preauth' &&
      row.subject === options.subject &&
      row.root === (options.session ?? row.id) &&
      row.expiresAtMs > this.#ports.platform.clock.now() + maxTicketMs
    return good ? { session: cookie, key } : undefined
  }

  async #fresh(prefix: string): Promise<{ readonly secret: string; readonly key: Hash }> {
    const secret = prefix + this.#ports.platform.random(32)
    return { secret, key: await this.#ports.platform.hash(secret) }
  }

  #id(): string {
    return this.#ports.platform.random(16)
  }

  #journal(detail: string, subject: string): void {
    this.#ports.journal.record({
      kind: 'issued',
      atMs: this.#ports.platform.clock.now(),
      guard: this.#guard,
      method: undefined,
      subject,
      lease: undefined,
      reason: undefined,
      remoteAddress: undefined,
      origin: undefined,
      detail,
    })
  }
}

/** The members that all issued rows share; the caller's list of roles is copied. */
function holder(options: IssueFor): {
  readonly subject: string
  readonly roles: readonly string[]
  readonly session: string | undefined
} {
  if (options.subject === '' || options.subject.length > 256) {
    throw new MisuseError('invalid_option', 'subject: 1 to 256 characters')
  }
  return { subject: options.subject, roles: [...(options.roles ?? [])], session: options.session }
}

/** Revocation marks hit what was issued before them. */
function issuedAt({ provedAtMs }: IssueFor, now: number): number {
  return Math.min(now, provedAtMs ?? now)
}

/** An empty secret signs for everyone; derivation is bounded, because a login waits for it. */
function checkSecret(authid: string, secret: string, salting: Salting | undefined): void {
  if (authid === '' || authid.length > 256)
    throw new MisuseError('invalid_option', 'authid: 1 to 256 characters')
  if (secret === '') throw new MisuseError('invalid_option', 'secret: must not be empty')
  if (salting === undefined) return
  const { salt, iterations, keylen } = salting
  if (salt === '' || !isCount(iterations, 10_000_000) || !isCount(keylen, 256)) {
    throw new MisuseError(
      'invalid_option',
      'salting: a salt, at most 10,000,000 iterations, a keylen of at most 256',
    )
  }
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most
}

/** Neither `Infinity` nor nothing: what is issued by this path always ends. */
function life(name: string, ms: number): number {
  if (!(ms > 0) || !Number.isFinite(ms))
    throw new MisuseError('invalid_option', `${name}: a positive number of ms`)
  return ms
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}
