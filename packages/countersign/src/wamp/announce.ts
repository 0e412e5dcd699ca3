/** What the router announces in WELCOME `roles`: what it implements, each flag strictly `true`. */
import { constant } from './codec-constant.ts'
import type { Dict } from './messages.ts'

// Clients choose what they do by these names: one too many makes them send what is refused, one too few what is missed.
const broker: readonly string[] = [
  'event_retention',
  'pattern_based_subscription',
  'payload_passthru_mode',
  'publication_trustlevels',
  'publisher_exclusion',
  'publisher_identification',
  'subscriber_blackwhite_listing',
  'subscription_revocation',
]

const dealer: readonly string[] = [
  'call_canceling',
  'call_reroute',
  'call_timeout',
  'call_trustlevels',
  'caller_identification',
  'pattern_based_registration',
  'payload_passthru_mode',
  'progressive_call_invocations',
  'progressive_call_results',
  'registration_revocation',
  'shared_registration',
]

// A history is read by a procedure of the meta API alone.
const brokerMeta: readonly string[] = ['event_history', 'session_meta_api', 'subscription_meta_api']
const dealerMeta: readonly string[] = ['registration_meta_api', 'session_meta_api', 'testament_meta_api']

/** `roles` of a realm that answers the meta API. */
const withMeta: Dict = rolesOf([...broker, ...brokerMeta], [...dealer, ...dealerMeta])
/** `roles` of a realm that does not. */
const withoutMeta: Dict = rolesOf(broker, dealer)

/** Roles and features for WELCOME: one object for all sessions of a kind. */
export function routerRoles(metaApi: boolean): Dict {
  return metaApi ? withMeta : withoutMeta
}

function rolesOf(ofBroker: readonly string[], ofDealer: readonly string[]): Dict {
  // WELCOME is most of what a join writes, and this most of WELCOME: its bytes are made once.
  return constant(Object.freeze({ broker: roleOf(ofBroker), dealer: roleOf(ofDealer) }))
}

function roleOf(names: readonly string[]): Dict {
  return Object.freeze({ features: Object.freeze(Object.fromEntries(names.map((name) => [name, true]))) })
}
