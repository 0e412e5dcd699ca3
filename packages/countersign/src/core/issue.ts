/** Makes credentials for subjects that someone else has authenticated: the application's own login code. */
import { MisuseError } from './errors.ts'
import type {
  ApiKeyOptions,
  ChallengeSecretOptions,
  Issued,
  IssueFor,
  Issuer,
  PreauthOptions,
  SessionOptions,
  TicketOptions,
} from './issue-options.ts'
import { entryOf } from './journal-entry.ts'
import type { Limits } from './limits.ts'
import type { Ports } from './ports.ts'
import { sharedRoles } from './shared-roles.ts'
import type { Hash, Salting } from './records.ts'

/** Prefixes that tell Countersign's own credentials apart, for the guard and for secret scanners. */
export const prefixes = {
  ticket: 'cst_',
  session: 'css_',
  alias: 'csa_',
  preauth: 'csp_',
  csrf: 'csc_',
  apiKey: 'csk_',
} as const

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

/** One for each guard. Writes rows; what it returns of a secret is the only copy in clear. */
class RecordsIssuer {
  readonly #ports: Ports
  readonly #guard: string

  constructor(ports: Ports, guard: string) {
    this.#ports = ports
    this.#guard = guard
  }

  /**
   * The row is kept under the hash of the secret; the lease id is drawn now, so that it can be revoked
   * before it is used.
   */
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
    const id = this.#id()
    const row = {
      key,
      purpose,
      id,
      ...holder(options),
      audience: options.audience ?? audience,
      origin: options.origin,
      sessionKey: options.sessionKey,
      apiKey: options.apiKey,
      // One name for both: a ticket opens one lease, and each connection holds a text less.
      lease: id,
      leaseUntilMs: now + life('leaseMs', options.leaseMs ?? defaultLeaseMs),
      issuedAtMs: issuedAt(options, now),
      expiresAtMs: now + ttlMs,
    }
    await this.#ports.records.putTicket(row)
    this.#journal(purpose === 'csrf' ? 'preauth' : 'ticket', row.subject)
    return { ticket: secret, id: row.id, expiresAtMs: row.expiresAtMs, lease: row.lease }
  }

  /** A login session is its own root; a child names the root that it is to end with. */
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

  /**
   * Two rows: a preauth session behind the cookie, and a single-use token that opens with that session
   * alone.
   */
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

  /** A salted secret is derived here, once: logins must not cost a derivation each. */
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

  /** The id is public and is what `revoke` takes; the secret is the key itself. */
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
    const now = this.#ports.platform.clock.now()
    this.#ports.journal.record(entryOf({ kind: 'issued', subject, detail }, now, this.#guard))
  }
}

/** The members that all issued rows share; of the caller's list of roles there is one frozen copy. */
function holder(options: IssueFor): {
  readonly subject: string
  readonly roles: readonly string[]
  readonly session: string | undefined
} {
  if (options.subject === '' || options.subject.length > 256) {
    throw new MisuseError('invalid_option', 'subject: 1 to 256 characters')
  }
  return { subject: options.subject, roles: sharedRoles(options.roles ?? []), session: options.session }
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

/** A whole number from 1 to `most`. */
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
