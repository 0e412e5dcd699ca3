/**
 * The front door of Countersign: a guard, the places where credentials travel, and records in memory. Methods, stores
 * and adapters have doors of their own: `countersign/methods`, `countersign/stores/…`, `countersign/ws`.
 */
import { localBus } from './bus/local.ts'
import type { Carrier } from './core/carrier.ts'
import { MisuseError } from './core/errors.ts'
import { Guard, type SubjectCap } from './core/guard.ts'
import type { RefusalStyle } from './core/knock.ts'
import type { GuessLimiter } from './core/guess.ts'
import { limitsOf, type LimitOptions } from './core/limits.ts'
import { Lockout, type LockoutLimits } from './core/lockout.ts'
import { Policy } from './core/policy.ts'
import type { Actions, PolicyOptions } from './core/policy-options.ts'
import type { Method } from './core/method.ts'
import { reasons, type Reason } from './core/reasons.ts'
import type { Bus, Journal, PasswordHasher, Platform } from './core/ports.ts'
import type { Records } from './core/records.ts'
import { rejectingPasswords } from './platform/argon2.ts'
import { nodePlatform } from './platform/node.ts'
import { subnetOf } from './wire/address.ts'
import { isValidCloseCode } from './wire/close.ts'
import { allowsHost, allowsOrigin, compileHosts, compileOrigins } from './wire/origin.ts'
import { addressRules } from './wire/range.ts'

/** What a guard is made of. */
export interface GuardOptions {
  /** Where tickets, sessions, keys and accounts are kept: `memory()`, `sqlite(file)`. */
  readonly records: Records
  /** Methods that may let someone in. The first that recognises a credential judges it; there is no second opinion. */
  readonly accept: readonly Method[]
  /**
   * Origins of pages that may connect, exactly as browsers send them (`https://app.example.com`); a whole left-most
   * label may be `*`. A present `Origin` that is not listed is refused at every door.
   * @default none: only clients that send no `Origin`
   */
  readonly origins?: readonly string[]
  /** Hosts that this server answers to, with port where it is not the default. @default any well-formed one */
  readonly hosts?: readonly string[]
  /** What credentials must have been issued for. @default 'default' */
  readonly audience?: string
  /** Name in challenges and in the journal. @default the audience */
  readonly name?: string
  /** How refused credentials are told: `auto` closes with a code to browsers and answers HTTP to others. @default 'auto' */
  readonly refusals?: RefusalStyle
  /**
   * WebSocket close codes for clients that know others than the table's, by reason: `{ invalid_credential: 4401 }`.
   * Refusals and ends of leases use them alike; the close reason stays the word. Two advices that share a code are the
   * caller's to tell apart. @default those of `reasons`
   */
  readonly closeCodes?: Partial<Readonly<Record<Reason, number>>>
  /** Bounds; see `defaultLimits`. */
  readonly limits?: LimitOptions
  /**
   * How many connections one subject may have at this guard, and whether one more is rejected or replaces the oldest.
   * @default any number
   */
  readonly perSubject?: SubjectCap
  /** Lets tickets, tokens, cookies and passwords travel over cleartext off loopback. @default false */
  readonly dangerouslyAllowCleartext?: boolean
  /**
   * Lets methods other than `ticket` take their credential from the URL, which ends up in logs and histories
   * (RFC 6750 §2.3, RFC 9700 §4.3.2). @default false
   */
  readonly dangerouslyAllowInQuery?: boolean
  /** Where security events go. @default nowhere */
  readonly journal?: Journal
  /** How guards hear each other's revocations. @default one bus for all guards of the same records */
  readonly bus?: Bus
  /** Password hashing, needed by the method `password` and by WAMP tickets of accounts: `argon2Passwords()`. */
  readonly passwords?: PasswordHasher
  /**
   * Slows guessing in place of `limits.lockout`: for counts that several processes share.
   * @default one in memory for all guards of the same records whose `limits.lockout` is the same
   */
  readonly guesses?: GuessLimiter
  /** Clock, randomness and cryptography. @default those of Node */
  readonly platform?: Platform
  /** Key from which answers to unknown names are drawn; keep it, or those answers change. @default random */
  readonly decoyKey?: string | Uint8Array
}

/** Guards of the same records hear each other without being told to. */
const buses = new WeakMap<Records, Bus>()

