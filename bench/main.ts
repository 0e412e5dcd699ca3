/**
 * `npm run bench [-- NAME…] [--quick] [--only TEXT] [--json FILE]`: measures what Countersign costs, each figure beside
 * its floor in the same run, prints a table and writes JSON. Missed targets are told, never punished: the exit code is
 * 1 only when a measurement itself fails.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bench as adapters } from './adapters.ts'
import { bench as audit } from './audit.ts'
import { bench as doors } from './doors.ts'
import { bench as leases } from './leases.ts'
import { bench as memory } from './memory.ts'
import { bench as messages } from './messages.ts'
import type { Bench } from './rig/bench.ts'
import { pinGenerator, pins } from './rig/process.ts'
import { jsonOf, tablesOf, type Row } from './rig/report.ts'
import { bench as wamp } from './wamp.ts'

/** Every bench; a new one is a file and a row here. */
const benches: readonly Bench[] = [doors, messages, memory, leases, wamp, adapters, audit]

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: join(import.meta.dirname, 'results.json') },
    help: { type: 'boolean', default: false },
  },
})

const unknown = names.filter((name) => !benches.some((bench) => bench.name === name))
if (options.help || unknown.length > 0) {
  console.log(usage())
  process.exitCode = unknown.length > 0 ? 2 : 0
} else await measure()

function usage(): string {
  const lines = benches.map((bench) => `  ${bench.name.padEnd(10)}${bench.about}`)
  return ['npm run bench [-- NAME…] [--quick] [--only TEXT] [--json FILE]', '', ...lines].join('\n')
}

async function measure(): Promise<void> {
  pinGenerator()
  console.log(
    `Node ${process.version}; ${pins ? 'server and generator on a core each' : 'processes not bound to cores'}`,
  )
  const all: Row[] = []
  for (const bench of benches) {
    if (names.length > 0 && !names.includes(bench.name)) continue
    const rows: Row[] = []
    await bench.run({
      quick: options.quick,
      only: options.only,
      done(row) {
        console.error(`measured ${bench.name}: ${row.name}`)
        rows.push(row)
        writeFileSync(options.json, jsonOf([...all, ...rows]))
      },
    })
    if (rows.length > 0) console.log(`\n${bench.name}: ${bench.about}\n${tablesOf(rows)}`)
    all.push(...rows)
  }
}
