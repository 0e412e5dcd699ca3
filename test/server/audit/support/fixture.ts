/** What each check is tested on: a target with the hole, the same target without it, and ways to break the check. */
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import type { Target } from './site.ts'

/** A change of a check's source after which its fixture must notice. */
export interface Mutant {
  /** Stands in the source exactly once. */
  readonly find: string
  readonly replace: string
}

/** Two targets for one check. */
export interface Fixture {
  /** Id of the check. */
  readonly check: string
  /** The file in `audit/checks`, without `.ts`. */
  readonly file: string
  /** Its exported name. */
  readonly name: string
  /** What is different about this pair, where a check has several. */
  readonly about?: string
  /** Beside those of the target. */
  readonly options?: AuditOptions
  readonly vulnerable: () => Promise<Target>
  readonly fixed: () => Promise<Target>
  /** How the fixed one ends. @default 'pass' */
  readonly fixedAs?: 'pass' | 'info' | 'inconclusive'
  /** How the vulnerable one ends, where nothing can be judged. @default 'fail' */
  readonly foundAs?: 'fail' | 'info' | 'inconclusive'
  readonly mutants: readonly Mutant[]
}
