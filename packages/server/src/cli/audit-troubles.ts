/** What can go wrong with an audit, as an end of the command. */
import { BudgetSpent } from '../audit/budget.ts'
import { NoEndpoint } from '../audit/find-endpoint.ts'
import { OutOfScope, Unresolved } from '../audit/scope.ts'
import { auditExits } from '../reports/exit.ts'
import { CommandError, usageError } from './exit-codes.ts'

/** The error in words for people; one that is not the audit's own stays as it is. */
export function auditTrouble(error: unknown): unknown {
  if (error instanceof OutOfScope || error instanceof NoEndpoint) return usageError(error.message)
  if (error instanceof Unresolved) return new CommandError(auditExits.unreachable, error.message)
  if (error instanceof BudgetSpent) return new CommandError(auditExits.incomplete, error.message)
  return error
}
