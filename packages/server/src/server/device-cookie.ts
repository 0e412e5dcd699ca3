/**
 * A mark in a browser in which somebody has logged in, so that guessing elsewhere does not slow them down there. It proves
 * nothing but that: whoever has it still needs the password.
 */
import { sameText } from 'countersign'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCookie, setCookie } from './cookies.ts'
import type { SiteContext } from './site-options.ts'

/** How long a browser keeps the mark, and how long it is believed: 180 days. */
const maxAgeSeconds = 180 * 86_400

/** A nonce of 16 bytes, the end in seconds since the epoch, an HMAC-SHA-256; each base64url or decimal. */
const cookieForm = /^([\w-]{22})\.(\d{1,12})\.([\w-]{43})$/

/**
 * The device that the request shows, if it is one of this very account.
 * @param username as accounts are looked up by
 * @returns its nonce; `undefined` for a cookie that is absent, there twice with different values, malformed, too old, of
 * another account or not made here
 */
export async function knownDevice(
  site: SiteContext,
  request: FastifyRequest,
  username: string,
): Promise<string | undefined> {
  const [, nonce, end, mac] = cookieForm.exec(readCookie(request, site.cookies.device) ?? '') ?? []
  if (nonce === undefined || end === undefined || mac === undefined) return undefined
  if (!sameText(mac, await macOf(site, { nonce, end, username }))) return undefined
  return Number(end) * 1_000 > site.now() ? nonce : undefined
}

/** Marks the browser afresh: each mark has a count of its own, and a copy of an earlier one keeps what it has failed. */
export async function markDevice(site: SiteContext, reply: FastifyReply, username: string): Promise<void> {
  const { platform, secure } = site.options
  const nonce = platform.random(16)
  const end = String(Math.floor(site.now() / 1_000) + maxAgeSeconds)
  const mac = await macOf(site, { nonce, end, username })
  setCookie(reply, {
    name: site.cookies.device,
    value: `${nonce}.${end}.${mac}`,
    sameSite: 'Strict',
    secure,
    maxAgeSeconds,
  })
}

/** The name comes last: the other two have forms of their own, so that no two triples are written alike. */
async function macOf(
  site: SiteContext,
  bound: { readonly nonce: string; readonly end: string; readonly username: string },
): Promise<string> {
  const text = `device\n${bound.nonce}\n${bound.end}\n${bound.username}`
  const mac = await site.options.platform.hmac(site.deviceKey, text)
  return mac.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')
}
