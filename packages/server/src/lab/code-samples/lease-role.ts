import type { AccountRow, Guard, Records } from 'countersign'

/** First the row, then the revocation: whoever connects in between does so with the roles of now. */
export async function setRoles(
  records: Records,
  guard: Guard,
  { account, roles }: { readonly account: AccountRow; readonly roles: readonly string[] },
): Promise<void> {
  await records.putAccount({ ...account, roles, changedAtMs: Date.now() })
  await guard.revoke({ subject: account.username })
}
