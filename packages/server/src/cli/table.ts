/** Aligned columns, one row a line, nothing drawn: easy to read and to cut. */

/** Lines of a table under its head. Columns are two blanks apart; the last one is not padded. */
export function writeTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return alignColumns([head, ...rows])
}

/** As `writeTable`, without a head. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, width(cell))))
  }
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function pad(cell: string, wanted: number): string {
  return cell + ' '.repeat(Math.max(0, wanted - width(cell)))
}

/** Characters, not UTF-16 units. Names are shown as they are: `printable` has removed what would move the cursor. */
function width(cell: string): number {
  return Array.from(cell).length
}

/** Text from a store or a file, safe on a terminal: control characters become `?`. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
}
