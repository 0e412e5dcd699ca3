import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { MaybePromise } from '../../../packages/countersign/src/core/records.ts'
import { asOutage, isBusy, LockQueue } from '../../../packages/countersign/src/stores/sqlite-locks.ts'
import { inTransaction } from '../../../packages/countersign/src/stores/sqlite-transaction.ts'

const busy = Object.assign(new Error('database is locked'), { errcode: 5 })

/** Work that finds the lock held so many times and then answers. */
function contended<T>(times: number, answer: T): () => T {
  let left = times
  return () => {
    if (left-- > 0) throw busy
    return answer
  }
}

describe('the queue for the lock', () => {
  test('answers at once, undefined too, when the lock is free', () => {
    const queue = new LockQueue({ maxWaitMs: 1000, maxWaiting: 10 }, () => {})
    expect(queue.write(() => undefined)).toBeUndefined()
    expect(queue.read(() => 'row')).toBe('row')
  })

  test('lets reads wait too where even they are stopped', async () => {
    const queue = new LockQueue({ maxWaitMs: 1000, maxWaiting: 10 }, () => {})
    const read = queue.read(contended(2, 'row'))
    expect(read).toBeInstanceOf(Promise)
    expect(await read).toBe('row')
  })

  test('keeps the order of writes, and forbids blocking while anyone waits', async () => {
    const told: boolean[] = []
    const queue = new LockQueue({ maxWaitMs: 1000, maxWaiting: 10 }, (may) => told.push(may))
    const done: string[] = []
    const first = queue.write(contended(3, 'first'))
    const second = queue.write(() => done.push('second'))
    await Promise.all([first, second])
    expect(done).toEqual(['second'])
    expect(told[0]).toBe(false)
    expect(told.at(-1)).toBe(true)
    expect(told.slice(0, -1)).not.toContain(true)
  })

  test('gives the event loop its turn between long pieces of work', async () => {
    const queue = new LockQueue({ maxWaitMs: 1000, maxWaiting: 100 }, () => {})
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    const slow = (): void => {
      const untilMs = performance.now() + 6
      while (performance.now() < untilMs);
    }
    const writes: MaybePromise<unknown>[] = [queue.write(contended(1, undefined))]
    for (let at = 0; at < 5; at++) writes.push(queue.write(slow))
    for (const write of writes) await write
    clearInterval(counting)
    expect(turns).toBeGreaterThan(1)
  })
})

describe('errors of SQLite', () => {
  test.each([
    [busy, true],
    [Object.assign(new Error('snapshot'), { errcode: 517 }), true],
    [Object.assign(new Error('protocol'), { errcode: 15 }), true],
    [Object.assign(new Error('constraint'), { errcode: 1555 }), false],
    [Object.assign(new Error('odd'), { errcode: '5' }), false],
    [new Error('other'), false],
    ['no error', false],
  ])('%s means that a lock is held: %s', (error, held) => {
    expect(isBusy(error)).toBe(held)
  })

  test('become outages that keep their cause, and outages stay what they are', () => {
    expect(asOutage(busy)).toMatchObject({ code: 'records_unavailable', cause: busy })
    const outage = new OutageError('keys_unavailable', 'keys')
    expect(asOutage(outage)).toBe(outage)
  })
})

describe('a transaction', () => {
  test('undoes what was done before a throw, even if SQLite has rolled back by itself', () => {
    const db = new DatabaseSync(':memory:')
    db.exec('CREATE TABLE t (x)')
    for (const last of ['SELECT 1', 'ROLLBACK']) {
      const work = (): void => {
        db.exec('INSERT INTO t VALUES (1)')
        db.exec(last)
        throw new Error('failed')
      }
      expect(() => inTransaction(db, work)).toThrow('failed')
      expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 0 })
    }
    db.close()
  })
})
