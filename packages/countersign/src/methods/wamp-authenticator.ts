/** Principals that a procedure or a function knows. Both have one contract: three arguments, a role or a dictionary. */
import { MisuseError, OutageError } from '../core/errors.ts'
import type { SourceQuestion } from '../core/ports.ts'
import type { MaybePromise } from '../core/records.ts'
import { withoutSecrets } from '../wire/transport-facts.ts'
import type { Authenticator } from './wamp-source.ts'

/** How a call ended: with its first positional result, or with an error's URI. */
export type CallOutcome =
  { readonly kind: 'result'; readonly value: unknown } | { readonly kind: 'error'; readonly uri: string }

/**
 * Calls a procedure on a realm, lent by the router.
 * @throws OutageError `overloaded` when nobody has registered it or nobody answers in time: the client may come back
 */
export type CallProcedure = (call: {
  readonly realm: string
  readonly procedure: string
  readonly args: readonly unknown[]
  readonly timeoutMs: number
}) => Promise<CallOutcome>

/** Options of a dynamic authenticator. */
export interface DynamicAuthenticatorOptions {
  readonly call: CallProcedure
  /** URI of the procedure. */
  readonly procedure: string
  /** Realm on which it is called. @default the one that the client wants to join */
  readonly realm?: string
  /** How long an answer is waited for, ms. @default 5,000 */
  readonly timeoutMs?: number
  /** Role of those of whom it names none. @default the method's */
  readonly defaultRole?: string
  /** Names of secret headers that stay in `details.transport`. @default none */
  readonly dangerouslyPassHeaders?: readonly string[]
}

/** What a function is told besides realm and authid. */
export type AuthenticatorDetails = SourceQuestion['details']

/**
 * An authenticator as a function. Answers a role, a dictionary (`role`, `authid`, `realm`, `extra`, and what the method
 * needs: `secret`, `pubkey`, …), or `undefined` for somebody whom it does not know; denies by throwing.
 * @throws OutageError when it cannot tell: the attempt is refused as `overloaded`
 */
export type AuthenticatorFunction = (
  realm: string | null,
  authid: string | null,
  details: AuthenticatorDetails,
) => MaybePromise<unknown>

/** What an authenticator says of an authid that it does not know: the next source is asked. */
const noSuchPrincipal = 'wamp.error.no_such_principal'

/**
 * A procedure that is called as `(realm, authid, details)` for everyone who wants to join. It denies by raising an error;
 * `wamp.error.no_such_principal` and `null` leave the decision to the next source.
 * Secret headers are removed from the details first, whatever the transport has left in.
 */
export function dynamicAuthenticator(options: DynamicAuthenticatorOptions): Authenticator {
  const { call, procedure, timeoutMs = 5_000, dangerouslyPassHeaders = [] } = options
  return {
    kind: 'authenticator',
    provider: 'dynamic',
    defaultRole: options.defaultRole,
    source: {
      async find(question) {
        const realm = options.realm ?? question.realm
        if (realm === undefined) return 'denied'
        const args = [question.realm ?? null, question.authid ?? null, told(question, dangerouslyPassHeaders)]
        const outcome = await call({ realm, procedure, args, timeoutMs })
        if (outcome.kind === 'error') return outcome.uri === noSuchPrincipal ? undefined : 'denied'
        return { value: outcome.value }
      },
    },
  }
}

/**
 * The same contract as a function of this process. Nobody measures its time but the guard's own deadline.
 * @param options as for `dynamicAuthenticator`
 */
export function functionAuthenticator(
  authenticate: AuthenticatorFunction,
  options: Pick<DynamicAuthenticatorOptions, 'defaultRole' | 'dangerouslyPassHeaders'> = {},
): Authenticator {
  const { dangerouslyPassHeaders = [] } = options
  return {
    kind: 'authenticator',
    provider: 'function',
    defaultRole: options.defaultRole,
    source: {
      async find(question) {
        try {
          const details = told(question, dangerouslyPassHeaders)
          return { value: await authenticate(question.realm ?? null, question.authid ?? null, details) }
        } catch (error) {
          // Raising denies; what the function cannot tell is not for it to deny.
          if (error instanceof OutageError || error instanceof MisuseError) throw error
          return 'denied'
        }
      },
    },
  }
}

/** A fresh copy: neither the opening nor the configuration may be changed through it. */
function told(question: SourceQuestion, passHeaders: readonly string[]): AuthenticatorDetails {
  const { transport, ...rest } = question.details
  return structuredCopy({ ...rest, transport: withoutSecrets(transport, passHeaders) })
}

/** Plain data all the way down: messages and facts hold nothing else. */
function structuredCopy(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member)]))
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return structuredCopy({ ...value })
}
