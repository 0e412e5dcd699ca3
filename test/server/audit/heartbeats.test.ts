import { describe, expect, it } from 'vitest'
import { neglectOf } from '../../../packages/server/src/audit/heartbeats.ts'

const waitedMs = 46_000

describe('a peer that was kept although it answered nothing', () => {
  it('was never asked', () => {
    expect(neglectOf([], waitedMs)).toEqual({ kind: 'never asked' })
  })

  it.each([
    ['every 15 s, as late as can be', [15_000, 30_000, 45_000]],
    ['every 15 s, from the beginning', [20, 15_020, 30_020, 45_020]],
    ['every 22 s, early', [1_000, 23_000, 45_000]],
  ])('was asked %s', (_often, atMs) => {
    expect(neglectOf(atMs, waitedMs)).toEqual({ kind: 'kept', pings: atMs.length })
  })

  it.each([
    ['every 30 s', [12_000, 42_000], 'every 30000 ms'],
    ['every 20 s, late', [19_000, 39_000], 'every 20000 ms'],
    ['once', [25_000], 'one ping within 46 s'],
  ])('was asked %s: two intervals are not over', (_often, atMs, says) => {
    expect(neglectOf(atMs, waitedMs)).toMatchObject({
      kind: 'too early',
      says: expect.stringContaining(says) as string,
    })
  })
})
