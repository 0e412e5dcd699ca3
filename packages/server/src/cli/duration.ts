/** Lengths of time as people type them: `30s 15m 8h 90d`. */
import { usageError } from './exit-codes.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const dayMs = 86_400_000
/** Longest time that means anything here. */
const maxMs = 36_500 * dayMs

/** Milliseconds of a duration, or `undefined` when the text is none: no unit, no number, zero, over a century. */
export function parseDuration(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (unitMs[unit] ?? 0)
  return ms > 0 && ms <= maxMs ? ms : undefined
}

/** As `parseDuration`. @param option names the culprit: `--ttl` @throws CommandError usage */
export function durationOption(option: string, text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw usageError(`${option} ${text}: not a duration; write 30s, 15m, 8h or 90d`)
  return ms
}

/** A whole number of days from 1 to 36,500. @throws CommandError usage */
export function daysOption(option: string, text: string): number {
  const days = Number(text.replace(/d$/, ''))
  if (!/^\d{1,5}d?$/.test(text) || days < 1 || days * dayMs > maxMs) {
    throw usageError(`${option} ${text}: not a number of days between 1 and 36500`)
  }
  return days
}

/** A duration in its largest whole unit: `15m`, `90s`. */
export function writeDuration(ms: number): string {
  if (ms === 0) return '0s'
  const units = Object.entries(unitMs).toReversed()
  const [unit, size] = units.find(([, size]) => ms % size === 0 && ms >= size) ?? ['ms', 1]
  return `${Math.round(ms / size)}${unit}`
}
