/** Whether one message passes: resource, then rules and `authorize`, then schema. Knows no socket and no clock. */
import { isThenable } from './drive.ts'
import type { Message, MessageReason, Ruling } from './policy-options.ts'
import { covers, isResource, type Policy, type Witness } from './policy.ts'
import { memberAt, type CompiledRule } from './policy-rules.ts'
import type { Principal } from './principal.ts'
import type { MaybePromise } from './records.ts'
import { toldIssues, type SchemaResult, type ToldIssue } from './standard-schema.ts'

/** What became of a message. */
export type Judgement =
  | { readonly kind: 'passed'; readonly value: unknown; readonly resource: string | undefined }
  | { readonly kind: 'refused'; readonly reason: MessageReason; readonly issues?: readonly ToldIssue[] }

/** A message under the row that decides about it. */
export interface Judged {
  readonly rule: CompiledRule
  readonly principal: Principal
  readonly action: string
  readonly message: Message
}

/** One object for every refusal that says nothing beside its reason. */
export const refusedMessage: Readonly<Record<MessageReason, Judgement>> = Object.freeze({
  protocol_violation: { kind: 'refused', reason: 'protocol_violation' },
  message_too_big: { kind: 'refused', reason: 'message_too_big' },
  too_many_attempts: { kind: 'refused', reason: 'too_many_attempts' },
  forbidden: { kind: 'refused', reason: 'forbidden' },
  invalid_message: { kind: 'refused', reason: 'invalid_message' },
  overloaded: { kind: 'refused', reason: 'overloaded' },
})

/**
 * Judges. A promise only where `authorize` or the schema answers with one, and such a promise may never settle: bound it.
 * Never throws, never rejects.
 */
export function judge(policy: Policy, judged: Judged, witness: Witness): MaybePromise<Judgement> {
  const { rule, principal, action, message } = judged
  const resource = rule.resource === undefined ? undefined : read(rule.resource, message, witness)
  if (resource !== undefined && !isResource(resource)) return refusedMessage.protocol_violation
  if (resource === undefined && rule.resource !== undefined) return refusedMessage.protocol_violation
  if (!covers(rule, principal, resource)) return refusedMessage.forbidden
  const ruling = policy.consult({ principal, action, resource }, witness)
  if (ruling === 'allow') return validate(judged, resource, witness)
  if (ruling === 'deny') return refusedMessage.forbidden
  return judgeLater(judged, { ruling, resource }, witness)
}

// Apart from `judge`: where nothing is awaited, nothing is kept for a callback.
function judgeLater(
  judged: Judged,
  { ruling, resource }: { readonly ruling: PromiseLike<Ruling>; readonly resource: string | undefined },
  witness: Witness,
): PromiseLike<Judgement> {
  return ruling.then((late) =>
    late === 'allow' ? validate(judged, resource, witness) : refusedMessage.forbidden,
  )
}

function read(resource: (message: Message) => unknown, message: Message, witness: Witness): unknown {
  try {
    return resource(message)
  } catch (error) {
    witness.failed(error)
    return undefined
  }
}

function validate(
  { rule, message }: Judged,
  resource: string | undefined,
  witness: Witness,
): MaybePromise<Judgement> {
  const { schema, path } = rule
  if (schema === undefined) return { kind: 'passed', value: message, resource }
  try {
    const result = schema['~standard'].validate(message)
    if (!isThenable(result)) return judgementOf(result, resource, path)
    return validateLater(result, { resource, path }, witness)
  } catch (error) {
    return invalidBy(witness, error)
  }
}

function validateLater(
  result: PromiseLike<SchemaResult<unknown>>,
  { resource, path }: { readonly resource: string | undefined; readonly path: CompiledRule['path'] },
  witness: Witness,
): Promise<Judgement> {
  return Promise.resolve(result)
    .then((late) => judgementOf(late, resource, path))
    .catch((error: unknown) => invalidBy(witness, error))
}

/**
 * A schema that rewrites the member by which the resource was named would hand over another resource than was decided
 * upon: no such message passes.
 */
function judgementOf(
  result: SchemaResult<unknown>,
  resource: string | undefined,
  path: readonly string[] | undefined,
): Judgement {
  if (result.issues !== undefined) {
    return { kind: 'refused', reason: 'invalid_message', issues: toldIssues(result.issues) }
  }
  const { value } = result
  const named = path === undefined ? undefined : memberAt(value, path)
  return named === undefined || named === resource
    ? { kind: 'passed', value, resource }
    : refusedMessage.invalid_message
}

function invalidBy(witness: Witness, error: unknown): Judgement {
  witness.failed(error)
  return refusedMessage.invalid_message
}
