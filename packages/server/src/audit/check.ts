/** What a check is: a question to a target, with everything a report must say about it. */
import type { Budget } from './budget.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { Exchange } from './exchange.ts'
import type { Identity } from './identity.ts'
import type { AuditOptions } from './options.ts'
import type { Oracle, Sight } from './oracle.ts'
import type { Endpoint } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** `P` a normal client's traffic, `A` a few extra handshakes or messages, `S` changes state by declared canaries, `I` intrusive. */
export type SafetyClass = 'P' | 'A' | 'S' | 'I'

/** How bad a finding is. */
export type Severity = (typeof severityNames)[number]

/** From worst to least. */
export const severityNames = ['critical', 'high', 'medium', 'low'] as const

/** What a check found. */
export interface Finding {
  /** One sentence: what was seen. */
  readonly says: string
  readonly severity: Severity
  readonly confidence: 'high' | 'medium' | 'low'
  /** The message, cookie or path concerned: a part of the fingerprint. */
  readonly subject?: string
  /** The exchanges that prove it. */
  readonly exchanges: readonly Exchange[]
}

/** How a check ended. */
export type Outcome =
  | { readonly kind: 'pass'; readonly says: string; readonly exchanges?: readonly Exchange[] }
  | { readonly kind: 'fail'; readonly findings: readonly Finding[] }
  /** Worth knowing, and no finding. */
  | { readonly kind: 'info'; readonly says: string; readonly exchanges?: readonly Exchange[] }
  /** A precondition is missing. */
  | { readonly kind: 'not tested'; readonly missing: string }
  | { readonly kind: 'inconclusive'; readonly says: string; readonly exchanges?: readonly Exchange[] }

/** The cure, in words and in code. */
export interface Remedy {
  readonly text: string
  readonly ws: string
  readonly socketIo: string
  readonly countersign: string
}

/** What was seen before any check, with a good client's attempts. */
export interface Baseline {
  readonly anonymous: Sight
  readonly low: Sight | undefined
  readonly high: Sight | undefined
}

/** Everything that a check may use. */
export interface Scene {
  readonly endpoint: Endpoint
  readonly dialect: Dialect
  readonly oracle: Oracle
  readonly budget: Budget
  /** For visits and page requests of the check's own. */
  readonly needs: VisitNeeds
  readonly options: AuditOptions
  readonly low: Identity | undefined
  readonly high: Identity | undefined
  readonly baseline: Baseline
}

/** A precondition of a check. */
export interface Need {
  /** What is missing when it is not met, as the rest of "not tested: …". */
  readonly missing: string
  met(scene: Scene): boolean
}

/** One check. */
export interface Check {
  /** `O1`; stable for ever. */
  readonly id: string
  readonly title: string
  /** Numbers of the Common Weakness Enumeration. */
  readonly cwe: readonly number[]
  /** Requirements of the Application Security Verification Standard 5.0. */
  readonly asvs: readonly string[]
  readonly safety: SafetyClass
  readonly needs: readonly Need[]
  /** Why it matters, for whoever reads the report. */
  readonly why: string
  readonly remedy: Remedy
  /** Spends its time waiting: runs beside others from the start. */
  readonly waits?: boolean
  /** Ends sessions, uses accounts up or needs quiet: runs when no other check does, in the order of the catalogue. */
  readonly lastly?: boolean
  /** May bring a weak target down: runs last. */
  readonly crashes?: boolean
  /** Asks the target. What it opens it leaves. @throws BudgetSpent, LoginFailed */
  run(scene: Scene): Promise<Outcome>
}
