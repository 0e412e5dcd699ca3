/** Lists of roles, one copy of each: every live connection holds one, and there are few different ones. */

/** How many lists are remembered; beyond that a list is its own copy. */
const maxLists = 1_000

/** Longest list that is remembered, in characters of JSON. */
const maxLength = 1_024

const lists = new Map<string, readonly string[]>()
/** Those lists themselves: whoever has one already gets it back without a look at what is in it. */
const known = new WeakSet<readonly string[]>()

/** A frozen list of these roles in this order: the same object for the same roles, the caller's own untouched. */
export function sharedRoles(roles: readonly string[]): readonly string[] {
  if (known.has(roles)) return roles
  const key = JSON.stringify(roles)
  const shared = lists.get(key)
  if (shared !== undefined) return shared
  const list: readonly string[] = Object.freeze([...roles])
  if (lists.size < maxLists && key.length <= maxLength) lists.set(key, list)
  known.add(list)
  return list
}
