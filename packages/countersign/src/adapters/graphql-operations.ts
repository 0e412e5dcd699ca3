/** Operations of GraphQL under a policy: an action for each root field, `query.me`, `subscription.messages`. */
import {
  getOperationAST,
  GraphQLError,
  Kind,
  parse,
  type DocumentNode,
  type FormattedExecutionResult,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import type { SubscribePayload } from 'graphql-ws'
import type { Lease } from '../core/lease.ts'
import type { Policy } from '../core/policy.ts'
import type { Principal } from '../core/principal.ts'

/** One root field of an operation. */
export interface Operation {
  /** Type and name: `mutation.post`. Not the alias. */
  readonly action: string
  readonly payload: SubscribePayload
}

/** What operations must pass. */
export interface OperationPolicy {
  /** Asked about every root field; all must be allowed. `__typename` needs no row, other introspection does. */
  readonly policy: Policy
  /** What is acted upon, for rows that name a resource. Must not throw. @default nothing */
  readonly resource?: (operation: Operation) => string | undefined
}

/** Root fields of one operation, at most. */
const maxRootFields = 64
/** Tokens of one document, at most. */
const maxTokens = 10_000

/** What was decided about an operation that goes on. */
interface Passed {
  readonly principal: Principal
  readonly actions: readonly string[]
  readonly type: string
}

/** What an operation is read from. */
interface Source {
  /** The application's own; `undefined`: the payload's `query`. */
  readonly document: DocumentNode | undefined
  readonly operationName: string | null | undefined
  readonly parse: typeof parse | undefined
}

/** Decides before an operation is executed, and again before a result where roles have changed meanwhile. */
export class OperationGate {
  readonly #options: OperationPolicy
  readonly #passed = new WeakMap<SubscribePayload, Passed>()

  constructor(options: OperationPolicy) {
    this.#options = options
  }

  /** @returns errors that are the answer, or `undefined` where the operation may be executed */
  async refuses(
    lease: Lease,
    payload: SubscribePayload,
    source: Source,
  ): Promise<readonly GraphQLError[] | undefined> {
    const document = source.document ?? documentOf(payload, source.parse)
    if (document instanceof GraphQLError) return [document]
    const operation = getOperationAST(document, source.operationName)
    // graphql-ws will say so.
    if (operation === null || operation === undefined) return undefined
    const fields = rootFields(document, operation.selectionSet)
    if (fields === undefined) return [forbidden()]
    const actions = fields.map((name) => `${operation.operation}.${name}`)
    const principal = await this.#allows(lease, actions, payload)
    if (principal === undefined) return [forbidden()]
    this.#passed.set(payload, { principal, actions, type: operation.operation })
    return undefined
  }

  /**
   * @returns a result that stands in for one that its receiver may not have any more
   * @throws GraphQLError where that ends a subscription
   */
  async withholds(lease: Lease, payload: SubscribePayload): Promise<FormattedExecutionResult | undefined> {
    const passed = this.#passed.get(payload)
    if (passed === undefined || passed.principal === lease.principal) return undefined
    const principal = await this.#allows(lease, passed.actions, payload)
    if (principal !== undefined) {
      this.#passed.set(payload, { ...passed, principal })
      return undefined
    }
    if (passed.type === 'subscription') throw forbidden()
    return { errors: [forbidden().toJSON()] }
  }

  /** @returns whom it was decided about: still the lease's, after whatever was waited for */
  async #allows(
    lease: Lease,
    actions: readonly string[],
    payload: SubscribePayload,
  ): Promise<Principal | undefined> {
    const { policy, resource } = this.#options
    const { principal } = lease
    for (const action of actions) {
      const ruling = await policy.decide(principal, action, resource?.({ action, payload }))
      if (ruling !== 'allow') return undefined
    }
    return lease.ended || lease.principal !== principal ? undefined : principal
  }
}

function documentOf(payload: SubscribePayload, own: typeof parse | undefined): DocumentNode | GraphQLError {
  try {
    return (own ?? parse)(payload.query, { maxTokens })
  } catch (error) {
    return error instanceof GraphQLError ? error : forbidden()
  }
}

/** Names of the fields of the root, those in fragments too, whatever `@skip` says. @returns `undefined`: too many */
function rootFields(document: DocumentNode, root: SelectionSetNode): readonly string[] | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  const names = new Set<string>()
  const seen = new Set<SelectionSetNode>([root])
  // A set is walked on while it grows; each part of the document is in it once.
  for (const { selections } of seen) {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) names.add(selection.name.value)
      else if (selection.kind === Kind.INLINE_FRAGMENT) seen.add(selection.selectionSet)
      else {
        const fragment = fragments.get(selection.name.value)
        if (fragment !== undefined) seen.add(fragment.selectionSet)
      }
    }
  }
  names.delete('__typename')
  return names.size > maxRootFields ? undefined : [...names]
}

/** The same for what is not allowed and what there is not. */
function forbidden(): GraphQLError {
  return new GraphQLError('Forbidden', { extensions: { code: 'FORBIDDEN' } })
}
