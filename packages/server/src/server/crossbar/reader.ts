/**
 * Readers: from a value at its place in a file to a value that is used, with every complaint at its path.
 *
 * A reader always answers. Where it complained, its answer is a stand-in that nobody sees, since a reading with
 * errors has no result; so one pass finds everything that is wrong. Messages are constant words and names that
 * the format itself defines: no value of the file is ever repeated, since it may be a secret.
 */
import type { Finding, KeyPath } from '../config-issues.ts'

/** One reading of one file: what it may ask, and what it has found so far. */
export interface Reading {
  /** Absolute; relative file names are seen from here. */
  readonly folder: string
  /** Variables that the file may name. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Names that the realms of the same worker have, once they are read. */
  readonly known: { readonly realms: ReadonlySet<string>; readonly roles: ReadonlySet<string> } | undefined
  /** Written by `complain` and `warn` alone. */
  readonly findings: Finding[]
}

/** A value at its place; `undefined` when nothing is written there. */
export interface Spot {
  readonly reading: Reading
  readonly path: KeyPath
  readonly value: unknown
}

/** Makes something of a value, and says what is wrong with it. */
export type Reader<T> = (spot: Spot) => T

/** What `members` answers for a table of readers. */
export type Members<R> = { readonly [K in keyof R]: R[K] extends Reader<infer T> ? T : never }

/** Findings of one level that are kept; a file with more has one mistake many times. */
const mostFindings = 500

/** Reports an error: the file cannot be used. */
export function complain(spot: Spot, message: string): void {
  report(spot, 'error', message)
}

/** Reports a warning: the file can be used, and its author should know this. */
export function warn(spot: Spot, message: string): void {
  report(spot, 'warning', message)
}

function report({ reading, path }: Spot, level: Finding['level'], message: string): void {
  let known = 0
  for (const finding of reading.findings) if (finding.level === level) known += 1
  if (known < mostFindings) reading.findings.push({ level, path, message })
}

/** The spot of a member or an entry, whether or not something is written there. */
export function below(spot: Spot, key: string | number): Spot {
  const { value } = spot
  const holds = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
  const inner: unknown = holds ? Reflect.get(value, key) : undefined
  return { reading: spot.reading, path: [...spot.path, key], value: inner }
}

/** Whether a value is a mapping of keys to values. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The keys of a mapping; none, and a complaint, for anything else. */
export function keysOf(spot: Spot): readonly string[] {
  if (isMapping(spot.value)) return Object.keys(spot.value)
  complain(spot, spot.value === undefined ? 'is missing' : 'must be a mapping of keys to values')
  return []
}

/** Reads a mapping whose keys are known; any other key is an error. */
export function members<R extends Readonly<Record<string, Reader<unknown>>>>(
  spot: Spot,
  readers: R,
): Members<R> {
  for (const key of keysOf(spot)) {
    if (!Object.hasOwn(readers, key)) {
      complain(below(spot, key), 'unknown; is it misspelt? It would have had no effect')
    }
  }
  // One complaint about a mapping that is none is enough: its members are not missed besides.
  const around = isMapping(spot.value) ? spot : { ...spot, reading: { ...spot.reading, findings: [] } }
  const read = Object.entries(readers).map(([key, reader]) => [key, reader(below(around, key))] as const)
  // Each key of the table was read by the reader of that key.
  return Object.fromEntries(read) as Members<R>
}

/** Reads a mapping whose keys are names of the author's choice: one answer for each. */
export function entriesOf<T>(spot: Spot, read: (name: string, spot: Spot) => T): readonly T[] {
  return keysOf(spot).map((name) => read(name, below(spot, name)))
}

/** A reader of lists, whose entries are read by another. */
export function list<T>(entry: Reader<T>, least = 0): Reader<readonly T[]> {
  return (spot) => {
    const { value } = spot
    if (!Array.isArray(value)) {
      complain(spot, value === undefined ? 'is missing' : 'must be a list')
      return []
    }
    if (value.length < least) complain(spot, 'is empty: at least one entry')
    return value.map((_, index) => entry(below(spot, index)))
  }
}

