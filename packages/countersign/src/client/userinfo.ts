/** Name and password in the URL, which browsers show when they are challenged for HTTP Basic. */
import { issued, type Attempt, type Carrier, type GetCredential } from './carrier.ts'

/**
 * `NAME:PASSWORD@` of the handshake's URL, from a credential `NAME` or `NAME:PASSWORD`. Browsers send it after a 401
 * alone and remember it by name: a token that changes belongs in the name. Prefer any other way.
 */
export function userinfo(getUserinfo: GetCredential): Carrier {
  return async (target, ask): Promise<Attempt> => {
    const got = issued(await getUserinfo(ask))
    const [name = '', ...password] = got.credential.split(':')
    const url = new URL(target.url)
    url.username = encodeURIComponent(name)
    url.password = encodeURIComponent(password.join(':'))
    return { ...target, ...got, url: url.href }
  }
}
