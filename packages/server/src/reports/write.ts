/** Every form of a report that is a file. */
import type { Report } from '../audit/audit.ts'
import { programVersion } from '../server/version.ts'
import { toHtml } from './html.ts'
import { toJson } from './json.ts'
import { toJunit } from './junit.ts'
import { printableJson } from './printable.ts'
import { toSarif, type SarifPlace } from './sarif.ts'

/** A form of a report. */
export type ReportFormat = 'html' | 'json' | 'sarif' | 'junit'

/** What a report is written with. */
export interface WriteOptions {
  /** Fingerprints of an earlier report, see `readBaseline`: findings among them are marked as known. @default none */
  readonly known?: ReadonlySet<string>
  /** Where SARIF shows findings. @default line 1 of `audit.yaml` */
  readonly place?: SarifPlace
}

/**
 * A report as the text of a file. Secrets are masked in it; it may still tell how to get in.
 *
 * @param format `html` for people, `sarif` (2.1.0) for code scanning, `junit` for continuous integration, `json` for programs
 */
export function writeReport(report: Report, format: ReportFormat, options: WriteOptions = {}): string {
  return writers[format](report, options)
}

const writers: Readonly<Record<ReportFormat, (report: Report, options: WriteOptions) => string>> = {
  html: (report, { known = new Set() }) => toHtml(report, { version: programVersion(), known }),
  json: (report, { known }) => `${printableJson(toJson(report, known), 2)}\n`,
  sarif: (report, { known, place = { file: 'audit.yaml', line: 1 } }) =>
    `${printableJson(toSarif(report, { version: programVersion(), place, known }), 2)}\n`,
  junit: (report) => toJunit(report),
}
