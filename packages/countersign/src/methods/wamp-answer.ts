/** What authenticators answer: a role, or a dictionary of what they know. Anything else breaks the contract. */
import { MisuseError } from '../core/errors.ts'
import type { SourceQuestion } from '../core/ports.ts'
import { plainWho, type Who } from './wamp-who.ts'

/** An answer with what was asked. */
export interface Answered {
  readonly value: unknown
  readonly question: SourceQuestion
  readonly provider: Who['provider']
  /** Role of somebody of whom the answer names none. */
  readonly defaultRole: string | undefined
}

/** An authenticator's dictionary. */
export type AnswerDict = Readonly<Record<string, unknown>>

/** Longest name that an answer may hold, characters. */
const maxName = 1_024

/**
 * Reads what every method takes from an answer: a role as text, or `role`, `authid`, `realm`, `extra` of a dictionary.
 * @returns `undefined` for `null`: the authenticator does not know them
 * @throws MisuseError for anything else
 */
export function whoOf({ value, question, provider, defaultRole }: Answered): Who | undefined {
  if (value === undefined || value === null) return undefined
  const { authid, role, realm, extra } = typeof value === 'string' ? { role: value } : dictOf(value)
  const name = nameIn('authid', authid) ?? question.authid
  if (name === undefined) throw new MisuseError('invalid_option', 'authenticator: the answer names no authid')
  const roleName = nameIn('role', role) ?? defaultRole
  return {
    ...plainWho,
    authid: name,
    roles: roleName === undefined ? [] : [roleName],
    realm: nameIn('realm', realm),
    extra: extra === undefined || extra === null ? undefined : { ...dictOf(extra) },
    provider,
  }
}

/** The dictionary that a method needs an answer to be. @throws MisuseError for anything else */
export function dictOf(value: unknown): AnswerDict {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    // The narrowing of `object` knows no members; each is checked by whoever reads it.
    return value as AnswerDict
  }
  throw new MisuseError('invalid_option', 'authenticator: the answer is neither a role nor a dictionary')
}

/** A name in an answer. @throws MisuseError for what is there and no name */
export function nameIn(member: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= maxName) return value
  throw new MisuseError('invalid_option', `authenticator: ${member} is no name`)
}

/** A whole number within bounds in an answer or an option. @throws MisuseError for what is there and none */
export function wholeIn(
  member: string,
  value: unknown,
  [least, most]: readonly [least: number, most: number],
): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new MisuseError('invalid_option', `${member} is a whole number from ${least} to ${most}`)
}
