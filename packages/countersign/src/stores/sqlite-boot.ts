/** Which run of this machine it is: after a power loss the last commits of a file may be missing. */
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** Two computed boot times closer than this are one boot, ms: clocks are adjusted, and uptime is told in seconds. */
const sameBootMs = 30_000

/**
 * A text that is the same in all processes until the machine is started again: Linux' own random id, elsewhere the
 * time of the start.
 */
export function bootId(idFile: string = '/proc/sys/kernel/random/boot_id'): string {
  try {
    return readFileSync(idFile, 'utf8').trim()
  } catch {
    return `at:${Math.round(Date.now() - uptime() * 1000)}`
  }
}

/** Whether two boot ids name the same run. When in doubt they do not: a ticket is lost, never revived. */
export function isSameBoot(one: string, other: string): boolean {
  if (one === other) return true
  if (!one.startsWith('at:') || !other.startsWith('at:')) return false
  return Math.abs(Number(one.slice(3)) - Number(other.slice(3))) < sameBootMs
}
