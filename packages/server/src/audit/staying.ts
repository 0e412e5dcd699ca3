/** An open socket for checks that do not care whose it is. */
import type { Scene } from './check.ts'
import type { Changes, Stay } from './oracle.ts'
import { anonymous } from './presented.ts'

/** Enters as whoever gets in: `low` where it does, else nobody. The view says whether it went well. */
export async function stayAsSomebody({ oracle, low, baseline }: Scene, changes: Changes = {}): Promise<Stay> {
  const enters = low !== undefined && baseline.low?.view.kind === 'open'
  return oracle.stay(enters ? await low.present() : anonymous, changes)
}

/** The same without finding out who one is there: for many sockets after a first one. */
export async function enterAsSomebody({ oracle, low, baseline }: Scene): Promise<Stay> {
  const enters = low !== undefined && baseline.low?.view.kind === 'open'
  return oracle.enter(enters ? await low.present() : anonymous)
}

/** What a check says when nobody gets in. */
export const nobodyGetsIn = 'a way into the socket: nobody of the configuration gets in'
