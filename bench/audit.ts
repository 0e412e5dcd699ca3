/** What the audit finds: fixtures and packages with known holes, examples with planted ones, and our own endpoints, which have none. */
import { part as examples } from './audit/part-examples.ts'
import { part as fixtures } from './audit/part-fixtures.ts'
import { part as own } from './audit/part-own.ts'
import { part as packages } from './audit/part-packages.ts'
import type { Bench } from './rig/bench.ts'
import type { Part } from './rig/part.ts'

/** Every part; a new one is a file and a row here. */
const parts: readonly Part[] = [fixtures, packages, examples, own]

/** The audit bench. */
export const bench: Bench = {
  name: 'audit',
  about: 'holes that the audit finds where they are known, and finds where there are none',
  async run({ quick, only, done }) {
    for (const part of parts.filter(({ name }) => name.includes(only)))
      for await (const row of part.measure(quick)) done(row)
  },
}
