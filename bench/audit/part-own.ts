/** Our own endpoints by default scans, which find nothing. */
import { audit } from '../../packages/server/src/audit/audit.ts'
import type { Row } from '../rig/report.ts'
import type { Part } from '../rig/part.ts'
import { findingsOf } from './examples.ts'
import { openLab } from './own-lab.ts'
import { openServed } from './own-served.ts'
import { rowOf } from './rows.ts'

/** The part. */
export const part: Part = {
  name: 'own',
  async *measure() {
    for (const open of [openLab, openServed]) {
      const { targets, stop } = await open()
      try {
        const scanned = targets.map(async ({ name, url, options }): Promise<Row> => {
          const report = await audit(url, options)
          const found = findingsOf(report)
          return rowOf('own', name, {
            count: { known: 0, found: 0, falsely: found.length },
            reports: [report],
            isDefault: true,
            ...(found.length === 0 ? {} : { note: found.join('; ') }),
          })
        })
        yield* await Promise.all(scanned)
      } finally {
        await stop()
      }
    }
  },
}
