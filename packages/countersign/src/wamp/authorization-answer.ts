/** Answers of authorizers: what counts as a decision, and what as a failure. */
import type { Action } from './options.ts'
import { type Permit, permits } from './permit.ts'

/** What an authorizer's procedure answered: a result, or an ERROR. */
export interface AuthorizerReply {
  readonly kind: 'result' | 'error'
  readonly args: readonly unknown[]
}

/** One answer, read. */
export interface Opinion {
  readonly permit: Permit
  /** The authorizer allows it to be kept. */
  readonly cache: boolean
}

/** The authorizer broke: never kept. */
export const failure: Opinion = Object.freeze({ permit: permits.failed, cache: false })

/** Members that an answer may have; `validate` names payload types, which are nobody's business here. */
const members: ReadonlySet<string> = new Set(['allow', 'disclose', 'cache', 'validate'])

/** Reads `true`, `false`, or `{allow, disclose?, cache?}`; anything else is a failure, an unknown member as well. */
export function opinionOf(answer: unknown, action: Action): Opinion {
  if (typeof answer === 'boolean') {
    return { permit: answer ? permits.allowed : permits.denied, cache: false }
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return failure
  const names = Object.keys(answer)
  const told = new Map<string, unknown>(Object.entries(answer))
  const allow = told.get('allow')
  const disclose = told.get('disclose') ?? false
  const cache = told.get('cache') ?? false
  const known = names.every((name) => members.has(name))
  if (!known || typeof allow !== 'boolean' || typeof disclose !== 'boolean' || typeof cache !== 'boolean') {
    return failure
  }
  if (!allow) return { permit: permits.denied, cache }
  const tells = disclose && (action === 'call' || action === 'publish')
  return { permit: tells ? permits.disclosed : permits.allowed, cache }
}

/**
 * Whether an ERROR complains of the number of arguments, as procedures do that were written when authorizers took three
 * (`takes 3 positional arguments but 4 were given`).
 * @param uri what was asked about: words of the client's do not count, should the authorizer repeat them
 */
export function wantsFewerArguments(answer: AuthorizerReply, uri: string): boolean {
  if (answer.kind !== 'error') return false
  const [message] = answer.args
  if (typeof message !== 'string') return false
  return /\btakes\b.{0,40}\bargument/i.test(message.slice(0, 4096).replaceAll(uri, '').slice(0, 1000))
}
