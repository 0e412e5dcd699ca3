import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findFormMember, maxFormLength } from '../../../packages/countersign/src/wire/form.ts'
import { anyText, expectTotal, numRuns } from './support.ts'

const find = (body: string): ReturnType<typeof findFormMember> => findFormMember(body, 'logout_token')

describe('a member of a form', () => {
  test.each([
    ['logout_token=a.b.c', 'a.b.c'],
    ['state=1&logout_token=a.b.c&x', 'a.b.c'],
    ['logout%5Ftoken=a%2Eb', 'a.b'],
    ['logout_token=a+b', 'a b'],
    ['&&logout_token==', '='],
  ])('is found in %s', (body, value) => {
    expect(find(body)).toEqual({ kind: 'found', value })
  })

  test.each(['', 'logout_token', 'logout_token=', 'Logout_token=a', 'logout_token%20=a', 'a=logout_token'])(
    'is absent in %j',
    (body) => {
      expect(find(body)).toEqual({ kind: 'absent' })
    },
  )

  test.each([
    ['twice, with another value', 'logout_token=a&logout_token=b'],
    ['twice, with the same value', 'logout_token=a&logout_token=a'],
    ['twice, once in another spelling', 'logout_token=a&logout%5ftoken=a'],
    ['twice, once empty', 'logout_token=&logout_token=a'],
    ['with broken percent-encoding', 'logout_token=%zz'],
    ['with ill-formed UTF-8', 'logout_token=%ff'],
    ['with a control character', 'logout_token=a%0Ab'],
    ['beside a name with broken percent-encoding', '%zz=1&logout_token=a'],
    ['with raw blanks', 'logout_token=a b'],
    ['among too many others', `${'a=1&'.repeat(40)}logout_token=a`],
    ['in a body that is too long', `logout_token=${'a'.repeat(maxFormLength)}`],
  ])('is malformed %s', (_name, body) => {
    expect(find(body).kind).toBe('malformed')
  })

  test('is what a serialiser wrote', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((one) => !/\p{Cc}/u.test(one))
    fc.assert(
      fc.property(text, text, (value, other) => {
        const body = new URLSearchParams({ other, logout_token: value }).toString()
        expect(find(body)).toEqual({ kind: 'found', value })
      }),
      { numRuns },
    )
  })

  test('is found, absent or malformed in any text, and for constant reasons', () => {
    expectTotal(find, anyText('logout_token', '=', '&', '%6c', '+', 'a'))
  })
})
