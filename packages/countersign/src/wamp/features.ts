/** What a client can do, as its HELLO announces it (WAMP, basic profile, "Role and feature announcement"). */
import { isDict, type Dict } from './messages.ts'
import type { RouterOptions } from './options.ts'
import type { CancelReply, Features } from './session.ts'

const roleNames = ['caller', 'callee', 'publisher', 'subscriber'] as const
type RoleName = (typeof roleNames)[number]

/** Where each flag is announced, in every spelling that is in use. */
const flags: Readonly<Record<keyof Features, readonly [role: RoleName, ...names: string[]]>> = {
  callerProgressiveResults: ['caller', 'progressive_call_results'],
  callerProgressiveInvocations: ['caller', 'progressive_call_invocations', 'progressive_calls'],
  callerPassthru: ['caller', 'payload_passthru_mode'],
  calleeCanceling: ['callee', 'call_canceling', 'call_cancelling'],
  calleeTimeout: ['callee', 'call_timeout'],
  calleeProgressiveResults: ['callee', 'progressive_call_results'],
  calleeProgressiveInvocations: ['callee', 'progressive_call_invocations', 'progressive_calls'],
  calleePassthru: ['callee', 'payload_passthru_mode'],
  calleeReroute: ['callee', 'call_reroute'],
  calleeRevocation: ['callee', 'registration_revocation'],
  publisherPassthru: ['publisher', 'payload_passthru_mode'],
  subscriberRevocation: ['subscriber', 'subscription_revocation'],
}

// The table has a row for each flag and no other.
const flagNames = Object.keys(flags) as readonly (keyof Features)[]

/** Features of clients that announce alike are one object: thousands of sessions share a handful. */
const shared = new Map<number, Features>()

/**
 * Reads HELLO `roles`.
 * @returns `undefined` when they break the protocol: none of the four, or one that is no dictionary of dictionaries
 */
export function featuresOf(details: Dict): Features | undefined {
  const roles = details['roles']
  if (!isDict(roles)) return undefined
  let announced = 0
  let bits = 0
  for (const name of roleNames) {
    const role = own(roles, name)
    if (role === undefined) continue
    if (!isRole(role)) return undefined
    announced++
    bits += bitsOf(name, role)
  }
  if (announced === 0) return undefined
  const revocation = bitOf('subscriberRevocation')
  if ((bits & revocation) !== 0 && isAutobahnPython(roles)) bits -= revocation
  return sharedFeatures(bits)
}

/** The flags that one role announces. */
function bitsOf(name: RoleName, role: Dict): number {
  const features = own(role, 'features')
  let bits = 0
  // Most clients announce little, many nothing.
  if (!isDict(features) || Object.keys(features).length === 0) return bits
  for (const flag of flagNames) {
    const row = flags[flag]
    if (row[0] === name && row.slice(1).some((spelling) => own(features, spelling) === true))
      bits |= bitOf(flag)
  }
  return bits
}

function bitOf(flag: keyof Features): number {
  return 1 << flagNames.indexOf(flag)
}

/**
 * Whether CANCEL is answered, for this client. `auto`: one that announces `call_canceling` as a caller and not as a callee,
 * and does not name its `agent`, forgets a call as soon as it cancels it, and drops the connection on any answer.
 */
export function cancelReplyOf(details: Dict, setting: RouterOptions['cancelReply']): CancelReply {
  if (setting === 'always') return 'always'
  if (setting === 'never') return 'kill_only'
  const roles = details['roles']
  if (!isDict(roles) || typeof details['agent'] === 'string') return 'always'
  const cancels = (role: RoleName): boolean =>
    flags.calleeCanceling.some((name) => announces(roles, role, name))
  return cancels('caller') && own(roles, 'callee') !== undefined && !cancels('callee')
    ? 'kill_only'
    : 'always'
}

/** One bit a flag names the combination. */
function sharedFeatures(bits: number): Features {
  const known = shared.get(bits)
  if (known !== undefined) return known
  const has = (flag: keyof Features): boolean => (bits & bitOf(flag)) !== 0
  const features: Features = {
    callerProgressiveResults: has('callerProgressiveResults'),
    callerProgressiveInvocations: has('callerProgressiveInvocations'),
    callerPassthru: has('callerPassthru'),
    calleeCanceling: has('calleeCanceling'),
    calleeTimeout: has('calleeTimeout'),
    calleeProgressiveResults: has('calleeProgressiveResults'),
    calleeProgressiveInvocations: has('calleeProgressiveInvocations'),
    calleePassthru: has('calleePassthru'),
    calleeReroute: has('calleeReroute'),
    calleeRevocation: has('calleeRevocation'),
    publisherPassthru: has('publisherPassthru'),
    subscriberRevocation: has('subscriberRevocation'),
  }
  shared.set(bits, features)
  return features
}

/**
 * Autobahn|Python announces `subscription_revocation`, yet drops its connection on UNSUBSCRIBED without a request. A
 * feature that it alone announces tells it from others.
 */
function isAutobahnPython(roles: Dict): boolean {
  return announces(roles, 'publisher', 'x_acknowledged_event_delivery')
}

/** Flags are booleans; anything else announces nothing. */
function announces(roles: Dict, role: RoleName, feature: string): boolean {
  const announced = own(roles, role)
  const features = isDict(announced) ? own(announced, 'features') : undefined
  return isDict(features) && own(features, feature) === true
}

function isRole(value: unknown): value is Dict {
  if (!isDict(value)) return false
  const features = own(value, 'features')
  return features === undefined || features === null || isDict(features)
}

/** A dictionary of the wire may hold any name; what every object inherits is not among its members. */
function own(dict: Dict, name: string): unknown {
  return Object.hasOwn(dict, name) ? dict[name] : undefined
}
