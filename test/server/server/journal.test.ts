import type { JournalEntry } from 'countersign'
import { describe, expect, it } from 'vitest'
import { createJournal } from '../../../packages/server/src/server/journal.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'

function entry(kind: JournalEntry['kind'], lease?: string): JournalEntry {
  return {
    kind,
    atMs: 1,
    guard: 'D2',
    method: undefined,
    subject: undefined,
    lease,
    reason: undefined,
    remoteAddress: undefined,
    origin: undefined,
    detail: undefined,
  }
}

describe('journal', () => {
  it('writes what is known of an entry as one line', () => {
    const lines: string[] = []
    const journal = createJournal(createLog({ destination: { write: (line) => void lines.push(line) } }))
    journal.record(entry('refused'))
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 40,
      time: expect.any(Number),
      atMs: 1,
      guard: 'D2',
      msg: 'refused',
    })
  })

  it('keeps the latest entries and tells them to whoever listens', () => {
    const journal = createJournal(createLog({ level: 'silent' }), 2)
    const heard: string[] = []
    const stop = journal.subscribe((one) => void heard.push(one.lease ?? ''))
    for (const lease of ['a', 'b', 'c']) journal.record(entry('accepted', lease))
    stop()
    journal.record(entry('accepted', 'd'))
    expect(journal.recent().map((one) => one.lease)).toEqual(['c', 'd'])
    expect(heard).toEqual(['a', 'b', 'c'])
  })

  it('goes on when a listener throws', () => {
    const journal = createJournal(createLog({ level: 'silent' }))
    const heard: string[] = []
    journal.subscribe(() => {
      throw new Error('gone')
    })
    journal.subscribe((one) => void heard.push(one.kind))
    journal.record(entry('error'))
    expect(heard).toEqual(['error'])
  })
})
