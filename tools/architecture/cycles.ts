/**
 * Finds import cycles.
 *
 * @param graph for each file, the files whose values it imports.
 * @returns each cycle once, as the files in order, the first repeated at the end.
 */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const done = new Set<string>()
  const path: string[] = []
  const cycles: (readonly string[])[] = []
  const visit = (file: string): void => {
    const seenAt = path.indexOf(file)
    if (seenAt !== -1) cycles.push([...path.slice(seenAt), file])
    if (seenAt !== -1 || done.has(file)) return
    path.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return cycles
}
