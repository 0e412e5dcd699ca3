import { describe, expect, it } from 'vitest'
import { alignColumns, printable, writeTable } from '../../../packages/server/src/cli/table.ts'

describe('a table', () => {
  it('aligns its columns two blanks apart and leaves nothing at the ends of lines', () => {
    expect(
      writeTable(
        ['NAME', 'ROLES'],
        [
          ['alice', 'a'],
          ['bo', ''],
        ],
      ),
    ).toEqual(['NAME   ROLES', 'alice  a', 'bo'])
  })

  it('counts characters, not UTF-16 units', () => {
    expect(
      alignColumns([
        ['𝒶𝒷', 'x'],
        ['abc', 'y'],
      ]),
    ).toEqual(['𝒶𝒷   x', 'abc  y'])
  })

  it('of nothing is nothing', () => {
    expect(alignColumns([])).toEqual([])
  })
})

describe('text from a store', () => {
  it('loses what would move the cursor or turn the line around', () => {
    expect(printable('a\u001b[31mb\n\u202ec')).toBe('a?[31mb??c')
  })
})
