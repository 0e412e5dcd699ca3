/** What cases need of the page around them, and tell it. */
import type { Attack } from './attack.ts'
import type { DoorId, Engine } from './case.ts'
import type { LabFacts } from './facts.ts'
import type { Measured } from './outcome.ts'

/** State of a gate on the page. */
export type GateState = 'idle' | 'knocking' | 'open' | 'refused' | 'closing'

/** What cases need of the page around them. */
export interface Surroundings {
  readonly facts: LabFacts
  readonly engine: Engine
  readonly username: string
  /** Lets the hostile site knock at a door. */
  readonly attack: Attack
  readonly showGate: (door: DoorId, state: GateState) => void
  /** Tells of the lease on a socket that a case holds open: until when, or how it ended. */
  readonly showLease: (door: DoorId, caseId: string, news: LeaseNews) => void
}

/** What becomes of a lease, as the page sees it. */
export type LeaseNews =
  | { readonly kind: 'open'; readonly endsAtMs: number }
  | { readonly kind: 'ended'; readonly measured: Measured }
  /** The page closed the socket itself. */
  | { readonly kind: 'left' }
