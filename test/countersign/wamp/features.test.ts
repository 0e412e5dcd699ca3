import { describe, expect, test } from 'vitest'
import { cancelReplyOf, featuresOf } from '../../../packages/countersign/src/wamp/features.ts'
import type { Dict } from '../../../packages/countersign/src/wamp/messages.ts'

const withFeatures = (role: string, ...names: readonly string[]): Dict => ({
  roles: { [role]: { features: Object.fromEntries(names.map((name) => [name, true])) } },
})

describe('features of a client', () => {
  test.each([
    ['callee', 'call_canceling', 'calleeCanceling'],
    ['callee', 'call_cancelling', 'calleeCanceling'],
    ['callee', 'call_timeout', 'calleeTimeout'],
    ['callee', 'call_reroute', 'calleeReroute'],
    ['callee', 'registration_revocation', 'calleeRevocation'],
    ['subscriber', 'subscription_revocation', 'subscriberRevocation'],
    ['callee', 'progressive_calls', 'calleeProgressiveInvocations'],
    ['caller', 'progressive_call_invocations', 'callerProgressiveInvocations'],
    ['caller', 'progressive_call_results', 'callerProgressiveResults'],
    ['publisher', 'payload_passthru_mode', 'publisherPassthru'],
  ] as const)('of the role %s: %s', (role, name, flag) => {
    const features = featuresOf(withFeatures(role, name))
    expect(Object.entries(features ?? {}).filter(([, on]) => on)).toEqual([[flag, true]])
  })

  test('are one object for all clients that announce alike', () => {
    expect(featuresOf(withFeatures('callee', 'call_timeout'))).toBe(
      featuresOf(withFeatures('callee', 'call_timeout', 'something_else')),
    )
  })

  test.each([1, 'true', {}, null])('count only when they are true, not %j', (value) => {
    const features = featuresOf({ roles: { callee: { features: { call_timeout: value } } } })
    expect(features?.calleeTimeout).toBe(false)
  })

  test('are not found among what every object inherits', () => {
    expect(featuresOf({ roles: { constructor: {}, toString: {} } })).toBeUndefined()
    expect(featuresOf({ roles: Object.create({ caller: {} }) as Dict })).toBeUndefined()
  })
})

describe('revocations that a client is told of', () => {
  const told = (roles: Dict): readonly unknown[] => {
    const features = featuresOf({ roles })
    return [features?.subscriberRevocation, features?.calleeRevocation]
  }
  const subscriber = { features: { subscription_revocation: true } }
  const callee = { features: { registration_revocation: true } }

  test.each<readonly [string, Dict, readonly boolean[]]>([
    ['Autobahn|JS reads both', { subscriber, callee, publisher: {} }, [true, true]],
    ['wampy announces neither', { subscriber: {}, callee: {} }, [false, false]],
    [
      'Autobahn|Python dies of UNSUBSCRIBED though it announces it',
      { subscriber, callee, publisher: { features: { x_acknowledged_event_delivery: true } } },
      [false, true],
    ],
  ])('%s', (_name, roles, expected) => {
    expect(told(roles)).toEqual(expected)
  })
})

describe('trap 13: whether CANCEL is answered', () => {
  const autobahnJs = {
    roles: {
      caller: { features: { call_canceling: true } },
      callee: { features: { progressive_call_results: true } },
    },
  }
  const autobahnPython = {
    roles: { caller: { features: { call_canceling: true } }, callee: { features: { call_canceling: true } } },
  }

  test.each([
    ['a client that forgets calls it cancels', autobahnJs, 'kill_only'],
    ['the same roles under a name', { ...autobahnJs, agent: 'Wampy.js v8.0.2' }, 'always'],
    ['a client whose callee can cancel', autobahnPython, 'always'],
    ['a client that cannot cancel', { roles: { caller: {}, callee: {} } }, 'always'],
    ['a client that is no callee', { roles: { caller: autobahnJs.roles.caller } }, 'always'],
  ])('is seen by the client itself: %s', (_name, details, reply) => {
    expect(cancelReplyOf(details, 'auto')).toBe(reply)
  })

  test('is what the setting says', () => {
    expect(cancelReplyOf(autobahnJs, 'always')).toBe('always')
    expect(cancelReplyOf(autobahnPython, 'never')).toBe('kill_only')
  })
})
