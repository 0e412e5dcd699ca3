/** How checks say how they ended. */
import type { Finding, Outcome } from './check.ts'
import type { Exchange } from './exchange.ts'

/** Nothing found. */
export function pass(says: string, ...exchanges: readonly Exchange[]): Outcome {
  return { kind: 'pass', says, exchanges }
}

/** Nothing found, and worth knowing. */
export function info(says: string, ...exchanges: readonly Exchange[]): Outcome {
  return { kind: 'info', says, exchanges }
}

/** Nothing can be said. */
export function inconclusive(says: string, ...exchanges: readonly Exchange[]): Outcome {
  return { kind: 'inconclusive', says, exchanges }
}

/** A precondition is missing. */
export function notTested(missing: string): Outcome {
  return { kind: 'not tested', missing }
}

/** Holes, or what else holds when there are none. */
export function failOr(findings: readonly Finding[], otherwise: Outcome): Outcome {
  return findings.length > 0 ? { kind: 'fail', findings } : otherwise
}

/** One finding of high confidence. */
export function finding(
  severity: Finding['severity'],
  says: string,
  more: Pick<Finding, 'exchanges'> & Partial<Finding>,
): Finding {
  return { says, severity, confidence: 'high', ...more }
}
