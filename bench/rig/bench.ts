/** A bench: a file of its own beside `main.ts`, and one row in its table. */
import type { Row } from './report.ts'

/** What a bench is given. */
export interface BenchRun {
  /** Fewer and shorter slices: for a look, not for a quotation. */
  readonly quick: boolean
  /** Measure only rows whose name contains this; empty: all. */
  readonly only: string
  /** Takes each row when it is measured. */
  done(row: Row): void
}

/** Something that can be measured. */
export interface Bench {
  readonly name: string
  /** One line for the usage text. */
  readonly about: string
  run(run: BenchRun): Promise<void>
}
