import { isIPv4, isIPv6 } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeAddress, subnetOf, unknownSubnet } from '../../../packages/countersign/src/wire/address.ts'
import { anyText, numRuns } from './support.ts'

const pieces = ['::', ':', '0', 'ffff', '1', '2001', 'db8', '127.0.0.1', '.', '255', '%eth0', '[', ']']

describe('normalizeAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::192.0.2.1', '::c000:201'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['fe80::1%eth0', 'fe80::1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('spells %j as %j', (address, canonical) => {
    expect(normalizeAddress(address)).toBe(canonical)
  })

  it.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.4:80',
    '1.2.3.',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '1.2.3.1000',
    '1.2.3.4%eth0',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '[::1]',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    ':1:2:3:4:5:6:7',
    '1.2.3.4:1::',
    '1:'.repeat(40),
  ])('knows that %.40j is none', (address) => {
    expect(normalizeAddress(address)).toBeUndefined()
  })

  it('agrees with the platform on what is an address, and is stable, for any text', () => {
    const addresses = fc.oneof(anyText(...pieces), fc.ipV6(), fc.ipV4())
    fc.assert(
      fc.property(addresses, (text) => {
        const canonical = normalizeAddress(text)
        // Platforms differ on what a zone may be made of.
        const known = text.includes('%') ? canonical !== undefined : isIPv4(text) || isIPv6(text)
        expect(canonical !== undefined).toBe(known)
        if (canonical === undefined) return
        expect(normalizeAddress(canonical)).toBe(canonical)
        const host = isIPv4(canonical) ? canonical : `[${canonical}]`
        expect(new URL(`http://${host}/`).hostname).toBe(host)
      }),
      { numRuns },
    )
  })
})

describe('subnetOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1/32'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['::FFFF:c000:201', '192.0.2.1/32'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['', unknownSubnet],
    ['/run/app.sock', unknownSubnet],
  ])('counts %j as %j', (address, subnet) => {
    expect(subnetOf(address)).toBe(subnet)
  })

  it('gives two addresses of one /64 one answer', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const canonical = normalizeAddress(address)
        if (canonical === undefined) throw new Error('expected an address')
        expect(subnetOf(address)).toBe(subnetOf(canonical))
      }),
    )
  })
})
