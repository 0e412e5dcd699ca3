/**
 * Wildcard patterns by their components, one level of the tree for each (WAMP, advanced profile, "Wildcard Matching"). Who
 * wins where several patterns cover a URI is not the same for events and for calls: each index walks the tree itself.
 */

/** One component; the child under `''` stands for any component. Recursion is bounded by the components of a pattern. */
export interface TrieNode<T> {
  readonly children: Map<string, TrieNode<T>>
  /** What is filed under the pattern that ends here. */
  value: T | undefined
}

/** An empty tree. */
export function newTrie<T>(): TrieNode<T> {
  return { children: new Map(), value: undefined }
}

/** The value of exactly this pattern. */
export function valueAt<T>(root: TrieNode<T>, pattern: string): T | undefined {
  let node: TrieNode<T> | undefined = root
  for (const part of pattern.split('.')) node = node?.children.get(part)
  return node?.value
}

/** Files a value under a pattern. @returns whether there was none under it */
export function plant<T>(root: TrieNode<T>, pattern: string, value: T): boolean {
  let node = root
  for (const part of pattern.split('.')) {
    const known = node.children.get(part)
    const next = known ?? newTrie<T>()
    if (known === undefined) node.children.set(part, next)
    node = next
  }
  const isNew = node.value === undefined
  node.value = value
  return isNew
}

/** Takes a pattern out, and the nodes that led to it alone. @returns whether there was such a pattern */
export function uproot<T>(root: TrieNode<T>, pattern: string): boolean {
  return uprootBelow(root, pattern.split('.'), 0)
}

function uprootBelow<T>(node: TrieNode<T>, parts: readonly string[], at: number): boolean {
  const part = parts[at]
  if (part === undefined) {
    const held = node.value !== undefined
    node.value = undefined
    return held
  }
  const child = node.children.get(part)
  if (child === undefined || !uprootBelow(child, parts, at + 1)) return false
  if (child.value === undefined && child.children.size === 0) node.children.delete(part)
  return true
}
