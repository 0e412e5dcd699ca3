/** A part of a bench that is measured by itself: a file of its own, and one row in the table of its bench. */
import type { Row } from './report.ts'

/** Something that gives rows. */
export interface Part {
  /** By which `--only` finds it. */
  readonly name: string
  /** Measures. @param quick smaller and shorter: for a look, not for a quotation */
  measure(quick: boolean): AsyncIterable<Row>
}
