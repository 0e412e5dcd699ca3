import { describe, expect, test } from 'vitest'
import { absent, malformed } from '../../../packages/countersign/src/wire/found.ts'
import type { HandshakeCarrier, Search } from '../../../packages/countersign/src/core/carrier.ts'
import { nothingHidden } from '../../../packages/countersign/src/core/carrier.ts'
import type { Credential } from '../../../packages/countersign/src/core/credential.ts'
import { placesOf, type Method } from '../../../packages/countersign/src/core/method.ts'
import { findCredential, placesOfMethods } from '../../../packages/countersign/src/core/search.ts'
import { deny } from '../../../packages/countersign/src/core/verdict.ts'
import { firstMessage, query } from '../../../packages/countersign/src/index.ts'
import { handshakeOf } from '../support/guard.ts'

const token = (text: string): Search<Credential> => ({
  kind: 'found',
  value: { kind: 'token', text, form: 'bare' },
})

function carrier(
  key: string,
  search: Search<Credential>,
  facts: Partial<HandshakeCarrier> = {},
): HandshakeCarrier {
  return {
    kind: 'handshake',
    key,
    ambient: false,
    absentOrigin: 'allow',
    bearer: true,
    hides: nothingHidden,
    scheme: 'Countersign',
    find: () => search,
    ...facts,
  }
}

function method(name: string, from: Method['from'], csrf?: HandshakeCarrier): Method {
  return {
    name,
    from,
    csrf,
    recognises: () => true,
    // oxlint-disable-next-line require-yield -- nobody is asked in these tests
    *judge() {
      return deny('invalid_credential')
    },
  }
}

const found = (...carriers: readonly HandshakeCarrier[]): ReturnType<typeof findCredential> =>
  findCredential(placesOfMethods([method('m', carriers)]), handshakeOf())

describe('the places of a guard', () => {
  test('are found once, with every method that takes credentials there, in order', () => {
    const shared = query('ticket')
    const places = placesOfMethods([
      method('one', [shared]),
      method('two', [query('ticket'), firstMessage()]),
    ])
    expect(places.explicit).toHaveLength(1)
    expect(places.explicit[0]?.methods.map((one) => one.name)).toEqual(['one', 'two'])
    expect(places.message).toHaveLength(1)
    expect(
      placesOfMethods([method('a', [firstMessage()]), method('b', [firstMessage()])]).message[0]?.methods,
    ).toHaveLength(2)
  })

  test('are hidden all together, those of second proofs included', () => {
    const hides = { query: ['a'], paths: ['/p/'], cookies: ['b'], headers: ['c'], subprotocols: false }
    const places = placesOfMethods([
      method('one', [carrier('x', absent, { hides })], query('csrf')),
      method('two', [
        carrier('y', absent, { hides: { ...nothingHidden, query: ['a', 'd'], subprotocols: true } }),
      ]),
    ])
    expect(places.hiding).toEqual({
      query: ['a', 'csrf', 'd'],
      paths: ['/p/'],
      cookies: ['b'],
      headers: ['c'],
      subprotocols: true,
    })
  })

  test('of no method at all are a mistake', () => {
    expect(() => placesOfMethods([])).toThrow('at least one method')
  })

  test('may be named one by one or as a list', () => {
    const one = query('t')
    expect(placesOf(one)).toEqual([one])
    expect(placesOf([one, one])).toEqual([one, one])
  })
})

describe('the search for a credential', () => {
  test('finds none where none is', () => {
    expect(found(carrier('a', absent))).toEqual({ kind: 'none' })
  })

  test('takes the explicit one before the ambient one', () => {
    const finding = found(carrier('amb', token('cookie'), { ambient: true }), carrier('exp', token('query')))
    expect(finding).toMatchObject({ kind: 'credential', credential: { text: 'query' } })
  })

  test('takes the first of several ambient ones', () => {
    const finding = found(
      carrier('empty', absent, { ambient: true }),
      carrier('one', token('1'), { ambient: true }),
      carrier('two', token('2'), { ambient: true }),
    )
    expect(finding).toMatchObject({ kind: 'credential', credential: { text: '1' } })
  })

  test('takes two explicit ones that agree for one, and refuses two that do not', () => {
    expect(found(carrier('a', token('t')), carrier('b', token('t')))).toMatchObject({
      kind: 'credential',
      place: { carrier: { key: 'a' } },
    })
    expect(found(carrier('a', token('t')), carrier('b', token('u')))).toEqual({
      kind: 'refused',
      reason: 'protocol_violation',
    })
  })

  test('refuses what is malformed anywhere it looks, even beside a good one', () => {
    expect(found(carrier('a', token('t')), carrier('b', malformed('x')))).toEqual({
      kind: 'refused',
      reason: 'invalid_credential',
    })
    expect(found(carrier('a', malformed('x'), { ambient: true }))).toEqual({
      kind: 'refused',
      reason: 'invalid_credential',
    })
  })

  test('refuses a credential whose place wants an Origin', () => {
    const picky = carrier('a', token('t'), { absentOrigin: 'refuse' })
    expect(found(picky)).toEqual({ kind: 'refused', reason: 'forbidden_origin' })
    const places = placesOfMethods([method('m', [picky])])
    expect(findCredential(places, handshakeOf({ origin: 'https://a.example' }))).toMatchObject({
      kind: 'credential',
    })
  })
})
