/** CSRF tokens of the site's own forms: an HMAC over what the browser's cookie says, so that nothing is stored. */
import { sameText } from 'countersign'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCookie, setCookie } from './cookies.ts'
import type { SiteContext } from './site-options.ts'

/** A token for the login form, bound to a cookie that is set where it is missing. */
export async function loginToken(
  site: SiteContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const known = readCookie(request, site.cookies.form)
  const nonce = known ?? site.options.platform.random(16)
  if (known === undefined) {
    const { secure } = site.options
    setCookie(reply, { name: site.cookies.form, value: nonce, sameSite: 'Strict', secure })
  }
  return tokenOf(site, 'login', nonce)
}

/** A token for the logout form of this session. */
export async function logoutToken(site: SiteContext, session: string): Promise<string> {
  return tokenOf(site, 'logout', session)
}

/** Whether a login form's token belongs to the request's cookie. */
export async function isLoginToken(
  site: SiteContext,
  request: FastifyRequest,
  token: string | undefined,
): Promise<boolean> {
  const nonce = readCookie(request, site.cookies.form)
  return nonce !== undefined && token !== undefined && sameText(token, await tokenOf(site, 'login', nonce))
}

/** Whether a logout form's token belongs to the session. */
export async function isLogoutToken(
  site: SiteContext,
  session: string,
  token: string | undefined,
): Promise<boolean> {
  return token !== undefined && sameText(token, await tokenOf(site, 'logout', session))
}

/**
 * The name of the form keeps a login's token from being a logout's. The key is new at every start: older
 * forms are asked to be sent again.
 */
async function tokenOf(site: SiteContext, form: 'login' | 'logout', bound: string): Promise<string> {
  return site.options.platform.hmac(site.formKey, `${form}\n${bound}`)
}
