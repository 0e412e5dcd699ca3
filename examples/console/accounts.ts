/** Who may log in to the demonstration. The passwords are public, which is why the program listens on loopback only. */

/** Roles, from the least to the most. */
export const roles = ['viewer', 'operator', 'admin'] as const

/** What somebody is here. */
export type Role = (typeof roles)[number]

/** One account. */
export interface Account {
  readonly username: string
  readonly password: string
  readonly role: Role
}

/** One account for each role. */
export const accounts: readonly [Account, ...Account[]] = [
  { username: 'vera', password: 'vera may look', role: 'viewer' },
  { username: 'otto', password: 'otto may restart', role: 'operator' },
  { username: 'ada', password: 'ada may do it all', role: 'admin' },
]

/** Names of all accounts. */
export const usernames: readonly string[] = accounts.map(({ username }) => username)
