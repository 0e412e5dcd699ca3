/** What WELCOME announces is what there is: no flag without its feature, and none that only a larger router has. */
import { describe, expect, test } from 'vitest'
import type { Dict } from '../../../packages/countersign/src/wamp/messages.ts'
import { Room, ruleFor } from './router-room.ts'

const ofBroker = [
  'event_retention',
  'pattern_based_subscription',
  'payload_passthru_mode',
  'publication_trustlevels',
  'publisher_exclusion',
  'publisher_identification',
  'subscriber_blackwhite_listing',
  'subscription_revocation',
]
const ofDealer = [
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

const rules = [ruleFor('', 'call', 'register', 'publish', 'subscribe')]
const roomOf = (metaApi: boolean): Room =>
  new Room({ realms: [{ name: 'realm1', metaApi, roles: [{ name: 'anonymous', rules }] }] })

/** Flags of a role, each of which must be `true`. */
function flagsOf(room: Room, role: 'broker' | 'dealer'): readonly string[] {
  const roles = room.member().welcome.details['roles'] as Readonly<
    Record<string, { readonly features: Dict }>
  > // of ours
  const features = roles[role]?.features ?? {}
  expect(new Set(Object.values(features))).toEqual(new Set([true]))
  return Object.keys(features).sort()
}

describe('a realm with the meta API', () => {
  test('announces all that it does', () => {
    const room = roomOf(true)
    expect(flagsOf(room, 'broker')).toEqual(
      [...ofBroker, 'event_history', 'session_meta_api', 'subscription_meta_api'].sort(),
    )
    expect(flagsOf(room, 'dealer')).toEqual(
      [...ofDealer, 'registration_meta_api', 'session_meta_api', 'testament_meta_api'].sort(),
    )
  })

  test.each([
    ['wamp.session.count', []],
    ['wamp.session.list', []],
    ['wamp.session.get', [7]],
    ['wamp.session.kill', [7]],
    ['wamp.session.kill_by_authid', ['nobody']],
    ['wamp.session.kill_by_authrole', ['nothing']],
    ['wamp.session.kill_all', []],
    ['wamp.session.add_testament', ['com.last', [], {}]],
    ['wamp.session.flush_testaments', []],
    ['wamp.registration.list', []],
    ['wamp.registration.lookup', ['com.a']],
    ['wamp.registration.match', ['com.a']],
    ['wamp.registration.get', [7]],
    ['wamp.registration.list_callees', [7]],
    ['wamp.registration.count_callees', [7]],
    ['wamp.subscription.list', []],
    ['wamp.subscription.lookup', ['com.a']],
    ['wamp.subscription.match', ['com.a']],
    ['wamp.subscription.get', [7]],
    ['wamp.subscription.list_subscribers', [7]],
    ['wamp.subscription.count_subscribers', [7]],
    ['wamp.subscription.get_events', [7]],
  ])('has %s behind it, and not where that is off', (procedure, args) => {
    const missing = { error: 'wamp.error.no_such_procedure' }
    expect(roomOf(true).member().call(procedure, args)).not.toMatchObject(missing)
    expect(roomOf(false).member().call(procedure, args)).toMatchObject(missing)
  })
})

test('a realm without the meta API announces nothing that needs it', () => {
  const room = roomOf(false)
  expect([flagsOf(room, 'broker'), flagsOf(room, 'dealer')]).toEqual([ofBroker, ofDealer])
})
