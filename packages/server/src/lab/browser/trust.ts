import { within } from './later.ts'

/** Whether this browser trusts an authority; `unknown` when it never says, as WebKit does where certificates are asked for. */
export type Trust = 'yes' | 'no' | 'unknown'

const patienceMs = 3_000

/** Asks by a fetch from an HTTPS origin. Credentials stay out of it, so the browser asks nobody for a certificate. */
export function trustIn(origin: string): Promise<Trust> {
  return within(patienceMs, fetched(`${origin}/`), 'unknown')
}

async function fetched(url: string): Promise<Trust> {
  try {
    await fetch(url, { mode: 'no-cors', credentials: 'omit' })
    return 'yes'
  } catch {
    return 'no'
  }
}
