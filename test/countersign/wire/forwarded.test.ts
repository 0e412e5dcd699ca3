import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientAddress, forwardedProto } from '../../../packages/countersign/src/wire/forwarded.ts'
import { anyText, numRuns } from './support.ts'

const trusts = (address: string) => address.startsWith('10.') || address === '::1'
const byList = (xForwardedFor: string | undefined, peer = '10.0.0.1') =>
  clientAddress(peer, { xForwardedFor, forwarded: 'for=203.0.113.99' }, { trusts, header: 'x-forwarded-for' })
const byForwarded = (forwarded: string | undefined, peer = '10.0.0.1') =>
  clientAddress(peer, { forwarded, xForwardedFor: '203.0.113.99' }, { trusts, header: 'forwarded' })

describe('clientAddress by X-Forwarded-For', () => {
  it.each([
    [undefined, '10.0.0.1'],
    ['', '10.0.0.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['203.0.113.7, 192.0.2.1', '192.0.2.1'],
    ['192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['192.0.2.1,10.0.0.2 , 10.0.0.3', '192.0.2.1'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:DB8::1]:4711', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1, unknown', '10.0.0.1'],
    ['192.0.2.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['192.0.2.1:x', '10.0.0.1'],
    ['[2001:db8::1', '10.0.0.1'],
    ['[2001:db8::1]x', '10.0.0.1'],
    ['192.0.2.1, , 10.0.0.2', '10.0.0.2'],
    [`${'10.0.0.2,'.repeat(31)}10.0.0.4`, '10.0.0.2'],
    [`192.0.2.1,${'10.0.0.2,'.repeat(31)}10.0.0.4`, '10.0.0.2'],
    [`192.0.2.1${' '.repeat(9000)}`, '10.0.0.1'],
  ])('reads %.60j as %j', (header, client) => {
    expect(byList(header)).toBe(client)
  })

  it('believes no peer that is not trusted', () => {
    expect(byList('192.0.2.1', '198.51.100.1')).toBe('198.51.100.1')
    expect(byList('192.0.2.1', '::ffff:198.51.100.1')).toBe('198.51.100.1')
    expect(byList('192.0.2.1', 'not an address')).toBe('not an address')
  })

  it('asks about the canonical address of the peer', () => {
    expect(byList('192.0.2.1', '::ffff:10.0.0.9')).toBe('192.0.2.1')
    expect(byList('192.0.2.1', '0:0:0:0:0:0:0:1')).toBe('192.0.2.1')
  })
})

describe('clientAddress by Forwarded', () => {
  it.each([
    [undefined, '10.0.0.1'],
    ['', '10.0.0.1'],
    ['for=192.0.2.1', '192.0.2.1'],
    ['For="[2001:db8::1]:4711";proto=https', '2001:db8::1'],
    ['by=10.0.0.1;for=192.0.2.1;host="a,b;c"', '192.0.2.1'],
    ['for=203.0.113.7, for=192.0.2.1', '192.0.2.1'],
    ['for=192.0.2.1 ; proto=http , for=10.0.0.2', '192.0.2.1'],
    ['for=192.0.2.1:4711', '192.0.2.1'],
    ['for=[2001:db8::1]', '2001:db8::1'],
    ['for="192.0.2.1:_port"', '192.0.2.1'],
    ['for=unknown', '10.0.0.1'],
    ['for=192.0.2.1, for=_hidden, for=10.0.0.2', '10.0.0.2'],
    ['for=192.0.2.1, proto=https', '10.0.0.1'],
    ['for=192.0.2.1;for=192.0.2.2', '10.0.0.1'],
    ['for="192.0.2.1', '10.0.0.1'],
    ['for="192.0.2\\.1"', '10.0.0.1'],
    ['for="192.0.2.1"x', '10.0.0.1'],
    ['for 192.0.2.1', '10.0.0.1'],
    ['for', '10.0.0.1'],
    ['for=192.0.2.1,', '10.0.0.1'],
    ['for=a b, for=192.0.2.1', '192.0.2.1'],
    ['for="203.0.113.7, for=192.0.2.1', '192.0.2.1'],
    ['for="203.0.113.7, for=192.0.2.1;host="evil, for=203.0.113.8"', '192.0.2.1'],
    ['for=203.0.113.7;host=", for=192.0.2.1;host="evil"', '192.0.2.1'],
    ['for=203.0.113.7, a b, for=10.0.0.2', '10.0.0.2'],
    ['for=203.0.113.7, for=192.0.2.1 x', '10.0.0.1'],
    [`a b${','.repeat(100)}for=192.0.2.1`, '192.0.2.1'],
    [`"${', for=203.0.113.7'.repeat(400)}, for="`, '10.0.0.1'],
    ['for=192.0.2.1;', '192.0.2.1'],
  ])('reads %j as %j', (header, client) => {
    expect(byForwarded(header)).toBe(client)
  })

  it('answers an address that is the peer or stands in the header, for any text', () => {
    const texts = anyText(
      'for=',
      '192.0.2.1',
      '10.0.0.2',
      ', ',
      ';',
      '"',
      '[::1]',
      ':80',
      'proto=https',
      'unknown',
    )
    fc.assert(
      fc.property(texts, (text) => {
        for (const client of [byForwarded(text), byList(text)]) {
          expect(client === '10.0.0.1' || text.length > 1).toBe(true)
          expect(client).toMatch(/^[0-9a-f.:]+$/)
        }
      }),
      { numRuns },
    )
  })
})

describe('the scheme that Forwarded names', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['for=192.0.2.1', undefined],
    ['for=192.0.2.1;proto=https', 'https'],
    ['Proto="HTTPS"', 'https'],
    ['proto=https, for=192.0.2.1;proto=http', 'http'],
    ['proto=https, for=192.0.2.1', undefined],
    ['proto=http;host="a,proto=https"', 'http'],
    ['host="a;proto=https"', undefined],
    ['proto=http;proto=https', undefined],
    ['host="a, for=192.0.2.1;proto=http', 'http'],
    ['a b, proto=http;host="a, proto=https"', 'http'],
    [`a b, proto=http;host="${',proto=https'.repeat(50)}"`, undefined],
    ['proto=https, proto=http x', undefined],
    [`host=${'a'.repeat(9_000)};proto=https`, undefined],
  ])('by %.60j is %j', (header, proto) => {
    expect(forwardedProto(header)).toBe(proto)
  })
})
