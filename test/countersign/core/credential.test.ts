import { describe, expect, test } from 'vitest'
import { agree, type Credential } from '../../../packages/countersign/src/core/credential.ts'
import { certificateOf } from '../support/certificates.ts'

const token = (text: string): Credential => ({ kind: 'token', text, form: 'bare' })
const basic = (username: string, password: string): Credential => ({ kind: 'basic', username, password })
const card = (fingerprint: string): Credential => ({
  kind: 'certificate',
  certificate: certificateOf({ fingerprint }),
})
const hello: Credential = {
  kind: 'hello',
  authid: 'a',
  methods: ['wampcra'],
  nonce: undefined,
  join: undefined,
}

describe('two credentials agree', () => {
  test.each([
    [token('a'), token('a')],
    [token('a'), { kind: 'token', text: 'a', form: 'auth' } as const],
    [basic('u', 'p'), basic('u', 'p')],
    [card('aa'), card('aa')],
  ])('when they say the same: %j', (one, other) => {
    expect(agree(one, other)).toBe(true)
  })

  test.each([
    [token('a'), token('b')],
    [token('a'), basic('a', '')],
    [basic('a', ''), token('a')],
    [basic('u', 'p'), basic('u', 'q')],
    [basic('u', 'p'), basic('v', 'p')],
    [card('aa'), card('bb')],
    [card('aa'), token('aa')],
    [hello, hello],
  ])('and not otherwise: %j and %j', (one, other) => {
    expect(agree(one, other)).toBe(false)
  })
})
