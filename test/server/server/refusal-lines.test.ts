import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JournalEntry } from 'countersign'
import { createJournal } from '../../../packages/server/src/server/journal.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'

function refusal(reason: JournalEntry['reason']): JournalEntry {
  return {
    kind: 'refused',
    atMs: 0,
    guard: 'chat',
    method: undefined,
    subject: undefined,
    lease: undefined,
    reason,
    remoteAddress: '192.0.2.1',
    origin: undefined,
    detail: undefined,
  }
}

describe('a journal in a flood of refusals', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function open(): { journal: ReturnType<typeof createJournal>; lines: Record<string, unknown>[] } {
    const lines: Record<string, unknown>[] = []
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
    return { journal: createJournal(createLog({ destination: { write } })), lines }
  }

  it('writes a hundred a second one by one, and how many there were besides, by reason', () => {
    const { journal, lines } = open()
    for (let at = 0; at < 5_000; at++)
      journal.record(refusal(at % 5 === 0 ? 'overloaded' : 'invalid_credential'))
    expect(lines).toHaveLength(100)
    expect(journal.recent()).toHaveLength(100)
    vi.advanceTimersByTime(1_000)
    expect(lines.slice(100).map(({ reason, count }) => [reason, count])).toEqual([
      ['overloaded', 980],
      ['invalid_credential', 3_920],
    ])
  })

  it('writes one by one again when it is over, and says nothing about nothing', () => {
    const { journal, lines } = open()
    for (let round = 0; round < 3; round++) {
      journal.record(refusal('overloaded'))
      vi.advanceTimersByTime(1_000)
    }
    expect(lines.map(({ msg }) => msg)).toEqual(['refused', 'refused', 'refused'])
  })

  it('never leaves out what is no refusal', () => {
    const { journal, lines } = open()
    for (let at = 0; at < 300; at++) journal.record({ ...refusal(undefined), kind: 'ended' })
    expect(lines).toHaveLength(300)
  })
})
