import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import { allRoles, Room, settled, type Peer } from './router-room.ts'

const id = fc.integer({ min: 1, max: 5 })
const topic = fc.constantFrom('com.a', 'com.b', 'com.', 'wamp.session.on_join', 'no uri')
const procedure = fc.constantFrom('com.a', 'com.b', 'wamp.session.count', 'wamp.session.kill_all')
const match = fc.constantFrom('exact', 'prefix', 'wildcard', 'regex')
const methods = fc.constantFrom(['anonymous'], ['ticket'], ['carrier pigeon'])
const realm = fc.constantFrom('realm1', 'realm1', 'realm2', undefined)
const payload = payloadOf([1])

/** Messages in and out of place, most of them well-formed. */
const message: fc.Arbitrary<Message | { readonly kind: 'malformed'; readonly why: string }> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    realm,
    details: methods.map((authmethods) => ({ roles: allRoles, authid: 'joe', authmethods })),
  }),
  fc.record({
    kind: fc.constant('authenticate' as const),
    signature: fc.constantFrom('joe ticket', 'wrong'),
    extra: fc.constant(noDict),
  }),
  fc.constantFrom<Message>(
    { kind: 'goodbye', details: noDict, reason: 'wamp.close.normal' },
    { kind: 'goodbye', details: noDict, reason: 'wamp.close.logout' },
    { kind: 'abort', details: noDict, reason: 'wamp.error.protocol_violation' },
    { kind: 'welcome', session: 1, details: noDict },
  ),
  fc.record({
    kind: fc.constantFrom('subscribe' as const),
    request: id,
    topic,
    options: match.map((policy) => ({ match: policy })),
  }),
  fc.record({
    kind: fc.constantFrom('publish' as const),
    request: id,
    topic,
    options: fc.boolean().map((acknowledge) => ({ acknowledge })),
    payload: fc.constant(payload),
  }),
  fc.record({
    kind: fc.constantFrom('register' as const),
    request: id,
    procedure,
    options: match.map((policy) => ({ match: policy })),
  }),
  fc.record({
    kind: fc.constantFrom('call' as const),
    request: id,
    procedure,
    options: fc.constant(noDict),
    payload: fc.constant(payload),
  }),
  fc.record({ kind: fc.constant('unsubscribe' as const), request: id, subscription: id }),
  fc.record({ kind: fc.constant('unregister' as const), request: id, registration: id }),
  fc.record({ kind: fc.constant('cancel' as const), request: id, options: fc.constant(noDict) }),
  fc.record({
    kind: fc.constant('yield' as const),
    request: id,
    options: fc.constant(noDict),
    payload: fc.constant(payload),
  }),
  fc.constant({ kind: 'malformed' as const, why: 'no message' }),
)

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ who: fc.nat({ max: 2 }), say: message }) },
  { weight: 1, arbitrary: fc.record({ who: fc.nat({ max: 2 }), gone: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ waitMs: fc.constantFrom(500, 1_000, 10_000) }) },
)

/** What is wrong with one transport's view of the protocol, whatever its client has said. */
function disorder(peer: Peer): readonly string[] {
  const wrong: string[] = []
  const kinds = peer.kinds()
  const aborted = kinds.indexOf('abort')
  if (aborted >= 0 && (aborted !== kinds.length - 1 || peer.closedBy === undefined)) wrong.push('no end')
  let inSession = false
  for (const kind of kinds) {
    const opening = kind === 'challenge' || kind === 'abort' || kind === 'goodbye'
    if (kind === 'welcome' && inSession) wrong.push('two sessions at once')
    if (kind !== 'welcome' && !opening && !inSession) wrong.push(`${kind} without a session`)
    if (kind === 'welcome' || kind === 'goodbye') inSession = kind === 'welcome'
  }
  return wrong
}

test('whatever clients say, sessions, leases and connections agree, and nothing follows an end', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const room = new Room()
    const peers = [room.peer(), room.peer(), room.peer()]
    for (const todo of steps) {
      if ('waitMs' in todo) room.clock.advance(todo.waitMs)
      else if ('gone' in todo) peers[todo.who]?.connection.gone()
      else peers[todo.who]?.say(todo.say)
      await settled()
      const joined = peers.filter(({ connection }) => connection.phase === 'joined')
      expect([...room.realm.sessions()]).toHaveLength(joined.length)
      expect(room.guard.leases()).toHaveLength(joined.length)
    }
    for (const peer of peers) {
      expect(disorder(peer)).toEqual([])
      peer.connection.gone()
    }
    room.clock.advance(20_000)
    expect(room.router.connections).toBe(0)
    expect(room.realm.dealer.list()).toEqual({ exact: [], prefix: [], wildcard: [] })
    expect(room.realm.broker.list()).toEqual({ exact: [], prefix: [], wildcard: [] })
    expect(room.clock.timers).toBe(0)
  })
  await fc.assert(property, {
    numRuns: Math.min(1_000, Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1_000)),
  })
}, 120_000)
