/** From what one types to the endpoint that is meant. */
import type { AuditOptions } from './options.ts'
import type { Endpoint, Protocol } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** Finds the endpoint. @throws TypeError for a target that is no URL */
export async function findEndpoint(
  target: string,
  options: AuditOptions,
  needs: VisitNeeds,
): Promise<Endpoint> {
  const url = new URL(target)
  url.protocol = url.protocol.replace(/^http/, 'ws')
  await needs.scope.addressesOf(url)
  const page = options.page === undefined ? undefined : new URL(options.page, url.href.replace(/^ws/, 'http'))
  return {
    url,
    protocol: options.protocol ?? guessProtocol(url),
    origin: options.origin ?? page?.origin ?? new URL(url.href.replace(/^ws/, 'http')).origin,
    subprotocols: options.subprotocols ?? [],
    headers: [],
    page,
    namespace: options.namespace ?? '/',
    realm: options.realm ?? 'realm1',
  }
}

function guessProtocol({ pathname }: URL): Protocol {
  if (/socket\.io/.test(pathname)) return 'socket.io'
  if (/graphql/.test(pathname)) return 'graphql-transport-ws'
  return 'plain'
}
