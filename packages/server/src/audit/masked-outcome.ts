/** Outcomes without secrets, whatever a check has put into them. */
import type { Finding, Outcome } from './check.ts'
import type { Exchange } from './exchange.ts'
import type { Masking } from './masking.ts'

/** The outcome with everything hidden that is known to be secret by now: some secrets are learned late. */
export function maskOutcome(outcome: Outcome, masking: Masking): Outcome {
  if (outcome.kind === 'not tested') return { ...outcome, missing: masking.hideKnown(outcome.missing) }
  if (outcome.kind === 'fail')
    return { ...outcome, findings: outcome.findings.map((finding) => maskFinding(finding, masking)) }
  const { exchanges } = outcome
  return {
    ...outcome,
    says: masking.hideKnown(outcome.says),
    ...(exchanges === undefined
      ? {}
      : { exchanges: exchanges.map((exchange) => maskExchange(exchange, masking)) }),
  }
}

function maskFinding(finding: Finding, masking: Masking): Finding {
  const { says, subject, exchanges } = finding
  return {
    ...finding,
    says: masking.hideKnown(says),
    ...(subject === undefined ? {} : { subject: masking.hideKnown(subject) }),
    exchanges: exchanges.map((exchange) => maskExchange(exchange, masking)),
  }
}

function maskExchange(exchange: Exchange, masking: Masking): Exchange {
  return exchange.map((line) => ({ ...line, text: masking.hideKnown(line.text) }))
}
