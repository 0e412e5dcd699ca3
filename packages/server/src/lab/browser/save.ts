import type { LabReport } from './case.ts'

/** Offers a report as a JSON file. */
export function saveReport(report: LabReport): void {
  const url = URL.createObjectURL(
    new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: 'application/json' }),
  )
  const link = document.createElement('a')
  link.href = url
  link.download = `countersign-lab-${report.engine}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
