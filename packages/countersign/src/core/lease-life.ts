/** Life after acceptance as a reducer: state + event → state + commands. Nothing here knows a socket or a clock. */
import type { Reason } from './reasons.ts'

/**
 * - `pending`: registered, so that a revocation finds it, but not open
 * - `live`: may speak
 * - `due`: may speak, was warned that the end is near, may refresh
 * - `ended`: final
 */
export type Phase = 'pending' | 'live' | 'due' | 'ended'

/** What a lease's life depends on; all instants in ms since the epoch. */
export interface LeaseState {
  readonly phase: Phase
  /** End of validity. */
  readonly untilMs: number
  /** No refresh passes this instant. */
  readonly neverAfterMs: number
  /** How long before the end the holder is warned. */
  readonly warnMs: number
  /** How long an expired lease may still speak, waiting for a refresh. */
  readonly graceMs: number
  /** Revoked, with a margin until it is enforced; only a refresh by something issued since lifts it. */
  readonly doom: Doom | undefined
}

/** An end that has been announced. It knows no grace. */
export interface Doom {
  readonly endsAtMs: number
  readonly reason: Reason
}

/** What may happen to a lease. Every cause of an end is an event to this one reducer. */
export type LeaseEvent =
  | { readonly kind: 'opened' }
  /** Time has passed: anything due is done. */
  | { readonly kind: 'tick' }
  /** Revoked, to be enforced at an instant: the holder is told how long it has. */
  | ({ readonly kind: 'doomed' } & Doom)
  /** A fresh credential of the same subject was accepted, which no revocation names. */
  | { readonly kind: 'refreshed'; readonly untilMs: number; readonly neverAfterMs: number }
  /** Revocation, logout, supersession, shutdown. */
  | { readonly kind: 'ended'; readonly reason: Reason }
  /** The connection is gone: nobody is left to be told. */
  | { readonly kind: 'left' }

/** What the holder must do. */
export type LeaseCommand =
  { readonly kind: 'warn'; readonly inMs: number } | { readonly kind: 'close'; readonly reason: Reason }

/** A step: the next state and what to do. */
export interface LeaseStep {
  readonly state: LeaseState
  readonly commands: readonly LeaseCommand[]
}

const none: readonly LeaseCommand[] = []

/** Applies one event. Total: an event that has no meaning in a phase changes nothing, and `ended` is final. */
export function reduceLease(state: LeaseState, event: LeaseEvent, now: number): LeaseStep {
  if (state.phase === 'ended') return { state, commands: none }
  switch (event.kind) {
    case 'ended':
      return end(state, event.reason)
    case 'left':
      return { state: inPhase(state, 'ended'), commands: none }
    case 'opened':
      return state.phase === 'pending' ? passTime(inPhase(state, 'live'), now) : { state, commands: none }
    case 'doomed':
      return doom(state, event, now)
    case 'tick':
      return state.phase === 'pending' ? { state, commands: none } : passTime(state, now)
    case 'refreshed':
      return refresh(state, event, now)
  }
}

/** When the reducer next has something to do; `Infinity` when never. */
export function nextTickMs(state: LeaseState): number {
  switch (state.phase) {
    case 'pending':
    case 'ended':
      return Infinity
    case 'live':
      return state.untilMs - state.warnMs
    case 'due':
      return hardEndMs(state)
  }
}

/** Instant at which an unrefreshed lease closes: validity and grace, never past the absolute limit or its doom. */
export function hardEndMs(state: LeaseState): number {
  const endsAtMs = Math.min(state.untilMs + state.graceMs, state.neverAfterMs)
  return state.doom === undefined ? endsAtMs : Math.min(endsAtMs, state.doom.endsAtMs)
}

/**
 * What is due by now, and one thing at a time: a lease that was forgotten past its end closes without a
 * warning.
 */
function passTime(state: LeaseState, now: number): LeaseStep {
  if (now >= hardEndMs(state)) return end(state, whyOver(state))
  if (state.phase === 'live' && now >= state.untilMs - state.warnMs) {
    const inMs = Math.max(0, state.untilMs - now)
    return { state: inPhase(state, 'due'), commands: [{ kind: 'warn', inMs }] }
  }
  return { state, commands: none }
}

/** Of two announced ends the nearer one holds. One that is not open has nobody to be warned: it ends at once. */
function doom(state: LeaseState, { endsAtMs, reason }: Doom, now: number): LeaseStep {
  if (endsAtMs <= now || state.phase === 'pending') return end(state, reason)
  if (state.doom !== undefined && state.doom.endsAtMs <= endsAtMs) return passTime(state, now)
  const doomed: LeaseState = { ...inPhase(state, 'due'), doom: { endsAtMs, reason } }
  if (now >= hardEndMs(doomed)) return end(doomed, whyOver(doomed))
  return { state: doomed, commands: [{ kind: 'warn', inMs: hardEndMs(doomed) - now }] }
}

/** Which of its ends has come: the nearest one. */
function whyOver(state: LeaseState): Reason {
  const { doom: announced } = state
  return announced !== undefined && announced.endsAtMs === hardEndMs(state)
    ? announced.reason
    : 'lease_expired'
}

/** The absolute limit only ever comes nearer: a certificate that ends sooner binds, one that ends later does not. */
function refresh(
  state: LeaseState,
  fresh: { readonly untilMs: number; readonly neverAfterMs: number },
  now: number,
): LeaseStep {
  if (now >= hardEndMs(state)) return end(state, whyOver(state))
  const neverAfterMs = Math.min(fresh.neverAfterMs, state.neverAfterMs)
  const untilMs = Math.min(fresh.untilMs, neverAfterMs)
  const phase = state.phase === 'pending' ? 'pending' : 'live'
  const { warnMs, graceMs } = state
  return passTime({ phase, untilMs, neverAfterMs, warnMs, graceMs, doom: undefined }, now)
}

/** The one way out, with the reason that the holder closes by. */
function end(state: LeaseState, reason: Reason): LeaseStep {
  return { state: inPhase(state, 'ended'), commands: [{ kind: 'close', reason }] }
}

/** Member by member: a spread would copy all that the caller's object holds besides. */
function inPhase(state: LeaseState, phase: Phase): LeaseState {
  const { untilMs, neverAfterMs, warnMs, graceMs, doom: announced } = state
  return { phase, untilMs, neverAfterMs, warnMs, graceMs, doom: announced }
}
