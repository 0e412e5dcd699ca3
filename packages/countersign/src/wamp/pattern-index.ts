/** Patterns by what they match: one walk over the components of a URI finds every prefix and wildcard that covers it. */
import type { Match } from './uri.ts'

/** Policies whose patterns an index holds. */
export type PatternMatch = Exclude<Match, 'exact'>

/** One component of wildcard patterns; the child under `''` stands for any component. */
interface Node<T> {
  readonly children: Map<string, Node<T>>
  value: T | undefined
}

/**
 * Values by pattern. Prefixes are compared as text (WAMP, advanced profile, "Prefix Matching"): they are kept by their
 * text, beside the lengths that occur, so a URI costs one look per length. Wildcards are a trie of components.
 */
export class PatternIndex<T> {
  readonly #prefixes = new Map<string, T>()
  /** How many prefixes have each length. */
  readonly #counts = new Map<number, number>()
  /** The lengths that occur, ascending. */
  #lengths: readonly number[] = []
  readonly #root: Node<T> = { children: new Map(), value: undefined }
  #wildcards = 0

  /** How many patterns there are. */
  get size(): number {
    return this.#prefixes.size + this.#wildcards
  }

  /** The value of exactly this pattern. */
  get(pattern: string, match: PatternMatch): T | undefined {
    if (match === 'prefix') return this.#prefixes.get(pattern)
    let node: Node<T> | undefined = this.#root
    for (const part of pattern.split('.')) node = node?.children.get(part)
    return node?.value
  }

  /** Sets the value of a pattern. */
  set(pattern: string, match: PatternMatch, value: T): void {
    if (match === 'prefix') this.#setPrefix(pattern, value)
    else this.#setWildcard(pattern, value)
  }

  /** Removes a pattern; without effect where there is none. */
  delete(pattern: string, match: PatternMatch): void {
    if (match === 'prefix') this.#deletePrefix(pattern)
    else if (prune(this.#root, pattern.split('.'), 0)) this.#wildcards--
  }

  /** Appends the value of every pattern that covers the URI: prefixes first, the shortest first. */
  collect(uri: string, into: T[]): void {
    for (const length of this.#lengths) {
      if (length > uri.length) break
      const value = this.#prefixes.get(uri.slice(0, length))
      if (value !== undefined) into.push(value)
    }
    if (this.#wildcards > 0) walk(this.#root, uri.split('.'), 0, into)
  }

  #setPrefix(pattern: string, value: T): void {
    if (!this.#prefixes.has(pattern)) this.#count(pattern.length, 1)
    this.#prefixes.set(pattern, value)
  }

  #deletePrefix(pattern: string): void {
    if (this.#prefixes.delete(pattern)) this.#count(pattern.length, -1)
  }

  #count(length: number, by: 1 | -1): void {
    const before = this.#counts.get(length) ?? 0
    if (before + by === 0) this.#counts.delete(length)
    else this.#counts.set(length, before + by)
    if (before === 0 || before + by === 0) this.#lengths = [...this.#counts.keys()].toSorted((a, b) => a - b)
  }

  #setWildcard(pattern: string, value: T): void {
    let node = this.#root
    for (const part of pattern.split('.')) {
      const known = node.children.get(part)
      const next: Node<T> = known ?? { children: new Map(), value: undefined }
      if (known === undefined) node.children.set(part, next)
      node = next
    }
    if (node.value === undefined) this.#wildcards++
    node.value = value
  }
}

/** Follows the component itself and, where a wildcard stands, any. */
function walk<T>(node: Node<T>, parts: readonly string[], at: number, into: T[]): void {
  const part = parts[at]
  if (part === undefined) {
    if (node.value !== undefined) into.push(node.value)
    return
  }
  const any = node.children.get('')
  if (any !== undefined) walk(any, parts, at + 1, into)
  const literal = part === '' ? undefined : node.children.get(part)
  if (literal !== undefined) walk(literal, parts, at + 1, into)
}

/** Removes a pattern below a node, and nodes that hold nothing any more. @returns whether there was such a pattern */
function prune<T>(node: Node<T>, parts: readonly string[], at: number): boolean {
  const part = parts[at]
  if (part === undefined) {
    const held = node.value !== undefined
    node.value = undefined
    return held
  }
  const child = node.children.get(part)
  if (child === undefined || !prune(child, parts, at + 1)) return false
  if (child.value === undefined && child.children.size === 0) node.children.delete(part)
  return true
}
