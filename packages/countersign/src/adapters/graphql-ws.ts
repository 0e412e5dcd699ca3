/** `countersign/graphql-ws`: a server of `graphql-ws` behind a guard, and its operations under a policy. */
import type { Server } from 'node:http'
import type { SubscribePayload, ServerOptions } from 'graphql-ws'
import { useServer, type Extra } from 'graphql-ws/use/ws'
import type { WebSocketServer } from 'ws'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import { Policy } from '../core/policy.ts'
import type { Reason } from '../core/reasons.ts'
import type { GatedSocket } from './gated-socket.ts'
import { OperationGate, type OperationPolicy } from './graphql-operations.ts'
import type { UpgradeOptions } from './http.ts'
import { paramsOpening } from './opening.ts'
import { protocolDoor } from './protocol-door.ts'

export type { Operation, OperationPolicy } from './graphql-operations.ts'

/**
 * `closeCodes` of a guard whose clients are those of `graphql-ws`: what they take for final, and what they try again
 * after, asking for their `connectionParams` anew. 4401 and 4400 are final to them; 4403, 4408 and 4503 are not.
 */
export const graphqlCloseCodes: Partial<Readonly<Record<Reason, number>>> = Object.freeze({
  missing_credential: 4401,
  invalid_credential: 4403,
  expired_credential: 4403,
  lease_expired: 4403,
  revoked: 4401,
  logged_out: 4401,
  forbidden: 4401,
  no_matching_method: 4401,
  authentication_timeout: 4408,
  too_many_attempts: 4503,
  too_many_connections: 4503,
  internal: 4503,
  protocol_violation: 4400,
} as const)

/** Options of `graphql-ws`, and those of the door before it. */
export interface GuardedGraphqlOptions extends GraphqlOptions, UpgradeOptions {
  /** What each operation must pass. @default every operation of an open lease is executed */
  readonly operations?: OperationPolicy
  /** Time between two pings, ms; as the third argument of `useServer`. @default 12,000 */
  readonly keepAliveMs?: number
}

/** A guarded server. */
export interface GuardedGraphql {
  /** Stops judging, and ends the sockets of this server with 1001. The guard is its owner's to close. */
  dispose(): Promise<void>
}

/** The lease of the socket that a hook of `graphql-ws`, its `context` among them, is called for. */
export function leaseOf({ extra }: { readonly extra: Extra }): Lease {
  // Sockets of a guarded server are made by the class that has it.
  const { lease } = extra.socket as GatedSocket
  if (lease === undefined)
    throw new MisuseError('invalid_option', 'leaseOf: this socket is not behind a guard')
  return lease
}

/**
 * As `useServer` of `graphql-ws/use/ws`, behind a guard: `connection_init` is the first message where the guard listens to
 * one (`firstMessage()`), judged before `graphql-ws` knows of the socket, which then sees it without its token. Give the
 * guard `closeCodes: graphqlCloseCodes`.
 * @throws MisuseError when `wss` listens by itself, or `operations.policy` is none
 */
export function guardGraphql(
  server: Server,
  wss: WebSocketServer,
  guard: Guard,
  options: GuardedGraphqlOptions,
): GuardedGraphql {
  const { operations, keepAliveMs, proxies, ...own } = options
  if (operations !== undefined && !(operations.policy instanceof Policy))
    throw new MisuseError('invalid_option', 'operations: policy is made by messagePolicy')
  const door = protocolDoor(server, wss, guard, { opening: connectionInit, late: 'refused', proxies })
  const used = useServer(
    operations === undefined ? own : gated(own, new OperationGate(operations)),
    wss,
    keepAliveMs,
  )
  const dispose = async (): Promise<void> => {
    door.close()
    await used.dispose()
  }
  let disposed: Promise<void> | undefined
  return { dispose: () => (disposed ??= dispose()) }
}

/** Parameters of `connection_init`, and what an application's hooks are given beside them. */
type ConnectionParams = Record<string, unknown>
type GraphqlOptions = ServerOptions<ConnectionParams, Extra>
type GraphqlContext = Parameters<NonNullable<GraphqlOptions['onConnect']>>[0]

/** Puts the gate behind the application's own `onSubscribe`, which may bring another document, and before every result. */
function gated(own: GraphqlOptions, gate: OperationGate): GraphqlOptions {
  const { onSubscribe, onNext } = own
  return {
    ...own,
    async onSubscribe(context: GraphqlContext, id: string, payload: SubscribePayload) {
      const given = await onSubscribe?.(context, id, payload)
      // Errors of the application's own: nothing will be executed.
      if (Array.isArray(given)) return given
      const brought = given === undefined || !('document' in given) ? undefined : given
      const refused = await gate.refuses(leaseOf(context), payload, {
        document: brought?.document,
        operationName: brought === undefined ? payload.operationName : brought.operationName,
        parse: own.parse,
      })
      return refused ?? given
    },
    async onNext(...next: Parameters<NonNullable<GraphqlOptions['onNext']>>) {
      const [context, , payload] = next
      const instead = await gate.withholds(leaseOf(context), payload)
      return instead ?? (await onNext?.(...next))
    },
  }
}

/** Nothing else begins this protocol; whoever wants to subscribe before it is told as by `graphql-ws`. */
const connectionInit = paramsOpening({ kind: 'type', name: 'connection_init', params: 'payload' })
