/** Who may come in. The nickname is the account's name: nobody chooses one when they speak. */
import type { PasswordHasher, Records } from 'countersign'

/** Someone of the demonstration. */
export interface Account {
  readonly nickname: string
  readonly password: string
  readonly roles: readonly string[]
}

/** Their passwords stand here and on the login page: replace them before anyone else can reach the chat. */
export const accounts: readonly Account[] = [
  { nickname: 'mara', password: 'copper-harbour-19', roles: ['member'] },
  { nickname: 'teo', password: 'slow-lantern-42', roles: ['member'] },
  { nickname: 'ines', password: 'paper-orchard-77', roles: ['member'] },
  { nickname: 'otto', password: 'granite-ferry-08', roles: ['moderator'] },
]

/** All nicknames. */
export const nicknames: ReadonlySet<string> = new Set(accounts.map(({ nickname }) => nickname))

/** Puts the accounts into the records, their passwords as hashes. */
export async function addAccounts(records: Records, passwords: PasswordHasher): Promise<void> {
  for (const { nickname, password, roles } of accounts) {
    const passwordHash = await passwords.hash(password)
    await records.putAccount({
      username: nickname,
      roles,
      passwordHash,
      disabled: false,
      changedAtMs: Date.now(),
    })
  }
}
