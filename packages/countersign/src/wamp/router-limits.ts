/** Bounds of sessions and realms, and durations of connections, with their defaults. */
import { checkWhole } from '../core/errors.ts'
import type { ConnectionSettings } from './connection-facts.ts'
import type { RouterLimits, RouterOptions } from './options.ts'

/** Bounds where options name none. */
export const defaultRouterLimits: RouterLimits = Object.freeze({
  maxSubscriptions: 10_000,
  maxRegistrations: 10_000,
  maxWildcards: 1_000,
  maxCalls: 10_000,
  maxWaiting: 1_000,
  maxRetained: 10_000,
  maxRetainedBytes: 64 * 1_048_576,
  maxTestaments: 100,
  maxHeldBytes: 4 * 1_048_576,
})

/** Durations where options name none, ms. */
const defaultDurations: Readonly<Record<DurationName, number>> = Object.freeze({
  helloTimeoutMs: 10_000,
  authenticateTimeoutMs: 10_000,
  verdictTimeoutMs: 30_000,
  lingerMs: 1_000,
  procedureWaitMs: 2_000,
})

type DurationName =
  'helloTimeoutMs' | 'authenticateTimeoutMs' | 'verdictTimeoutMs' | 'lingerMs' | 'procedureWaitMs'

/** A day: longer than any client shall be waited for. */
const longestMs = 86_400_000
/** Counts and bytes beyond what a process holds; also keeps sums of them exact. */
const largest = 1_000_000_000

/** The bounds in force. @throws MisuseError when one is no whole number from 0 */
export function routerLimitsOf(options: RouterOptions['limits']): RouterLimits {
  const limits = { ...defaultRouterLimits, ...options }
  for (const [name, value] of Object.entries(limits)) checkWhole(`limits.${name}`, value, [0, largest])
  return limits
}

/** The settings of one transport: what it says, else what holds for its router. @throws MisuseError when a duration is none */
export function settingsWith(
  settings: ConnectionSettings,
  own: Partial<ConnectionSettings> | undefined,
): ConnectionSettings {
  if (own === undefined) return settings
  // Checked like those of a router; how long procedures are waited for is no matter of one transport.
  const { procedureWaitMs: _, ...merged } = settingsOf({ ...settings, ...own, realms: [] })
  return merged
}

/** The settings of connections, and of the router's own calls. @throws MisuseError when a duration is none */
export function settingsOf(
  options: RouterOptions,
): ConnectionSettings & { readonly procedureWaitMs: number } {
  const durationOf = (name: DurationName): number => {
    const durationMs = options[name] ?? defaultDurations[name]
    checkWhole(name, durationMs, [1, longestMs])
    return durationMs
  }
  return {
    helloTimeoutMs: durationOf('helloTimeoutMs'),
    authenticateTimeoutMs: durationOf('authenticateTimeoutMs'),
    verdictTimeoutMs: durationOf('verdictTimeoutMs'),
    lingerMs: durationOf('lingerMs'),
    procedureWaitMs: durationOf('procedureWaitMs'),
    errorUris: options.errorUris ?? 'spec',
    cancelReply: options.cancelReply ?? 'auto',
  }
}