/** Guards of the same records count guesses together: another transport is no other set of tries. */
const lockouts = new WeakMap<Records, Map<string, Lockout>>()

/** First bytes allowed where tokens are long: a JWT fits. */
const maxBytesForJwt = 16_384

/**
 * Builds a guard and checks that its parts fit together.
 * @throws MisuseError when they do not: ambient credentials without `origins`, a method that judges passwords without
 * `passwords`, a credential that outlives its first use in the URL, a close code that no endpoint may send
 */
export function createGuard(options: GuardOptions): Guard {
  const platform = options.platform ?? nodePlatform()
  const audience = options.audience ?? 'default'
  const takes = (name: string): boolean => options.accept.some((method) => method.name === name)
  const judging = options.accept.find(({ needs = [] }) => needs.includes('passwords'))
  if (judging !== undefined && options.passwords === undefined) {
    throw new MisuseError(
      'missing_port',
      `passwords: the ${judging.name} method needs a hasher, such as argon2Passwords()`,
    )
  }
  if (options.dangerouslyAllowInQuery !== true) refuseLongLivedInQuery(options.accept)
  return new Guard(
    {
      name: options.name ?? audience,
      audience,
      accept: options.accept,
      origins: options.origins === undefined ? undefined : originList(options.origins),
      hosts: options.hosts === undefined ? undefined : hostList(options.hosts),
      refusals: options.refusals ?? 'auto',
      closeCodes: closeCodesOf(options.closeCodes ?? {}),
      dangerouslyAllowCleartext: options.dangerouslyAllowCleartext ?? false,
      sourceOf: subnetOf,
      addresses: addressRules,
      perSubject: options.perSubject,
      limits: { ...(takes('jwt') ? { maxBytes: maxBytesForJwt } : {}), ...options.limits },
    },
    {
      records: options.records,
      platform,
      passwords: options.passwords ?? rejectingPasswords,
      journal: options.journal ?? { record: nowhere },
      bus: options.bus ?? busOf(options.records),
      guesses: options.guesses ?? lockoutOf(options.records, limitsOf(options.limits).lockout),
      decoyKey: options.decoyKey ?? platform.random(32),
    },
  )
}

/**
 * Builds a policy: what each message must pass on a guarded socket (`guardUpgrades(server, wss, guard, { messages })` of
 * `countersign/ws`), or, on any other transport, what `policy.decide` is asked.
 * @throws MisuseError when its parts do not fit together
 */
export function messagePolicy<const A extends Actions>(options: PolicyOptions<A>): Policy<A> {
  return new Policy(options, options.clock ?? nodePlatform().clock)
}

/** A ticket in a URL is worth nothing to whoever reads the log; anything else is. The CSRF token of a cookie may stay. */
function refuseLongLivedInQuery(accept: readonly Method[]): void {
  const inQuery = (place: Carrier): boolean =>
    place.kind === 'handshake' && place.hides.query.length + place.hides.paths.length > 0
  const method = accept.find(({ name, from }) => name !== 'ticket' && from.some(inQuery))
  if (method === undefined) return
  throw new MisuseError(
    'invalid_option',
    `accept: ${method.name} would travel in URLs, which are logged; take tickets there, or set dangerouslyAllowInQuery`,
  )
}

/** A copy, held against RFC 6455 §7.4. @throws MisuseError for a code that may not be sent, or a reason that has none */
function closeCodesOf(codes: Partial<Readonly<Record<Reason, number>>>): Partial<Record<Reason, number>> {
  const closing = new Set<string>(
    Object.entries(reasons).flatMap(([word, row]) => (row.close === undefined ? [] : word)),
  )
  for (const [word, code] of Object.entries(codes)) {
    if (!closing.has(word)) {
      throw new MisuseError('invalid_option', 'closeCodes: only for reasons that close a socket')
    }
    if (!isValidCloseCode(code)) {
      throw new MisuseError(
        'invalid_option',
        `closeCodes: ${word} needs a code that may be sent, 1000 to 4999`,
      )
    }
  }
  return { ...codes }
}

/** Compiled once: one lookup a knock. @throws TypeError for what is no Origin */
function originList(patterns: readonly string[]): { allows(text: string): boolean } {
  const rules = compileOrigins(patterns)
  return { allows: (text) => allowsOrigin(rules, text) }
}

