/** Options of the receiver of security events, and the rules that they compile to. */
import { checkWhole, MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { MaybePromise } from '../core/records.ts'
import type { GrantNames } from './grant-names.ts'
import type { JwtAlgorithm } from './jwt-algorithms.ts'
import type { KeySource } from './jwt-keys.ts'
import { algorithmsOf, checkNaming, issuersOf, textsOf } from './jwt-options.ts'
import type { Signing } from './jwt-signature.ts'

/** What the receiver asks of a guard; every guard has it. */
export type EventGuard = Pick<Guard, 'now' | 'converse' | 'revoke' | 'note' | 'failed'>

/** Names of the application's own: one, several, or nobody whom it knows. */
export type OwnNames = string | readonly string[] | undefined

/** One issuer whose word ends something. What decides who is believed has no default. */
export interface EventIssuer {
  /** For whom its tokens are: one of these must be in `aud`. The client's id for logout tokens. */
  readonly audience: string | readonly string[]
  /** What may be in `alg`. */
  readonly algorithms: readonly JwtAlgorithm[]
  /** Its keys, of the algorithms' kind: `jwks`, `localJwks` or `hmacSecret`. */
  readonly keys: KeySource
  /**
   * What a logout token with both `sid` and `sub` ends: that session, or everything of the subject that is older. `subject` is
   * for providers whose access tokens have no `sid`: no socket rests on a session that its token does not name.
   * @default 'session'
   */
  readonly logoutEnds?: 'session' | 'subject'
  /** Other issuers about whose subjects it may speak (`iss` of a subject identifier). @default none: its own only */
  readonly subjectIssuers?: readonly string[]
  /**
   * Longest time since `iat`, ms, at most a week. Who delivers late, after an outage for instance, needs more: an old event
   * ends only what is older. @default 120_000
   */
  readonly maxAgeMs?: number
  /**
   * Takes logout tokens whose `typ` is `JWT` or absent, from providers that know no `logout+jwt`. Whatever else such a
   * provider signs is then told apart by its claims alone. @default false
   */
  readonly dangerouslyAllowUntyped?: boolean
  /** Takes logout tokens without `exp`, which the final specification demands; `iat` must be fresh all the same. @default false */
  readonly dangerouslyAllowWithoutExpiry?: boolean
}

/** Options of `securityEvents`. */
export interface SecurityEventsOptions {
  /** Any guard over the records in which the sessions are; its bus tells the others. */
  readonly guard: EventGuard
  /** Who may speak, by `iss`, compared exactly. */
  readonly issuers: Readonly<Record<string, EventIssuer>>
  /**
   * What grants call the subjects, sessions and tokens of these issuers: the same word as in `jwt`. Several issuers need
   * `issuer`, or `subjectOf` and `sessionOf`: else one could end what is another's. @default 'plain'
   */
  readonly names?: GrantNames
  /**
   * The application's own name for somebody, where it has one of its own; `undefined` for whom it does not know. A throw
   * is an outage: the sender is told to come again. @default what `names` says
   */
  readonly subjectOf?: (issuer: string, sub: string) => MaybePromise<OwnNames>
  /** As `subjectOf`, for the sessions that came of a session at the issuer (`sid`). @default what `names` says */
  readonly sessionOf?: (issuer: string, sid: string) => MaybePromise<OwnNames>
  /**
   * As `subjectOf`, for subject identifiers of other formats (`email`, `account`, `opaque`, …; RFC 9493 §3). Bounded, and
   * no more checked than that. @default none: events about them are refused
   */
  readonly identifierOf?: (
    issuer: string,
    identifier: Readonly<Record<string, unknown>>,
  ) => MaybePromise<OwnNames>
  /** Whether a stream was to be verified with this `state`; `false` answers `invalid_state`. @default every state is right */
  readonly isExpectedState?: (
    issuer: string,
    stream: string,
    state: string | undefined,
  ) => MaybePromise<boolean>
  /** Told when an issuer pauses, ends or resumes a stream: from a paused one nothing is heard. Must not throw. */
  readonly onStream?: (issuer: string, stream: string, status: StreamStatus) => void
  /** How far an issuer's clock may be ahead, ms, at most 59,000. @default 5_000 */
  readonly clockToleranceMs?: number
}

/** State of a stream (OpenID Shared Signals Framework 1.0 §8.1.2). */
export type StreamStatus = 'enabled' | 'paused' | 'disabled'

/** One issuer, compiled. */
export interface IssuerRules {
  readonly issuer: string
  readonly audiences: ReadonlySet<string>
  readonly signing: Signing
  /** Itself, and whose subjects it may name. */
  readonly speaksFor: ReadonlySet<string>
  readonly logoutEnds: 'session' | 'subject'
  readonly maxAgeMs: number
  readonly untyped: boolean
  readonly withoutExpiry: boolean
}

/** Options, checked and compiled. */
export interface EventRules {
  readonly issuers: ReadonlyMap<string, IssuerRules>
  readonly toleranceMs: number
  /** Whether identifiers of formats that only the application understands can be followed. */
  readonly understandsOthers: boolean
}

const defaults = Object.freeze({ maxAgeMs: 120_000, clockToleranceMs: 5_000 })
const weekMs = 7 * 86_400_000
/** More is a clock to be repaired. */
const maxToleranceMs = 59_000

/** Checks and compiles. @throws MisuseError when an option is missing or impossible */
export function eventRules(options: SecurityEventsOptions): EventRules {
  const { clockToleranceMs = defaults.clockToleranceMs } = options
  checkWhole('securityEvents: clockToleranceMs', clockToleranceMs, [0, maxToleranceMs])
  const issuers = Object.entries(options.issuers)
  checkApart(options, issuers)
  return {
    issuers: new Map(issuers.map(([issuer, one]) => [issuer, compiled(issuer, one)])),
    toleranceMs: clockToleranceMs,
    understandsOthers: options.identifierOf !== undefined,
  }
}

/** Names of two issuers must not be one name here. */
function checkApart(
  { names, subjectOf, sessionOf }: SecurityEventsOptions,
  issuers: readonly (readonly [string, EventIssuer])[],
): void {
  if (issuers.length === 0)
    throw new MisuseError('invalid_option', 'securityEvents: issuers must not be empty')
  const spoken = new Set(issuers.flatMap(([issuer, { subjectIssuers = [] }]) => [issuer, ...subjectIssuers]))
  if (names === 'issuer') checkNaming([...spoken])
  else if (spoken.size > 1 && (subjectOf === undefined || sessionOf === undefined)) {
    throw new MisuseError(
      'invalid_option',
      "securityEvents: several issuers need names: 'issuer', as in jwt, or subjectOf and sessionOf",
    )
  }
}

function compiled(issuer: string, one: EventIssuer): IssuerRules {
  const { maxAgeMs = defaults.maxAgeMs } = one
  checkWhole('securityEvents: maxAgeMs', maxAgeMs, [1_000, weekMs])
  const signing = issuersOf(textsOf(issuer, 'issuer'), one.keys, algorithmsOf(one.algorithms)).get(issuer)
  if (signing === undefined) throw new MisuseError('invalid_option', 'securityEvents: an issuer without keys')
  return {
    issuer,
    audiences: new Set(textsOf(one.audience, 'audience')),
    signing,
    speaksFor: new Set([issuer, ...(one.subjectIssuers ?? [])]),
    logoutEnds: one.logoutEnds ?? 'session',
    maxAgeMs,
    untyped: one.dangerouslyAllowUntyped ?? false,
    withoutExpiry: one.dangerouslyAllowWithoutExpiry ?? false,
  }
}
