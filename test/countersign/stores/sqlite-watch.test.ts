import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Mark } from '../../../packages/countersign/src/core/records.ts'
import { sqlite, type SqliteRecords } from '../../../packages/countersign/src/stores/sqlite.ts'
import { watchWrites } from '../../../packages/countersign/src/stores/sqlite-watch.ts'
import { sampleMark } from '../../../packages/countersign/src/testing/rows.ts'
import { until } from '../support/sockets.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-news-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function open(name: string): SqliteRecords {
  const records = sqlite(join(folder, name))
  onTestFinished(() => records.close())
  return records
}

const mark = (value: string): Mark => sampleMark({ value, atMs: 1 })

describe('marks in a file that two processes share', () => {
  test('have numbers that grow, whoever writes them, and only then', async () => {
    const [own, other] = [open('numbers.db'), open('numbers.db')]
    const none = await own.newestMark()
    await other.putMark(mark('alice'))
    const first = await own.newestMark()
    expect(first).toBeGreaterThan(none)
    await other.putAccount({
      username: 'bob',
      roles: [],
      passwordHash: undefined,
      disabled: false,
      changedAtMs: 1,
    })
    expect(await own.newestMark()).toBe(first)
    await own.putMark(mark('bob'))
    expect(await own.newestMark()).toBeGreaterThan(first)
    expect(await other.newestMark()).toBe(await own.newestMark())
  })

  test('are announced by the system, in a file that was there before too, until nobody listens', async () => {
    open('news.db').close()
    const [own, other] = [open('news.db'), open('news.db')]
    let news = 0
    const stop = own.onWrite(() => news++)
    await other.putMark(mark('alice'))
    await until(() => news > 0)
    stop()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const told = news
    await other.putMark(mark('bob'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(news).toBe(told)
  })
})

test('a file that cannot be watched is one of which nothing is told', () => {
  expect(() => watchWrites(join(folder, 'none.db'), () => undefined)()).not.toThrow()
})