/** As `originList`, for `Host`. */
function hostList(list: readonly string[]): { allows(text: string): boolean } {
  const rules = compileHosts(list)
  return { allows: (text) => allowsHost(rules, text) }
}

function busOf(records: Records): Bus {
  const known = buses.get(records)
  if (known !== undefined) return known
  const bus = localBus()
  buses.set(records, bus)
  return bus
}

/** One for each set of limits: who asks for other limits gets counts of their own. */
function lockoutOf(records: Records, limits: LockoutLimits): Lockout {
  const known = lockouts.get(records) ?? new Map<string, Lockout>()
  lockouts.set(records, known)
  const key = Object.values(limits).join(' ')
  const lockout = known.get(key) ?? new Lockout(limits)
  known.set(key, lockout)
  return lockout
}

function nowhere(): void {
  // No journal was asked for.
}

export { authorization } from './carriers/authorization.ts'
export { cookie, type CookieOptions } from './carriers/cookie.ts'
export { challengeFrames, firstMessage, type FirstMessageOptions } from './carriers/first-message.ts'
export { path, type PathOptions } from './carriers/path.ts'
export { query } from './carriers/query.ts'
export { subprotocol } from './carriers/subprotocol.ts'
export { tls } from './carriers/tls.ts'
export { wampBearer, wampHello } from './carriers/wamp.ts'
export { localBus } from './bus/local.ts'
export { memory } from './stores/memory.ts'
export { MisuseError, OutageError, type MisuseCode, type OutageCode } from './core/errors.ts'
export { Guard, type SubjectCap } from './core/guard.ts'
export { maxTicketMs, prefixes } from './core/issue.ts'
export type {
  ApiKeyOptions,
  ChallengeSecretOptions,
  Issued,
  IssueFor,
  Issuer,
  PreauthOptions,
  SessionOptions,
  TicketOptions,
} from './core/issue-options.ts'
export { defaultLimits, type LimitOptions, type Limits } from './core/limits.ts'
export { defaultLockout, Lockout, type LockoutLimits } from './core/lockout.ts'
export type { MessageRate } from './core/message-rate.ts'
export type { Match } from './core/patterns.ts'
export type { Policy } from './core/policy.ts'
export {
  defaultMessageRate,
  defaultPolicyLimits,
  type ActionMessage,
  type ActionRule,
  type Actions,
  type Allowed,
  type Authorize,
  type Message,
  type MessageReason,
  type PassedMessage,
  type PolicyLimits,
  type PolicyOptions,
  type RefusedMessage,
  type ResourceOf,
  type Ruling,
  type ValueOf,
} from './core/policy-options.ts'
export { reasons, type Advice, type Reason, type Refusal } from './core/reasons.ts'
export { apiKeyGrant, grantOf, isSessionOver, sessionGrant, ticketGrant, touchEveryMs } from './core/rows.ts'
export type { RevokeOptions, RevokeTerms } from './core/revocation.ts'
export { sameText } from './core/same-text.ts'
export { addressRules } from './wire/range.ts'
export type { Carrier, HandshakeCarrier, Hiding, MessageCarrier, Search } from './core/carrier.ts'
export type { Credential, ReplyForm, TokenForm } from './core/credential.ts'
export type { Guess, GuessLimiter } from './core/guess.ts'
export type { Caller, Handshake, PeerCertificate } from './core/handshake.ts'
export type { Accepted, Decision, RefusalStyle, Refused } from './core/knock.ts'
export type { Lease, LeaseHolder } from './core/lease.ts'
export type { Phase } from './core/lease-life.ts'
export type { Method } from './core/method.ts'
export type {
  AddressRules,
  ApplicationCaller,
  ApplicationCheck,
  ApplicationVisitor,
  Bus,
  Challenge,
  Clock,
  Journal,
  JournalEntry,
  PasswordHasher,
  Platform,
  Revocation,
  Sealer,
} from './core/ports.ts'
export type { Grant, Principal } from './core/principal.ts'
export type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  MarkKind,
  MaybePromise,
  PublicKeyRow,
  Records,
  Salting,
  ScramDerivation,
  ScramKdf,
  ScramKeyRow,
  SessionPurpose,
  SessionRow,
  SpentRow,
  TicketPurpose,
  TicketRow,
} from './core/records.ts'
export { maxPublicKeys } from './core/records.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './core/standard-schema.ts'
export type { Accept, Deny, Verdict } from './core/verdict.ts'
