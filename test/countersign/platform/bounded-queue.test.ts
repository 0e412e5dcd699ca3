import { describe, expect, test } from 'vitest'
import { BoundedQueue } from '../../../packages/countersign/src/platform/bounded-queue.ts'

/** Work that ends when it is told to, and counts how much of it runs at once. */
function workshop(): {
  readonly work: () => Promise<number>
  readonly finish: () => void
  readonly most: () => number
} {
  const finishers: (() => void)[] = []
  let running = 0
  let most = 0
  return {
    async work() {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => finishers.push(resolve))
      return running--
    },
    finish: () => finishers.shift()?.(),
    most: () => most,
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the bounded queue', () => {
  test('runs no more at once than it may', async () => {
    const { work, finish, most } = workshop()
    const queue = new BoundedQueue(2, 10)
    const all = Array.from({ length: 6 }, () => queue.run(work))
    for (let at = 0; at < 6; at++) {
      await turn()
      finish()
    }
    for (const one of all) await one
    expect(most()).toBe(2)
  })

  test('refuses at once what would wait behind too many, and takes more when there is room again', async () => {
    const { work, finish } = workshop()
    const queue = new BoundedQueue(1, 1)
    const first = queue.run(work)
    const second = queue.run(work)
    expect(queue.run(work)).toBeUndefined()
    finish()
    await first
    const third = queue.run(work)
    expect(third).toBeDefined()
    for (const one of [second, third]) {
      await turn()
      finish()
      await one
    }
  })

  test('gives the free place to who waits, not to who comes at that moment', async () => {
    const { work, finish, most } = workshop()
    const queue = new BoundedQueue(1, 5)
    const first = queue.run(work)
    const second = queue.run(work)
    const third = first?.then(() => queue.run(work))
    finish()
    for (let at = 0; at < 2; at++) {
      await turn()
      finish()
    }
    await Promise.all([second, third])
    expect(most()).toBe(1)
  })

  test('goes on after work that failed', async () => {
    const queue = new BoundedQueue(1, 1)
    const failing = queue.run(() => Promise.reject(new Error('failed')))
    const next = queue.run(() => Promise.resolve('done'))
    await expect(failing).rejects.toThrow('failed')
    await expect(next).resolves.toBe('done')
  })

  test('lets nobody wait when none may', () => {
    const queue = new BoundedQueue(1, 0)
    void queue.run(() => new Promise(() => {}))
    expect(queue.run(() => Promise.resolve())).toBeUndefined()
  })

  test('gives one source at most half of the places, and serves sources in turn', async () => {
    const queue = new BoundedQueue(1, 4)
    const served: string[] = []
    const begin = Promise.withResolvers<undefined>()
    const first = queue.run(() => begin.promise)
    const run = (name: string, source: string): Promise<void> | undefined =>
      queue.run(() => Promise.resolve(void served.push(name)), source)
    const greedy = ['a1', 'a2', 'a3', 'a4'].map((name) => run(name, 'a'))
    expect(greedy.map((one) => one === undefined)).toEqual([false, false, true, true])
    const others = [run('b1', 'b'), run('c1', 'c')]
    expect(others).not.toContain(undefined)
    expect(run('b2', 'b')).toBeUndefined()
    begin.resolve(undefined)
    await Promise.all([first, ...greedy, ...others])
    expect(served).toEqual(['a1', 'b1', 'c1', 'a2'])
  })

  test('gives a source that has no place the last one of the source that has most, while that has two', async () => {
    const queue = new BoundedQueue(1, 4)
    const served: string[] = []
    const begin = Promise.withResolvers<undefined>()
    const first = queue.run(() => begin.promise)
    const run = (name: string, source: string): Promise<number | undefined> | undefined =>
      queue.run(async () => served.push(name), source)
    const waiting = [run('a1', 'a'), run('a2', 'a'), run('b1', 'b'), run('c1', 'c'), run('d1', 'd')]
    expect(await waiting[1]).toBeUndefined()
    expect(run('e1', 'e')).toBeUndefined()
    begin.resolve(undefined)
    await Promise.all([first, ...waiting])
    expect(served).toEqual(['a1', 'b1', 'c1', 'd1'])
  })
})
