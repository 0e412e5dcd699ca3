import { formatIpv6, isIpv4, mappedIpv4, parseIpv6, type Ipv6 } from './ip.ts'

/** What `subnetOf` answers for a text that is no address, such as the empty one of a unix socket. */
export const unknownSubnet = 'unknown'

/**
 * One spelling per address: IPv4 as a dotted quad (out of IPv4-mapped IPv6 too), IPv6 as RFC 5952 writes it,
 * without a zone (`fe80::1%eth0`).
 *
 * @returns the canonical text, or `undefined` when `address` is none
 */
export function normalizeAddress(address: string): string | undefined {
  const quad = plainIpv4(address)
  if (quad !== undefined) return quad
  const groups = groupsOf(address)
  return groups && (mappedIpv4(groups) ?? formatIpv6(groups))
}

/**
 * The unit by which sources are counted: an IPv4 address alone (`192.0.2.1/32`), an IPv6 address by its /64
 * (`2001:db8:0:1::/64`), because a single host commonly owns all of that. Every other text is one bucket,
 * `unknownSubnet`.
 */
export function subnetOf(address: string): string {
  // One connection is counted several times, most often with nobody in between.
  if (address === latest.address) return latest.subnet
  const quad = plainIpv4(address)
  const subnet = quad === undefined ? subnetOfGroups(address) : `${quad}/32`
  // A text that is no address may be anything, and is not kept.
  if (subnet !== unknownSubnet && address.length <= longestAddress) latest = { address, subnet }
  return subnet
}

/** To take an address of many groups apart costs more than to know it. */
function subnetOfGroups(address: string): string {
  const known = subnets.get(address)
  if (known !== undefined) return known
  const subnet = findSubnet(address)
  if (subnet === unknownSubnet || address.length > longestAddress) return subnet
  if (subnets.size >= maxSubnets) subnets.clear()
  subnets.set(address, subnet)
  return subnet
}

/** The latest answer. */
let latest: { readonly address: string; readonly subnet: string } = { address: '', subnet: unknownSubnet }

/** The answers for the latest addresses but plain IPv4. */
const subnets = new Map<string, string>()
const maxSubnets = 1_024
/** An IPv6 address that maps an IPv4 one, with a zone. */
const longestAddress = 64

function findSubnet(address: string): string {
  const groups = groupsOf(address)
  if (groups === undefined) return unknownSubnet
  const mapped = mappedIpv4(groups)
  return mapped === undefined ? `${formatIpv6([...groups.slice(0, 4), 0, 0, 0, 0])}/64` : `${mapped}/32`
}

/** The two spellings that sockets use for an IPv4 peer, read without taking an IPv6 address apart. */
function plainIpv4(address: string): string | undefined {
  const quad = address.startsWith('::ffff:') ? address.slice(7) : address
  return isIpv4(quad) ? quad : undefined
}

/** The groups of an IPv6 address in any spelling, a zone passed over. */
export function groupsOf(address: string): Ipv6 | undefined {
  const zone = address.indexOf('%')
  return parseIpv6(zone < 0 ? address : address.slice(0, zone))
}
