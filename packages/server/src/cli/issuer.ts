/** A guard that no socket ever meets: it issues and revokes over a database. */
import { createGuard, query, type Guard, type Records } from 'countersign'
import { ticket } from 'countersign/methods'
import { CommandError, exitCodes, usageError } from './exit-codes.ts'

/** The issuing side of a database. */
export function issuerOver(records: Records): Guard {
  // A guard must accept something; nothing ever knocks here.
  return createGuard({ records, accept: [ticket({ from: query() })], name: 'command line' })
}

/** A subject that credentials are issued for. @throws CommandError usage */
export function checkSubject(subject: string): string {
  if (subject.length < 1 || subject.length > 256 || /\p{Cc}/u.test(subject)) {
    throw usageError('--subject: 1 to 256 characters, none of them a control character')
  }
  return subject
}

/** Roles of `--role`. @throws CommandError usage */
export function checkRoles(roles: readonly string[]): readonly string[] {
  const wrong = roles.find((role) => !/^[\w.:-]{1,64}$/.test(role))
  if (wrong !== undefined)
    throw usageError(`--role ${JSON.stringify(wrong)}: letters, digits and . : - _, at most 64`)
  return [...new Set(roles)]
}

/** What the subject's account says about roles, if it has one. @throws CommandError failed when it is disabled */
export async function rolesFor(
  records: Records,
  subject: string,
  given: readonly string[],
): Promise<readonly string[]> {
  const account = await records.findAccount(subject)
  if (account?.disabled === true) {
    throw new CommandError(
      exitCodes.failed,
      `${subject} is disabled; "countersign user enable ${subject}" lets them in again`,
    )
  }
  return given.length > 0 ? checkRoles(given) : (account?.roles ?? [])
}
