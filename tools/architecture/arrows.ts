/** How far a room may lean on what surrounds it. */
export type Manner = 'pure' | 'portable' | 'any'

/** One row of the arrow table. */
export interface Room {
  /** Rooms whose values and types it may import. */
  readonly rooms: ReadonlySet<string>
  /** Rooms of which it may import types only. */
  readonly typesOf: ReadonlySet<string>
  readonly outside: readonly Outside[]
  readonly manner: Manner
}

/** A module from outside the package that a room may import. */
export interface Outside {
  /** A module's name, `node:*` for all of Node, or `*` for anything. */
  readonly name: string
  /** The beginning of the names of the files that may; `''` for all. */
  readonly files: string
}

/** The rooms of each package, by package folder and then by name. */
export type Arrows = ReadonlyMap<string, ReadonlyMap<string, Room>>

const heading = /^<!-- arrows: (\S+) -->$/
const manners: Readonly<Record<string, Manner>> = { pure: 'pure', portable: 'portable', '–': 'any' }

/**
 * Reads the arrow tables out of ARCHITECTURE.md: each follows a comment `<!-- arrows: PACKAGE -->`.
 *
 * @throws Error when a row is malformed or names a room that has no row: a rule that nobody can break is no rule.
 */
export function readArrows(markdown: string): Arrows {
  const packages = new Map<string, Map<string, Room>>()
  let current: Map<string, Room> | undefined
  for (const line of markdown.split('\n')) {
    const name = heading.exec(line.trim())?.[1]
    if (name !== undefined) packages.set(name, (current = new Map()))
    else if (line.startsWith('|') && current !== undefined) addRow(current, line)
    else if (line.startsWith('#')) current = undefined
  }
  if (packages.size === 0) throw new Error('no arrow table found')
  for (const rooms of packages.values()) refuseUnknownRooms(rooms)
  return packages
}

function addRow(rooms: Map<string, Room>, line: string): void {
  const cells = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
  const [name = '', mayImport = '', outside = '', mannerText = ''] = cells
  if (name === 'room' || name.startsWith('---')) return
  const manner = manners[mannerText]
  if (cells.length !== 4 || manner === undefined) throw new Error(`malformed row in the arrow table: ${line}`)
  const entries = list(mayImport)
  rooms.set(name, {
    rooms: new Set(entries.filter(({ note }) => note !== 'types').map((entry) => entry.name)),
    typesOf: new Set(entries.filter(({ note }) => note === 'types').map((entry) => entry.name)),
    outside: list(outside).map((entry) => ({ name: entry.name, files: entry.note })),
    manner,
  })
}

function list(cell: string): readonly { readonly name: string; readonly note: string }[] {
  if (cell === '–') return []
  return cell.split(',').map((entry) => {
    const [, name = '', note = ''] = /^(\S+)(?: \((\S+)\))?$/.exec(entry.trim()) ?? []
    if (name === '') throw new Error(`malformed entry in the arrow table: ${entry}`)
    return { name, note }
  })
}

function refuseUnknownRooms(rooms: ReadonlyMap<string, Room>): void {
  for (const [name, room] of rooms) {
    for (const other of [...room.rooms, ...room.typesOf]) {
      if (!rooms.has(other)) throw new Error(`the room ${name} may import ${other}, which has no row`)
    }
  }
}