/** A reader that stands back when nothing is written. */
export function optional<T, const F>(reader: Reader<T>, fallback: F): Reader<T | F> {
  return (spot) => (spot.value === undefined ? fallback : reader(spot))
}

/** As `optional`, where `null` says the same as nothing. Only where leaving out cannot open a door. */
export function nullable<T>(reader: Reader<T>): Reader<T | undefined> {
  return (spot) => (spot.value === undefined || spot.value === null ? undefined : reader(spot))
}

/** True or false. */
export const flag: Reader<boolean> = (spot) => {
  if (typeof spot.value === 'boolean') return spot.value
  complain(spot, spot.value === undefined ? 'is missing' : 'must be true or false')
  return false
}

/** A reader of whole numbers between two bounds, both of them allowed. */
export function whole(least: number, most: number): Reader<number> {
  return (spot) => {
    const { value } = spot
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
      return value
    complain(
      spot,
      value === undefined ? 'is missing' : `must be a whole number, at least ${least} and at most ${most}`,
    )
    return least
  }
}

/** A reader of texts that are not empty. */
export function text(maxLength = 1_024): Reader<string> {
  return (spot) => {
    const { value } = spot
    if (typeof value === 'string' && value !== '' && value.length <= maxLength) return value
    complain(spot, value === undefined ? 'is missing' : `must be text of 1 to ${maxLength} characters`)
    return ''
  }
}

/** A reader of texts of one form; `form` says in words which. */
export function shaped(pattern: RegExp, form: string, maxLength = 1_024): Reader<string> {
  const plain = text(maxLength)
  return (spot) => {
    const value = plain(spot)
    if (value !== '' && !pattern.test(value)) complain(spot, form)
    return value
  }
}

/** A reader of one word out of some. */
export function oneOf<const T extends string>(words: readonly T[], first: T): Reader<T> {
  return (spot) => {
    const found = words.find((word) => word === spot.value)
    if (found === undefined) {
      complain(spot, spot.value === undefined ? 'is missing' : `must be one of ${words.join(', ')}`)
    }
    return found ?? first
  }
}

/** Takes anything: what needs no judgement, and has no effect here. */
export const ignored: Reader<undefined> = () => undefined

/** Takes anything as it is. */
export const anything: Reader<unknown> = ({ value }) => value

/** A reader of what cannot apply here: it warns, and nothing comes of it. */
export function without(message: string): Reader<undefined> {
  return (spot) => {
    if (spot.value !== undefined) warn(spot, message)
  }
}

/** A reader of a switch that stands where it must: any other position is a warning and has no effect. */
export function fixed(position: boolean, message: string): Reader<undefined> {
  return (spot) => {
    if (spot.value !== undefined && flag(spot) !== position) warn(spot, message)
  }
}

/** A URI, as realms, procedures and topics have: no blank, no `#`, no empty component (WAMP, "URIs", loose). */
export const uri: Reader<string> = shaped(/^[^\s.#]+(?:\.[^\s.#]+)*$/, 'is no URI')

/** The name of a role. */
export const roleName: Reader<string> = shaped(/^[^\s#]{1,128}$/, 'is no name of a role', 128)

/** A role that some realm should have; one that none has lets nobody in, so that it is only a warning. */
export const knownRole: Reader<string> = (spot) => {
  const role = roleName(spot)
  const { known } = spot.reading
  if (role !== '' && known?.roles.has(role) === false)
    warn(spot, 'is no role of any realm here: nobody gets in by it')
  return role
}

/** A realm that should exist; see `knownRole`. */
export const knownRealm: Reader<string> = (spot) => {
  const realm = uri(spot)
  const { known } = spot.reading
  if (realm !== '' && known?.realms.has(realm) === false) warn(spot, 'is no realm here: nobody gets in by it')
  return realm
}

/** An authentication id, as clients send it. */
export const authid: Reader<string> = text(256)
