/** Where an audit may knock: this machine, and what an allow-list names. Each name is resolved once and then kept. */
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

/** A target beyond the scope; the message says how it would come into it. */
export class OutOfScope extends Error {
  override readonly name = 'OutOfScope'
}

/** A target whose name leads nowhere. */
export class Unresolved extends Error {
  override readonly name = 'Unresolved'
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')

/** Lines of an allow-list: `host` or `host:port`, one each; `#` begins a comment. At most 1,000 lines count. */
export function parseAllowList(text: string): readonly string[] {
  return text
    .split('\n', 1_000)
    .map((line) => line.replace(/#.*/, '').trim().toLowerCase())
    .filter((line) => line !== '')
}

/** The scope of one audit. */
export class Scope {
  readonly #allowed: ReadonlySet<string>
  readonly #resolved = new Map<string, Promise<readonly string[]>>()

  /** @param allowed hosts of an allow-list, see `parseAllowList` */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = new Set(allowed)
  }

  /**
   * The addresses of a URL's host: the same ones throughout the audit, whatever DNS says later (DNS rebinding).
   * @throws OutOfScope, Unresolved
   */
  async addressesOf(url: URL): Promise<readonly string[]> {
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
    const known = this.#resolved.get(host) ?? resolve(host)
    this.#resolved.set(host, known)
    const addresses = await known
    if (addresses.every((address) => isLoopback(address))) return addresses
    if (this.#allowed.has(host) || this.#allowed.has(`${host}:${portOf(url)}`)) return addresses
    throw new OutOfScope(
      `${host} is not this machine: put the line ${host}:${portOf(url)} into a file and name it with --allow, if you may test it`,
    )
  }
}

/** Whether a URL leads to this machine alone. @throws OutOfScope, Unresolved */
export async function isLoopbackUrl(scope: Scope, url: URL): Promise<boolean> {
  return (await scope.addressesOf(url)).every((address) => isLoopback(address))
}

/** The port that a URL leads to. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'wss:' || protocol === 'https:' ? 443 : 80
}

function isLoopback(address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

async function resolve(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' })
    return found.map(({ address }) => address)
  } catch {
    throw new Unresolved(`${host} has no address`)
  }
}
