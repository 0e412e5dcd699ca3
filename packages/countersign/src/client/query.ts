/** A ticket or a token in the URL of one attempt. */
import { issued, type Attempt, type Carrier, type GetCredential } from './carrier.ts'

/** `?ticket=` of the handshake. Get a ticket for each attempt: the server takes it once. @param name @default `'ticket'` */
export function query(getTicket: GetCredential, name: string = 'ticket'): Carrier {
  return async (target, ask): Promise<Attempt> => {
    const got = issued(await getTicket(ask))
    const url = new URL(target.url)
    url.searchParams.set(name, got.credential)
    return { ...target, ...got, url: url.href }
  }
}

/**
 * The CSRF token of a preauth pair in `?csrf=`; the cookie of the pair goes along by itself. `getCsrf` asks
 * `POST /countersign/preauth` with the login's cookie, see `preauthFrom`.
 */
export function preauth(getCsrf: GetCredential): Carrier {
  return query(getCsrf, 'csrf')
}
