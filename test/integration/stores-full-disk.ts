/**
 * A process that may write little: `node stores-full-disk.ts FILE`, under `ulimit -f`. Puts tickets until the file may
 * grow no more, takes each that was put, and writes as JSON how often that failed and how many keys it was given.
 */
import { sqlite } from 'countersign/stores/sqlite'
import { sampleTicket } from 'countersign/testing'

// Without a listener the signal ends the process; with one, writes fail as on a full disk.
process.on('SIGXFSZ', () => {})
const records = sqlite(process.argv[2] ?? '')
const kept = []
try {
  for (let at = 0; at < 100_000; at++) {
    const row = sampleTicket()
    await records.putTicket(row)
    kept.push(row.key)
  }
} catch {
  // That is the point from which nothing can be written.
}
const taken: string[] = []
let failed = 0
for (const key of kept) {
  try {
    if ((await records.takeTicket(key)) !== undefined) taken.push(key)
  } catch {
    failed++
  }
}
process.stdout.write(JSON.stringify({ kept: kept.length, failed, taken }))
