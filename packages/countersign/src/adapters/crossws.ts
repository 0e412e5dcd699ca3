/** `countersign/crossws`: the Node adapter of crossws, and so h3 and Nitro on Node, behind a guard. */
import type { Server } from 'node:http'
import nodeAdapter, { type NodeAdapter, type NodeOptions } from 'crossws/adapters/node'
import { WebSocketServer } from 'ws'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import { Lease } from '../core/lease.ts'
import { Handover, leaseOfRequest } from './handover.ts'
import { webRequest } from './web-request.ts'
import type { WsOptions } from './ws-side.ts'

/** Options of the Node adapter of crossws (`hooks`, `resolve`, …), and those of the door before it. */
export type CrosswsOptions = Omit<NodeOptions, 'wss'> & WsOptions

/** A guard before crossws. */
export interface CrosswsDoor {
  /** As crossws made it, for `publish` and `peers`. Do not give its `handleUpgrade` to a server: it lets nobody in. */
  readonly adapter: NodeAdapter
  /** Judges every upgrade of this server. @returns a function that stops doing so */
  attach(server: Server): () => void
  /** Ends the sockets of this door with 1001 and lets in nobody more. The guard is its owner's to close. */
  close(): void
}

/** The lease of a peer, or of a request in the hook `upgrade`. @throws MisuseError where no guard has let it in */
export function leaseOf({ context }: { readonly context?: Readonly<Record<string, unknown>> }): Lease {
  const lease = context?.['lease']
  if (lease instanceof Lease) return lease
  throw new MisuseError('invalid_option', 'leaseOf: this peer is not behind a guard')
}

/**
 * Makes the Node adapter of crossws, behind a guard: every hook, `upgrade` first, is called for those who were accepted,
 * with the lease in `context` of the request and of the peer. What `upgrade` answers counts as ever.
 */
export function crosswsDoor(guard: Guard, options: CrosswsOptions): CrosswsDoor {
  const { messages, proxies, serverOptions, ...own } = options
  const wss = new WebSocketServer({
    ...serverOptions,
    // crossws selects the others itself.
    handleProtocols: (offered) => (offered.has(marker) ? marker : false),
    noServer: true,
  })
  const adapter = nodeAdapter({ ...own, wss: wss as NonNullable<NodeOptions['wss']> })
  wss.on('headers', keepLastProtocol)
  const handover = new Handover(wss, guard, {
    ...(messages === undefined ? {} : { messages }),
    ...(proxies === undefined ? {} : { proxies }),
    forward(request, socket, head) {
      const lease = leaseOfRequest(request)
      const web = webRequest(request)
      if (web === undefined) handover.refuse(request, 'protocol_violation')
      // It answers what its hooks throw, and so does not reject; whatever else goes wrong costs this socket.
      else
        adapter
          .handleUpgrade(request, socket, head, Object.assign(web, { context: { lease } }))
          .catch((error: unknown) => {
            guard.failed(error)
            handover.refuse(request, 'internal')
          })
    },
  })
  return {
    adapter,
    attach(server) {
      server.on('upgrade', handover.listener)
      return () => void server.off('upgrade', handover.listener)
    },
    close: () => handover.close(),
  }
}

/** The protocol that clients offer beside a token: selected, so that one is, where no hook selects another. */
const marker = 'countersign.v1'

/** A protocol that a hook selects is written behind the one of the server: one of them may be sent (RFC 6455 §4.2.2). */
function keepLastProtocol(headers: string[]): void {
  const isProtocol = (line: string): boolean => /^sec-websocket-protocol:/i.test(line)
  const last = headers.findLastIndex(isProtocol)
  for (let at = last - 1; at >= 0; at--) if (isProtocol(headers[at] ?? '')) headers.splice(at, 1)
}
