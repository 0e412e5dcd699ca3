/** Patterns by what they match: one walk over the components of a URI finds every prefix and wildcard that covers it. */
import { PrefixLengths } from './prefix-lengths.ts'
import type { Match } from './uri.ts'
import { newTrie, plant, uproot, valueAt, type TrieNode } from './wildcard-trie.ts'

/** Policies whose patterns an index holds. */
export type PatternMatch = Exclude<Match, 'exact'>

/**
 * Values by pattern: prefixes by their text, beside the lengths that occur; wildcards in a tree of components.
 */
export class PatternIndex<T> {
  readonly #prefixes = new Map<string, T>()
  readonly #lengths = new PrefixLengths()
  readonly #root: TrieNode<T> = newTrie()
  #wildcards = 0

  /** How many patterns there are. */
  get size(): number {
    return this.#prefixes.size + this.#wildcards
  }

  /** The value of exactly this pattern. */
  get(pattern: string, match: PatternMatch): T | undefined {
    return match === 'prefix' ? this.#prefixes.get(pattern) : valueAt(this.#root, pattern)
  }

  /** Sets the value of a pattern. */
  set(pattern: string, match: PatternMatch, value: T): void {
    if (match === 'prefix') this.#setPrefix(pattern, value)
    else if (plant(this.#root, pattern, value)) this.#wildcards++
  }

  /** Removes a pattern; without effect where there is none. */
  delete(pattern: string, match: PatternMatch): void {
    if (match === 'prefix') {
      if (this.#prefixes.delete(pattern)) this.#lengths.remove(pattern.length)
    } else if (uproot(this.#root, pattern)) this.#wildcards--
  }

  /** Appends the value of every pattern that covers the URI: prefixes first, the shortest first. */
  collect(uri: string, into: T[]): void {
    for (const length of this.#lengths.ascending) {
      if (length > uri.length) break
      const value = this.#prefixes.get(uri.slice(0, length))
      if (value !== undefined) into.push(value)
    }
    if (this.#wildcards > 0) walk(this.#root, uri.split('.'), 0, into)
  }

  #setPrefix(pattern: string, value: T): void {
    if (!this.#prefixes.has(pattern)) this.#lengths.add(pattern.length)
    this.#prefixes.set(pattern, value)
  }
}

/** Follows the component itself and, where a wildcard stands, any. */
function walk<T>(node: TrieNode<T>, parts: readonly string[], at: number, into: T[]): void {
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
