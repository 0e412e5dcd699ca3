import { posix } from 'node:path'
import type { Arrows, Room } from './arrows.ts'
import { findBanned } from './bans.ts'
import { findCycles } from './cycles.ts'
import { findImports } from './imports.ts'
import type { Import } from './imports.ts'
import { lex } from './lex.ts'

const maxLines = 400

/** Sources by their path from the repository's root, such as `packages/countersign/src/core/guard.ts`. */
export type Sources = ReadonlyMap<string, string>

interface Place {
  readonly file: string
  readonly package: string
  readonly roomName: string
}

/**
 * Holds sources against the arrow table.
 *
 * @returns one line for each violation, with file and line number; empty when there is none.
 */
export function checkArchitecture(sources: Sources, arrows: Arrows): readonly string[] {
  const graph = new Map<string, string[]>()
  const violations: string[] = []
  for (const [file, text] of sources) {
    const lexed = lex(text)
    const imports = findImports(lexed)
    graph.set(file, valueTargets(file, imports))
    const place = placeOf(file)
    const room = place === undefined ? undefined : arrows.get(place.package)?.get(place.roomName)
    if (place === undefined || room === undefined) {
      violations.push(`${file}: stands in no room of the arrow table`)
      continue
    }
    violations.push(
      ...imports.flatMap((each) => judgeImport(each, place, room)),
      ...findBanned(lexed.bare, room.manner).map(
        ({ name, line }) => `${file}:${String(line)}: ${name} is banned in the room ${place.roomName}`,
      ),
      ...judgeLength(file, text),
    )
  }
  return [...violations, ...findCycles(graph).map((cycle) => `import cycle: ${cycle.join(' → ')}`)]
}

/** A file directly under `src` is a room of its own, named for the file: `index`. */
function placeOf(file: string): Place | undefined {
  const match = /^packages\/([^/]+)\/src\/([^/]+?)(?:\.ts$|\/)/.exec(file)
  return match === null ? undefined : { file, package: match[1] ?? '', roomName: match[2] ?? '' }
}

function valueTargets(file: string, imports: readonly Import[]): string[] {
  return imports
    .filter(({ specifier, typesOnly }) => specifier.startsWith('.') && !typesOnly)
    .map(({ specifier }) => posix.join(posix.dirname(file), specifier))
}

function judgeImport(each: Import, place: Place, room: Room): readonly string[] {
  const allowed = each.specifier.startsWith('.')
    ? allowsRelative(each, place, room)
    : allowsOutside(each.specifier, place.file, room)
  if (allowed) return []
  const what = each.typesOnly ? 'import types from' : 'import'
  return [`${place.file}:${String(each.line)}: the room ${place.roomName} may not ${what} ${each.specifier}`]
}

function allowsRelative({ specifier, typesOnly }: Import, place: Place, room: Room): boolean {
  const target = placeOf(posix.join(posix.dirname(place.file), specifier))
  if (target === undefined || target.package !== place.package) return false
  if (target.roomName === place.roomName || room.rooms.has(target.roomName)) return true
  return typesOnly && room.typesOf.has(target.roomName)
}

function allowsOutside(specifier: string, file: string, room: Room): boolean {
  return room.outside.some(({ name, files }) => {
    if (!posix.basename(file).startsWith(files)) return false
    return name === '*' || name === specifier || (name === 'node:*' && specifier.startsWith('node:'))
  })
}

function judgeLength(file: string, text: string): readonly string[] {
  const lines = text.trimEnd().split('\n').length
  return lines > maxLines ? [`${file}: ${String(lines)} lines, more than ${String(maxLines)}`] : []
}
