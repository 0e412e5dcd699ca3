/** What a published suite is made of: named promises of behaviour that any test framework can run. */

/** One behaviour. `run` rejects with an `Error` that says what was found where the implementation breaks its promise. */
export interface SuiteCase {
  /** A present-tense sentence. */
  readonly name: string
  readonly run: () => Promise<void>
}

/** Behaviours by name, each run against a subject of its own. @param open makes a fresh subject */
export function casesOf<T>(
  behaviours: Readonly<Record<string, (subject: T) => Promise<void> | void>>,
  open: () => T,
): readonly SuiteCase[] {
  return Object.entries(behaviours).map(([name, run]) => ({ name, run: async () => run(open()) }))
}

/**
 * Throws unless the two are equal: same primitives, or arrays and plain objects of equal members.
 * @param what names the thing in the message: `the ticket`
 */
export function expectEqual(found: unknown, expected: unknown, what: string): void {
  if (isEqual(found, expected)) return
  throw new Error(`${what}: expected ${show(expected)}, found ${show(found)}`)
}

/** Throws unless the condition holds. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected that ${what}`)
}

/** Throws unless the work throws or rejects. Which error it is, is the implementation's own affair. */
export async function expectFailure(work: () => unknown, what: string): Promise<void> {
  try {
    await work()
  } catch {
    return
  }
  throw new Error(`${what}: expected a failure, found none`)
}

/** Members in any order. `undefined` is a member: rows have all of theirs. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return false
  const names = Object.keys(one)
  if (names.length !== Object.keys(other).length) return false
  return names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  // JSON has no word for `undefined`, and bytes are read best as numbers.
  const text = value instanceof Uint8Array ? `bytes ${value.join(' ')}` : JSON.stringify(value)
  return text ?? String(value)
}
