/** Further addresses of the same socket: what one of them has taken, no other may take again. */
import type { Scene } from './check.ts'
import type { AuditOptions } from './options.ts'
import type { Oracle } from './oracle.ts'
import { secretsOfQuery } from './spoken-secrets.ts'
import type { VisitNeeds } from './visit.ts'

/** One address of the service, and the eyes with which it is looked at. */
export interface Node {
  /** Host, port and path: what findings call it. */
  readonly name: string
  readonly oracle: Oracle
}

const maxNodes = 8

/** Resolves each address once, before anything is shown to one. @throws OutOfScope, Unresolved; TypeError for what is no URL */
export async function pinNodes({ nodes = [] }: AuditOptions, { scope, masking }: VisitNeeds): Promise<void> {
  for (const address of nodes) {
    const url = new URL(address)
    for (const secret of secretsOfQuery(url)) masking.learn(secret)
    await scope.addressesOf(url)
  }
}

/** The endpoint that is audited. */
export function homeOf({ endpoint, oracle }: Scene): Node {
  return { name: nameOf(endpoint.url), oracle }
}

/** The others, as the configuration names them. */
export function otherNodes({ options: { nodes = [] }, oracle }: Scene): readonly Node[] {
  return nodes.slice(0, maxNodes).map((address) => {
    const url = new URL(address)
    return { name: nameOf(url), oracle: oracle.at({ url }) }
  })
}

function nameOf({ host, pathname }: URL): string {
  return `${host}${pathname}`
}
