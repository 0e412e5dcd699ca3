import { readFileSync } from 'node:fs'
import type { DoorId } from '../browser/case.ts'

const fromSource = import.meta.url.endsWith('.ts')

/** The package publishes its sources beside its build, so the samples are read where they were written and type-checked. */
const folder = new URL(fromSource ? '../code-samples/' : '../../../src/lab/code-samples/', import.meta.url)

/** What ends or extends a lease, at whichever door. */
export const leaseSamples = [
  'lease-logout',
  'lease-expire',
  'lease-refresh',
  'lease-refresh-challenge',
  'lease-refresh-cookie',
  'lease-refresh-csrf',
  'lease-refresh-event',
  'lease-refresh-in-band',
  'lease-revoke',
  'lease-role',
] as const

/** A door, its variant for a WAMP router, or what becomes of a lease. */
export type SampleName = DoorId | 'D12-wamp' | 'D13-wamp' | (typeof leaseSamples)[number]

/** The lines that one would write to guard a server by this door. @throws Error when the package is incomplete */
export function readSample(id: SampleName): string {
  return readFileSync(new URL(`${id.toLowerCase()}.ts`, folder), 'utf8').trim()
}
