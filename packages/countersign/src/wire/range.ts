/** Blocks of addresses in CIDR notation: IPv4 (RFC 4632 §3.1) and IPv6 (RFC 4291 §2.3). */
import type { AddressRules } from '../core/ports.ts'
import { groupsOf } from './address.ts'
import { formatIpv6, isIpv4, mappedIpv4, type Ipv6 } from './ip.ts'

/** A block: the first `bits` bits of its addresses are those of `groups`, all others of which are zero. */
export interface AddressRange {
  /** IPv4 as IPv4-mapped IPv6, so that there is one kind of address. */
  readonly groups: Ipv6
  /** 0 to 128. */
  readonly bits: number
}

/** Groups of the IPv6 addresses that map IPv4 ones, before the dotted quad. */
const mappedBits = 96

/**
 * Reads `address` or `address/bits`; an address alone is a block of one, and bits behind the prefix are dropped.
 * @returns `undefined` for anything else
 */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const groups = addressGroups(address)
  if (groups === undefined || address.includes('%')) return undefined
  const least = isIpv4(address) ? mappedBits : 0
  const bits = slash < 0 ? 128 : least + prefixLength(text.slice(slash + 1), 128 - least)
  return Number.isNaN(bits)
    ? undefined
    : { groups: groups.map((group, at) => group & maskOf(bits, at)), bits }
}

/** The one spelling of a block, its prefix always told: `192.0.2.0/24`, `2001:db8::/32`. */
export function formatRange({ groups, bits }: AddressRange): string {
  const quad = bits >= mappedBits ? mappedIpv4(groups) : undefined
  return quad === undefined ? `${formatIpv6(groups)}/${bits}` : `${quad}/${bits - mappedBits}`
}

/** The eight groups of any spelling of an address, IPv4 mapped into IPv6; `undefined` for a text that is none. */
export function addressGroups(address: string): Ipv6 | undefined {
  return groupsOf(isIpv4(address) ? `::ffff:${address}` : address)
}

/** Whether the address lies in the block. */
export function covers({ groups, bits }: AddressRange, address: Ipv6): boolean {
  for (let at = 0; at * 16 < bits; at++) {
    if (((address[at] ?? 0) & maskOf(bits, at)) !== groups[at]) return false
  }
  return true
}

/** Blocks as revocations name them. */
export const addressRules: AddressRules = {
  normalise(text) {
    const range = parseRange(text)
    return range && formatRange(range)
  },
  test(text) {
    const range = parseRange(text)
    return (address) => {
      const groups = addressGroups(address)
      return range !== undefined && groups !== undefined && covers(range, groups)
    }
  },
}

/** What of the group at this place belongs to a prefix of so many bits. */
function maskOf(bits: number, at: number): number {
  const kept = Math.min(Math.max(bits - at * 16, 0), 16)
  return (0xffff << (16 - kept)) & 0xffff
}

/** Decimal without sign and leading zeros, at most `most`; otherwise `NaN`. */
function prefixLength(text: string, most: number): number {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= most ? Number(text) : Number.NaN
}
