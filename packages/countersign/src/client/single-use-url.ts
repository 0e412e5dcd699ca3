/** A URL that an API call returned, good for one connection. */
import { issued, type Attempt, type Carrier, type GetCredential } from './carrier.ts'

/** Connects to what `getUrl` answers instead of the socket's own URL, which is only its name then. */
export function singleUseUrl(getUrl: GetCredential): Carrier {
  return async (target, ask): Promise<Attempt> => {
    const got = issued(await getUrl(ask))
    return { ...target, ...got, url: got.credential }
  }
}
