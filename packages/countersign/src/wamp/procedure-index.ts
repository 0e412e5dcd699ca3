/** Registrations by procedure and pattern (WAMP, advanced profile, pattern-based registrations). */
import type { Registration } from './dealer-types.ts'
import { PrefixLengths } from './prefix-lengths.ts'
import type { Match } from './uri.ts'
import { newTrie, plant, uproot, type TrieNode } from './wildcard-trie.ts'

/**
 * Finds the one registration that a call goes to: the exact one, else the longest prefix, else the best wildcard.
 * One lookup where a procedure is registered exactly, whatever patterns there are.
 *
 * The specification compares prefixes as text (`com.obj1` covers `com.obj1-sub`), and its worked example as components
 * (`a1.b2.c3` does not cover `a1.b2.c33.d4.e5`, which a wildcard gets). Both hold here: where every prefix that fits ends
 * within a component, a wildcard that fits goes first.
 */
export class ProcedureIndex {
  readonly #tables: Readonly<Record<Match, Map<string, Registration>>> = {
    exact: new Map(),
    prefix: new Map(),
    wildcard: new Map(),
  }
  readonly #root: TrieNode<Registration> = newTrie()
  readonly #lengths = new PrefixLengths()

  /** Files a registration; there is none yet under this text and policy. */
  add(registration: Registration): void {
    const { match, procedure } = registration
    this.#tables[match].set(procedure, registration)
    if (match === 'prefix') this.#lengths.add(procedure.length)
    if (match === 'wildcard') plant(this.#root, procedure, registration)
  }

  /** Takes one out. */
  remove(registration: Registration): void {
    const { match, procedure } = registration
    this.#tables[match].delete(procedure)
    if (match === 'prefix') this.#lengths.remove(procedure.length)
    if (match === 'wildcard') uproot(this.#root, procedure)
  }

  /** The registration of exactly this text under this matching policy. */
  at(procedure: string, match: Match): Registration | undefined {
    return this.#tables[match].get(procedure)
  }

  /** The registration that a call of this URI goes to. */
  best(uri: string): Registration | undefined {
    const exact = this.#tables.exact.get(uri)
    if (exact !== undefined) return exact
    const prefix = this.#longestPrefix(uri, anywhere)
    if (this.#tables.wildcard.size === 0) return prefix
    if (prefix !== undefined && this.#longestPrefix(uri, endsComponent) !== undefined) return prefix
    return walk(this.#root, uri.split('.'), 0) ?? prefix
  }

  /** Ids of all registrations of one matching policy, oldest first. */
  ids(match: Match): number[] {
    return Array.from(this.#tables[match].values(), (registration) => registration.id)
  }

  /** Prefixes of one URI differ in length, and the longer one has at least as many components in it. */
  #longestPrefix(uri: string, may: (uri: string, length: number) => boolean): Registration | undefined {
    for (const length of this.#lengths.descending) {
      if (length > uri.length || !may(uri, length)) continue
      const found = this.#tables.prefix.get(uri.slice(0, length))
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** Prefixes are compared as text. */
function anywhere(): boolean {
  return true
}

/** Whether a component ends where a prefix of this length does. */
function endsComponent(uri: string, length: number): boolean {
  return length === 0 || length === uri.length || uri[length] === '.' || uri[length - 1] === '.'
}

/**
 * The named component before the wildcard, at every step: of two patterns that fit, the one with the longer literal run
 * before its first wildcard wins, then the one with the longer second run, and so on. Visits each node once at most.
 */
function walk(node: TrieNode<Registration>, parts: readonly string[], at: number): Registration | undefined {
  const part = parts[at]
  if (part === undefined) return node.value
  const named = node.children.get(part)
  const found = named === undefined ? undefined : walk(named, parts, at + 1)
  if (found !== undefined || part === '') return found
  const any = node.children.get('')
  return any === undefined ? undefined : walk(any, parts, at + 1)
}
