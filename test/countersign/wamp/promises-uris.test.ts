/** What counts as a URI, in every message that carries one, under each policy of a realm. */
import { describe, expect, test } from 'vitest'
import { noDict } from '../../../packages/countersign/src/wamp/messages.ts'
import type { UriCheck } from '../../../packages/countersign/src/wamp/uri.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { Room, ruleFor, type Peer } from './router-room.ts'

const roomOf = (uriCheck: UriCheck): Room => {
  const rules = [ruleFor('', 'call', 'register', 'publish', 'subscribe')]
  return new Room({ realms: [{ name: 'realm1', uriCheck, roles: [{ name: 'anonymous', rules }] }] })
}

/** Every message with a URI of the client's making. */
const asked: readonly (readonly [string, (peer: Peer, uri: string) => unknown])[] = [
  ['SUBSCRIBE', (peer, uri) => peer.subscribe(uri)],
  ['PUBLISH', (peer, uri) => peer.publish(uri, [], { acknowledge: true })],
  ['REGISTER', (peer, uri) => peer.register(uri)],
  ['CALL', (peer, uri) => peer.call(uri)],
]

const never = ['', '.', 'com.', '.com', 'com..a', 'com.a b', 'com.a#b', 'com.\ta', 'x'.repeat(1_025)]
const looseAlone = ['com.A', 'com.ä', 'com.a-b', 'com.a/b', 'Com.a', 'com.a:b']
const always = ['com', 'com.a', 'com.a_1.0']

const refusal = { kind: 'error', error: 'wamp.error.invalid_uri' }

describe.each(asked)('%s', (_, ask) => {
  test.each<UriCheck>(['loose', 'strict'])('takes no text that is no URI (%s)', (check) => {
    for (const uri of never) {
      const room = roomOf(check)
      expect(ask(room.member(), uri), uri).toMatchObject(
        // Whether it may is asked first; a text that long is nobody's.
        uri.length > 1_024 ? { kind: 'error' } : refusal,
      )
    }
  })

  test.each<UriCheck>(['loose', 'strict'])('takes what is one everywhere (%s)', (check) => {
    for (const uri of always) expect(ask(roomOf(check).member(), uri), uri).not.toMatchObject(refusal)
  })

  test('takes capitals, hyphens and other letters where the check is loose alone', () => {
    for (const uri of looseAlone) {
      expect(ask(roomOf('loose').member(), uri), uri).not.toMatchObject(refusal)
      expect(ask(roomOf('strict').member(), uri), uri).toMatchObject(refusal)
    }
  })
})

describe.each(['SUBSCRIBE', 'REGISTER'])('patterns of %s', (name) => {
  const ask = (check: UriCheck, uri: string, match: string): unknown => {
    const peer = roomOf(check).member()
    return name === 'SUBSCRIBE' ? peer.subscribe(uri, { match }) : peer.register(uri, { match })
  }

  test('have empty components where the policy gives them a meaning', () => {
    for (const check of ['loose', 'strict'] as const) {
      expect(ask(check, 'com.', 'prefix')).not.toMatchObject({ kind: 'error' })
      expect(ask(check, 'com..a', 'wildcard')).not.toMatchObject({ kind: 'error' })
      expect(ask(check, '.a', 'wildcard')).not.toMatchObject({ kind: 'error' })
      expect(ask(check, 'com..a', 'prefix')).toMatchObject(refusal)
      expect(ask(check, '.a', 'prefix')).toMatchObject(refusal)
    }
  })

  test('follow the check in their other components', () => {
    for (const match of ['prefix', 'wildcard']) {
      expect(ask('loose', 'com.A.', match)).not.toMatchObject({ kind: 'error' })
      expect(ask('strict', 'com.A.', match)).toMatchObject(refusal)
    }
  })
})

test('the URI of an error that a callee raises is checked loosely under either', () => {
  for (const check of ['loose', 'strict'] as const) {
    const room = roomOf(check)
    const [callee, caller] = [room.member(), room.member()]
    callee.register('com.p')
    caller.call('com.p')
    callee.say({
      kind: 'error',
      of: 'invocation',
      request: 1,
      details: noDict,
      error: 'Com.Error-1',
      payload: noPayload,
    })
    expect(caller.sent.at(-1)).toMatchObject({ kind: 'error', of: 'call', error: 'Com.Error-1' })
  }
})
