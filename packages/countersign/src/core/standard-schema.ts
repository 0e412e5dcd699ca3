/**
 * What a policy asks of a validation library: the part of Standard Schema 1 (https://standardschema.dev) that checks a
 * value. zod, valibot, arktype and others have it; this file knows none of them.
 */
import type { MaybePromise } from './records.ts'

/** A schema of any library: reads a value, and answers what it makes of it or what is wrong with it. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    /** Name of the library. */
    readonly vendor: string
    /** Judges a value. May be asynchronous. */
    readonly validate: (value: unknown) => MaybePromise<SchemaResult<Output>>
    /** For the compiler alone: there is nothing here at run time. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** The value as the schema makes it, or what is wrong: `issues` alone tells which. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One complaint of a schema. */
export interface SchemaIssue {
  /** May repeat what was sent, and more: it is not told. */
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Where a value is wrong, outermost member first. */
export interface ToldIssue {
  readonly path: readonly (string | number)[]
}

/** Most complaints that are told. */
export const maxToldIssues = 4
/** Deepest path, and longest member name in it, that is told. */
const maxPathLength = 8
const maxNameLength = 64

/** Whether a value is a schema that can be asked. */
export function isSchema(value: unknown): value is StandardSchema {
  // arktype's schemas are functions.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard: unknown = Reflect.get(value, '~standard')
  if (typeof standard !== 'object' || standard === null) return false
  return Reflect.get(standard, 'version') === 1 && typeof Reflect.get(standard, 'validate') === 'function'
}

/** The first few complaints as paths. Their words are left out: schemas write into them what was sent. */
export function toldIssues(issues: readonly SchemaIssue[]): readonly ToldIssue[] {
  // One by one into lists of our own: what libraries hand over may be a class of theirs, whose `map` makes more of those.
  const told: ToldIssue[] = []
  for (const issue of issues) {
    if (told.length === maxToldIssues) break
    told.push({ path: toldPath(issue.path ?? []) })
  }
  return told
}

function toldPath(path: NonNullable<SchemaIssue['path']>): readonly (string | number)[] {
  const told: (string | number)[] = []
  for (const segment of path) {
    if (told.length === maxPathLength) break
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'string') told.push(key.slice(0, maxNameLength))
    else if (typeof key === 'number') told.push(key)
  }
  return told
}
