/** `@countersign/server/audit`: audits from a program of one's own, and their reports. */
export { audit, type Report, type Result } from '../audit/audit.ts'
export { defaultAllowance, type Allowance, type Spent } from '../audit/budget.ts'
export type { Check, Finding, Outcome, Remedy, SafetyClass, Severity } from '../audit/check.ts'
export { checks } from '../audit/checks.ts'
export type { Exchange, Line } from '../audit/exchange.ts'
export { NoEndpoint } from '../audit/find-endpoint.ts'
export type {
  AuditOptions,
  Canary,
  FormOptions,
  Hook,
  LoginOptions,
  TokenOptions,
  TokenPlace,
  Trigger,
  Whoami,
} from '../audit/options.ts'
export type { Endpoint, Protocol } from '../audit/target.ts'
export { OutOfScope, parseAllowList, Unresolved } from '../audit/scope.ts'
export { readBaseline } from './baseline.ts'
export { findingsOf, type Listed } from './findings.ts'
export type { SarifPlace } from './sarif.ts'
export { toTerminal, type Paint, type TerminalOptions } from './terminal.ts'
export { writeReport, type ReportFormat, type WriteOptions } from './write.ts'
