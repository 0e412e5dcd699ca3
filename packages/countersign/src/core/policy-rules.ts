/** The table of a policy, checked and compiled. */
import { MisuseError } from './errors.ts'
import { checkRate, type MessageRate } from './message-rate.ts'
import { ruleOf, type RulePattern } from './pattern-book.ts'
import { isPattern, matcherOf } from './patterns.ts'
import type { ActionRule, Actions, Allowed, Message } from './policy-options.ts'
import { isSchema, type StandardSchema } from './standard-schema.ts'

/** One row, ready to be asked. */
export interface CompiledRule extends RulePattern {
  /** As it stands in the table. */
  readonly name: string
  readonly anyone: boolean
  /** For each role what it may act upon; `undefined`: upon everything. */
  readonly roles: ReadonlyMap<string, readonly Covers[] | undefined>
  readonly resource: ((message: Message) => unknown) | undefined
  /** Members that lead to the resource, where it is a path. */
  readonly path: readonly string[] | undefined
  readonly schema: StandardSchema | undefined
  readonly rate: MessageRate | undefined
}

type Covers = (resource: string) => boolean

/** Longest name of an action, characters; a resource is bounded alike. */
export const maxActionLength = 256
/** Rows of a table, and roles or patterns in one place of it. */
const maxRows = 1_000
const maxListed = 1_000
/** Members that a path may lead through. */
const maxSegments = 8

const members: ReadonlySet<string> = new Set(['roles', 'match', 'resource', 'schema', 'rate'])

/** @throws MisuseError for a table, or a row of it, that can mean nothing */
export function compileActions(actions: Actions): readonly CompiledRule[] {
  if (typeof actions !== 'object' || actions === null) refuse('actions', 'is a table of rows by name')
  const rows = Object.entries(actions)
  if (rows.length === 0) refuse('actions', 'names nothing: no message would ever pass')
  if (rows.length > maxRows) refuse('actions', `has at most ${maxRows} rows`)
  const names = new Map<string, string>()
  return rows.map(([name, row]) => {
    const rule = compileRow(name, row)
    const pattern = `${rule.match} ${rule.uri}`
    const other = names.get(pattern)
    if (other !== undefined) refuse(quoted(name), `is the same pattern as ${quoted(other)}`)
    names.set(pattern, name)
    return rule
  })
}

function compileRow(name: string, row: ActionRule): CompiledRule {
  const what = quoted(name)
  if (typeof row !== 'object' || row === null) refuse(what, 'is an object with roles')
  for (const member of Object.keys(row)) {
    if (!members.has(member))
      refuse(what, `has no member ${quoted(member)}; there are ${[...members].join(', ')}`)
  }
  if (row.schema !== undefined && !isSchema(row.schema))
    refuse(what, 'schema is no Standard Schema of version 1')
  const pattern = patternOf(what, name, row)
  const roles = rolesOf(what, row.roles, row.resource !== undefined)
  const path = pathOf(what, row.resource)
  return {
    ...pattern,
    name,
    anyone: row.roles === 'anyone',
    roles,
    path,
    resource: path === undefined ? readerOf(what, row.resource) : (message) => memberAt(message, path),
    schema: row.schema,
    rate: row.rate === undefined ? undefined : checkRate(`${what}: rate`, row.rate),
  }
}

function patternOf(what: string, name: string, row: ActionRule): RulePattern {
  const match: unknown = row.match
  if (match !== undefined && match !== 'exact' && match !== 'prefix' && match !== 'wildcard') {
    refuse(what, 'match is exact, prefix or wildcard')
  }
  const pattern = ruleOf(name, row.match)
  // Said to be exact, a name is taken as it stands: events of Socket.IO often have blanks in theirs.
  const named = match === 'exact' ? isPlainName(name) : isPattern(pattern.uri, pattern.match, 'loose')
  if (name.length > maxActionLength || !named) {
    refuse(what, `is no name of dotted components, or pattern of names, under the policy ${pattern.match}`)
  }
  return pattern
}

/** Any text without control characters and halves of surrogate pairs. */
function isPlainName(name: string): boolean {
  return /^[^\p{Cc}\p{Cs}]+$/u.test(name)
}

function rolesOf(what: string, allowed: Allowed, named: boolean): CompiledRule['roles'] {
  if (allowed === 'anyone') return new Map()
  if (typeof allowed !== 'object' || allowed === null) refuse(what, "roles is a list, a table, or 'anyone'")
  if (Array.isArray(allowed))
    return new Map(roleList(`${what}: roles`, allowed).map((role) => [role, undefined]))
  if (!named) refuse(what, 'roles name resources, but the row does not say where a message names one')
  const roles = Object.entries(allowed)
  roleList(
    `${what}: roles`,
    roles.map(([role]) => role),
  )
  return new Map(roles.map(([role, patterns]) => [role, coversOf(`${what}: ${quoted(role)}`, patterns)]))
}

/** A copy of a list of roles. @throws MisuseError for what is none */
export function roleList(what: string, roles: readonly unknown[]): readonly string[] {
  if (roles.length > maxListed) refuse(what, `has at most ${maxListed} roles`)
  return roles.map((role) => {
    if (typeof role !== 'string' || role === '') refuse(what, 'is a list of names')
    if (role === '*' || role === 'anyone') {
      refuse(
        what,
        `has no role ${role}: to let in everybody who was accepted, say 'anyone' in place of the list`,
      )
    }
    return role
  })
}

function coversOf(what: string, patterns: readonly string[]): readonly Covers[] {
  if (!Array.isArray(patterns) || patterns.length > maxListed)
    refuse(what, `is a list of at most ${maxListed} patterns`)
  return patterns.map((text: unknown) => {
    if (typeof text !== 'string' || text === '' || text.length > maxActionLength) {
      refuse(what, `is a list of patterns of 1 to ${maxActionLength} characters`)
    }
    const { uri, match } = ruleOf(text)
    if (!isPattern(uri, match, 'loose')) refuse(what, `${quoted(text)} is no pattern of resources`)
    return matcherOf(uri, match)
  })
}

function pathOf(what: string, resource: ActionRule['resource']): readonly string[] | undefined {
  if (typeof resource !== 'string') return undefined
  const path = resource.split('.')
  if (path.includes('') || path.length > maxSegments || resource.length > maxActionLength) {
    refuse(what, `resource is a path of at most ${maxSegments} members`)
  }
  if (resource === 'type')
    refuse(what, 'resource is the type itself: every message of a row would name the same')
  return path
}

function readerOf(what: string, resource: ActionRule['resource']): CompiledRule['resource'] {
  if (resource === undefined || typeof resource === 'function') return resource
  return refuse(what, 'resource is the path of a member, or a function')
}

/** What stands at the end of a path; own members alone are followed. */
export function memberAt(value: unknown, path: readonly string[]): unknown {
  let at = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = Reflect.get(at, name)
  }
  return at
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, maxActionLength))
}

function refuse(what: string, why: string): never {
  throw new MisuseError('invalid_option', `policy: ${what} ${why}`)
}
