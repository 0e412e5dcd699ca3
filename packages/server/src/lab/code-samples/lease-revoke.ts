import type { Guard } from 'countersign'

/** Whatever this subject has opened closes with 3003 revoked, and what it was issued before opens nothing more. */
export async function throwOut(guard: Guard, subject: string): Promise<void> {
  await guard.revoke({ subject })
}

/** One socket alone, by the id that its ticket was answered with. */
export async function hangUp(guard: Guard, lease: string): Promise<void> {
  await guard.revoke({ lease })
}
