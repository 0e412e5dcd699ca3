import { find } from './dom.ts'
import { getJson } from './site.ts'

/** Counts the login down in the head of the page. */
export interface LeaseClock {
  /** Asks the site how long the login lasts; call it after each login. @returns whether it lasts */
  readonly sync: () => Promise<boolean>
  /** Shows that it is over. */
  readonly end: () => void
}

/** Starts the clock of the head; it stands until the first `sync`. */
export function startLeaseClock(): LeaseClock {
  const clock = find('[data-lease]', HTMLElement)
  const label = find('[data-lease-label]', HTMLElement)
  let endsAtMs: number | undefined
  const end = (): void => {
    endsAtMs = undefined
    label.textContent = 'login has'
    clock.textContent = 'ended'
  }
  const tick = (): void => {
    if (endsAtMs === undefined) return
    const leftMs = endsAtMs - Date.now()
    if (leftMs <= 0) end()
    else {
      label.textContent = 'login ends in'
      clock.textContent = words(Math.ceil(leftMs / 1_000))
    }
  }
  setInterval(tick, 1_000)
  return {
    end,
    async sync() {
      try {
        const { session_expires_in: seconds } = await getJson('/me')
        if (typeof seconds === 'number') endsAtMs = Date.now() + seconds * 1_000
        tick()
        return true
      } catch {
        end()
        return false
      }
    },
  }
}

function words(seconds: number): string {
  const two = (part: number): string => String(Math.floor(part)).padStart(2, '0')
  const rest = `${two((seconds / 60) % 60)}:${two(seconds % 60)}`
  return seconds < 3_600 ? rest : `${Math.floor(seconds / 3_600)}:${rest}`
}
