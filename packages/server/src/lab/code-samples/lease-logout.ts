import type { Guard } from 'countersign'

/** In your logout code, with the id that `guard.issue.session` answered at the login. */
export async function logOut(guard: Guard, session: string): Promise<void> {
  // Every socket that this login has opened closes with 3003 logged_out, at every guard of these records.
  await guard.revoke({ session }, 'logged_out')
}
