import { describe, expect, test } from 'vitest'
import { adviceAfter, closeAdvice, statusAdvice } from '../../../packages/countersign/src/client/advice.ts'
import { reasonAdvice } from '../../../packages/countersign/src/client/reason-advice.ts'
import { reasons, type Advice, type Reason } from '../../../packages/countersign/src/index.ts'

const rows = Object.entries(reasons).map(([reason, row]) => ({ reason, ...row }))

describe('a client’s advice', () => {
  test('by close code is that of the table of refusals, row by row', () => {
    const told = rows.filter(({ close }) => close !== undefined)
    expect(told.length).toBeGreaterThan(15)
    for (const { close = 0, advice, reason } of told)
      expect([reason, closeAdvice[close]]).toEqual([reason, advice])
  })

  test('has no code of Countersign’s own that the table of refusals has not', () => {
    const known = new Set(rows.map(({ close }) => close))
    const own = Object.keys(closeAdvice)
      .map(Number)
      .filter((code) => code >= 3000)
    expect(own.filter((code) => !known.has(code))).toEqual([])
  })

  test('by HTTP status stops wherever the table of refusals stops', () => {
    for (const { status, advice } of rows) {
      if (status === undefined || status === 500 || status === 503) continue
      expect([status, statusAdvice[status]]).toEqual([status, advice])
    }
  })

  test('by word is that of the table of refusals', () => {
    for (const { reason, advice } of rows) expect([reason, reasonAdvice(reason)]).toEqual([reason, advice])
    const stops: readonly string[] = ['no such word', 'constructor', '__proto__', '']
    expect(stops.map(reasonAdvice)).toEqual(stops.map((): Advice => 'stop'))
    const word: Reason = 'internal'
    expect(reasonAdvice(word)).toBe('back_off')
  })

  test('goes by the status where one was told, and backs off from what nobody knows', () => {
    expect(adviceAfter({ code: 1006, reason: '', wasClean: false, status: 403 })).toBe('stop')
    expect(adviceAfter({ code: 1006, reason: '', wasClean: false, status: 503 })).toBe('back_off')
    expect(adviceAfter({ code: 1015, reason: '', wasClean: false })).toBe('back_off')
    expect(adviceAfter({ code: 4999, reason: '', wasClean: true })).toBe('back_off')
  })
})
