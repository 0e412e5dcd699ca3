/** `countersign/hocuspocus`: documents of Hocuspocus, and so of Yjs, behind a guard and under a policy. */
import type { Server } from 'node:http'
import type { Extension, Hocuspocus } from '@hocuspocus/server'
import type { WebSocketServer } from 'ws'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import { Lease } from '../core/lease.ts'
import { Policy } from '../core/policy.ts'
import type { Principal } from '../core/principal.ts'
import { providerOpening } from './hocuspocus-opening.ts'
import type { UpgradeOptions } from './http.ts'
import { protocolDoor, type ProtocolDoor } from './protocol-door.ts'
import { webRequest } from './web-request.ts'
import type { ConnectionListener } from './ws.ts'

export type { ProtocolDoor } from './protocol-door.ts'

/** Options of a Hocuspocus door. */
export interface HocuspocusOptions extends UpgradeOptions {
  /** Made by `new Hocuspocus(…)`, without a server of its own. */
  readonly hocuspocus: Hocuspocus
}

/** The lease of a socket, of the `context` that every hook is given. @throws MisuseError where no guard has let it in */
export function leaseOf({ context }: { readonly context: unknown }): Lease {
  const lease: unknown =
    typeof context === 'object' && context !== null && 'lease' in context ? context.lease : undefined
  if (lease instanceof Lease) return lease
  throw new MisuseError('invalid_option', 'leaseOf: this socket is not behind a guard')
}

/**
 * Puts a guard before a Hocuspocus, made by `new Hocuspocus(…)` and without a server of its own: accepted sockets of `wss`
 * are connected with `context.lease`. Where the guard listens to a first message (`firstMessage()`), that is the first
 * token of the provider, judged before Hocuspocus knows of the socket.
 * @throws MisuseError when `wss` listens by itself
 */
export function guardHocuspocus(
  server: Server,
  wss: WebSocketServer,
  guard: Guard,
  { hocuspocus, proxies }: HocuspocusOptions,
): ProtocolDoor {
  const connected: ConnectionListener = (socket, request, lease) => {
    const web = webRequest(request)
    if (web === undefined) {
      lease.apply({ kind: 'ended', reason: 'protocol_violation' }, guard.now())
      return
    }
    const connection = hocuspocus.handleConnection(socket, web, { lease })
    socket.on('message', (data: Buffer) => connection.handleMessage(new Uint8Array(data)))
    socket.on('close', (code, reason) => connection.handleClose({ code, reason: reason.toString() }))
  }
  wss.on('connection', connected)
  return protocolDoor(server, wss, guard, { opening: providerOpening, proxies })
}

/**
 * An extension that lets a policy decide about each document: `document.write`, else `document.read`, each with the name
 * of the document as its resource. Who may only read is connected read-only; who may neither is told that permission is
 * denied. Roles that change count from the client's next message on.
 */
export function documentAccess(policy: Policy): Extension {
  if (!(policy instanceof Policy))
    throw new MisuseError('invalid_option', 'documentAccess: policy is made by messagePolicy')
  /** Whom a connection was decided about. */
  const decided = new WeakMap<object, Principal>()
  return {
    extensionName: 'countersign',
    async onAuthenticate({ context, documentName, connectionConfig }) {
      const access = await accessOf(policy, leaseOf({ context }), documentName)
      if (access === 'none') throw denied()
      connectionConfig.readOnly = access === 'read'
    },
    async beforeHandleMessage({ context, documentName, connection }) {
      const lease = leaseOf({ context })
      const { principal } = lease
      if (decided.get(connection) === principal) return
      const access = await accessOf(policy, lease, documentName)
      if (access === 'none') throw denied()
      connection.readOnly = access === 'read'
      decided.set(connection, principal)
    },
  }
}

type Access = 'write' | 'read' | 'none'

async function accessOf(policy: Policy, lease: Lease, documentName: string): Promise<Access> {
  const { principal } = lease
  const may = async (action: string): Promise<boolean> =>
    (await policy.decide(principal, action, documentName)) === 'allow'
  const access = (await may('document.write')) ? 'write' : (await may('document.read')) ? 'read' : 'none'
  // Decided about someone who is not there any more.
  return lease.ended || lease.principal !== principal ? 'none' : access
}

/** What Hocuspocus tells of it is `reason`; an established connection to the document is closed with the code. */
function denied(): Error {
  return Object.assign(new Error('permission-denied'), { code: 4403, reason: 'permission-denied' })
}
