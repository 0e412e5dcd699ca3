import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** Who takes the upgrades of one path. */
export interface WebSocketRoute {
  /** `/ws`, compared as it is. */
  readonly path: string
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** The path of a request, without its query. */
export function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}
