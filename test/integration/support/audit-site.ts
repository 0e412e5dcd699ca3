/** Sites for the real command to audit, and the configuration that leads it there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Target } from '../../server/audit/support/site.ts'
import { quick } from '../../server/reports/support/audited.ts'

/** A folder for one test file. */
export interface AuditFolder {
  /** A path in it. */
  path(name: string): string
  /** Writes the configuration of a target, with members of one's own. @returns its path */
  config(target: Target, more?: Readonly<Record<string, unknown>>): string
  remove(): void
}

/** Makes an empty folder. */
export function auditFolder(): AuditFolder {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-audit-'))
  let count = 0
  return {
    path: (name) => join(folder, name),
    config(target, more = {}) {
      count += 1
      const file = join(folder, `audit-${count}.yaml`)
      writeFileSync(file, stringify({ target: target.url, ...target.options, ...quick, ...more }))
      return file
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
