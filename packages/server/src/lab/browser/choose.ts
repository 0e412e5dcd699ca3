import type { LabCase, Need, RunOptions } from './case.ts'
import type { Trust } from './trust.ts'

/** What this browser has been given. */
export interface Possessions {
  readonly clientCertificate: boolean
  /** Whether it trusts the authority behind the lab's TLS door. */
  readonly trust: Trust
}

const meets: Readonly<Record<Need, (has: Possessions) => boolean>> = {
  'client-certificate': ({ clientCertificate }) => clientCertificate,
  'trust-without-certificate': ({ clientCertificate, trust }) => trust === 'yes' && !clientCertificate,
  'no-trust': ({ clientCertificate, trust }) => trust === 'no' && !clientCertificate,
}

/** The cases that these options choose and this browser can run, in table order. */
export function chooseCases(
  cases: readonly LabCase[],
  { only, slow = false }: RunOptions,
  has: Possessions,
): readonly LabCase[] {
  const wanted = (one: LabCase): boolean =>
    only === undefined
      ? slow || !one.slow
      : only.includes(one.id) || (only.includes(one.door) && (slow || !one.slow))
  return cases.filter((one) => wanted(one) && (one.needs === undefined || meets[one.needs](has)))
}
