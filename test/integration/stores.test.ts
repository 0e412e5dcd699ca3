import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Hash } from 'countersign'
import { sqlite } from 'countersign/stores/sqlite'
import { sampleMark, sampleTicket } from 'countersign/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const processes = 4
const kills = 25

let folder = ''
let file = ''
const started: ChildProcessByStdio<Writable, Readable, null>[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-stores-'))
  file = join(folder, 'countersign.db')
})
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** Puts so many tickets into the file and answers their keys. */
async function putTickets(count: number): Promise<readonly Hash[]> {
  const records = sqlite(file)
  const rows = Array.from({ length: count }, () => sampleTicket())
  for (const row of rows) await records.putTicket(row)
  await records.close()
  return rows.map(({ key }) => key)
}

interface Redeemer {
  /** Lets it begin. */
  readonly go: () => void
  readonly kill: () => void
  /** Complete lines that it wrote after `open`, and how it ended. */
  readonly done: Promise<{ readonly lines: readonly string[]; readonly code: number | null }>
  /** Settles when it has written so much that a line is complete. */
  readonly wrote: Promise<unknown>
}

/** Starts a process that redeems these keys, and waits until it has opened the file. */
async function redeemer(keys: readonly Hash[]): Promise<Redeemer> {
  const keyFile = join(folder, `keys-${String(started.length)}`)
  writeFileSync(keyFile, keys.join('\n'))
  const script = join(import.meta.dirname, 'stores-redeemer.ts')
  const child = spawn(process.execPath, ['--conditions=countersign-source', script, file, keyFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  started.push(child)
  // Ended by a signal, it reads its input no more.
  child.stdin.on('error', () => {})
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), ended])
  expect(output).toBe('open\n')
  return {
    go: () => void child.stdin.write('go\n'),
    kill: () => void child.kill('SIGKILL'),
    wrote: Promise.race([once(child.stdout, 'data'), ended]),
    done: ended.then(([code]: readonly unknown[]) => ({
      lines: output.split('\n').slice(1, -1),
      code: typeof code === 'number' ? code : null,
    })),
  }
}

/** The same keys in another order. */
function shuffled(keys: readonly Hash[]): readonly Hash[] {
  return keys
    .map((key) => ({ key, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ key }) => key)
}

const isKey = (line: string): boolean => /^[\w-]{43}$/.test(line)

describe('four processes on one SQLite file', () => {
  test.each([
    ['in the same order', (keys: readonly Hash[]) => keys],
    ['each in an order of its own', shuffled],
  ])('win each of 2,000 tickets exactly once, taking them %s', async (_name, arrange) => {
    const keys = await putTickets(2000)
    const all = await Promise.all(Array.from({ length: processes }, () => redeemer(arrange(keys))))
    for (const { go } of all) go()
    const outcomes = await Promise.all(all.map(({ done }) => done))
    expect(outcomes.map(({ code }) => code)).toEqual(Array.from({ length: processes }, () => 0))
    const winners = outcomes.flatMap(({ lines }) => lines.filter(isKey))
    expect(winners.length).toBe(keys.length)
    expect(new Set(winners)).toEqual(new Set(keys))
  })

  test('make the file together when there is none', async () => {
    const all = await Promise.all(Array.from({ length: processes }, () => redeemer([])))
    for (const { go } of all) go()
    for (const { done } of all) expect((await done).code).toBe(0)
  })

  test('never stand still for long while another holds the lock', async () => {
    const keys = await putTickets(200)
    const records = sqlite(file)
    const redeeming = await redeemer(keys)
    redeeming.go()
    const turn = (): Promise<undefined> => new Promise((resolve) => setImmediate(() => resolve(undefined)))
    // A large sweep, again and again, is what other processes do to each other.
    while ((await Promise.race([redeeming.done, turn()])) === undefined) {
      await records.putMark(sampleMark({ value: String(Math.random()) }))
      await records.sweep(0)
    }
    const { lines, code } = await redeeming.done
    await records.close()
    expect(code).toBe(0)
    expect(lines.filter(isKey)).toHaveLength(keys.length)
    const pausedMs = Number(lines.at(-1)?.replace('paused ', ''))
    // 50 ms is the bound of one wait; the rest is what a busy machine adds.
    expect(pausedMs).toBeLessThan(400)
  })
})

test('a ticket that was reported as taken is never usable again, wherever kill -9 strikes', async () => {
  const keys = await putTickets(10_000)
  const reported = new Set<string>()
  let struck = 0
  for (let from = 0; struck < kills && from < keys.length;) {
    const redeeming = await redeemer(keys.slice(from))
    redeeming.go()
    await redeeming.wrote
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 12))
    redeeming.kill()
    const { lines, code } = await redeeming.done
    if (code === null) struck++
    for (const line of lines) {
      expect(isKey(line)).toBe(true)
      expect(reported.has(line)).toBe(false)
      reported.add(line)
    }
    from = keys.findLastIndex((key) => reported.has(key)) + 1
  }
  expect(struck).toBe(kills)

  const records = sqlite(file)
  let usable = 0
  for (const key of keys) {
    const row = await records.takeTicket(key)
    if (row === undefined) continue
    usable++
    expect(reported.has(key)).toBe(false)
  }
  await records.close()
  expect(reported.size).toBeGreaterThanOrEqual(kills)
  // Taken and not reported, lost to its owner and to everybody: at most the one that each kill interrupted.
  const lost = keys.length - reported.size - usable
  expect(lost).toBeGreaterThanOrEqual(0)
  expect(lost).toBeLessThanOrEqual(kills)
})

test('a ticket whose removal cannot be written, the disk being full, is given to nobody', async () => {
  const script = join(import.meta.dirname, 'stores-full-disk.ts')
  const node = [process.execPath, '--conditions=countersign-source', script, file]
  // The limit is in blocks of 512 or 1,024 bytes: the write-ahead log reaches it after some hundred tickets.
  const output = execFileSync('sh', ['-c', 'ulimit -f 1500 && exec "$@"', 'sh', ...node], {
    encoding: 'utf8',
  })
  const outcome = JSON.parse(output) as { kept: number; failed: number; taken: readonly Hash[] }
  expect(outcome.kept).toBeGreaterThan(10)
  expect(outcome.failed).toBeGreaterThan(0)
  expect(outcome.failed + outcome.taken.length).toBe(outcome.kept)
  const records = sqlite(file)
  for (const key of outcome.taken) expect(await records.takeTicket(key)).toBeUndefined()
  await records.close()
})
