/**
 * A process that redeems tickets from a SQLite file: `node stores-redeemer.ts FILE KEYS`. KEYS names a file of keys, a
 * line each. Says `open` when it has opened the file, waits for a line on its input, then takes every key in order and
 * writes each key that it was given, a line each, before it takes the next. Says `paused MS` at the end: the longest
 * that its event loop stood still.
 */
import { readFileSync, writeSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { once } from 'node:events'
import type { Hash } from 'countersign'
import { sqlite } from 'countersign/stores/sqlite'

const [file = '', keyFile = ''] = process.argv.slice(2)
const records = sqlite(file)
// The keys were made by `sampleHash`.
const keys = readFileSync(keyFile, 'utf8').trim().split('\n') as Hash[]
const delay = monitorEventLoopDelay({ resolution: 5 })

writeSync(1, 'open\n')
await once(process.stdin, 'data')
delay.enable()
for (const [at, key] of keys.entries()) {
  if ((await records.takeTicket(key)) !== undefined) writeSync(1, `${key}\n`)
  // Calls that are answered at once never let the event loop go round.
  if (at % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
}
delay.disable()
writeSync(1, `paused ${String(delay.max / 1e6)}\n`)
await records.close()
process.exit()
