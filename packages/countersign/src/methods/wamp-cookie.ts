/** Cookies that stand for an authentication of before: a client that comes back need not be challenged again. */
import { consult, hash } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import type { CookieStore } from '../core/remembered.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'
import { findCookie } from '../wire/cookie.ts'
import { aroundOf } from './wamp-source.ts'

/** Options of the cookie method. */
export interface WampCookieOptions {
  /** Where the conversation opens: `wampBearer()`. The cookie works for whoever overhears it. */
  readonly from: From
  readonly store: CookieStore
  /** The cookie's name. @default 'cbtid' */
  readonly name?: string
  /** What a connection without `Origin` may do: browsers always send one. @default 'refuse' */
  readonly absentOrigin?: 'allow' | 'refuse'
}

/**
 * Accepts whoever a cookie stands for, as it was proved then: under the same grant, until the same instant, on the same
 * realm. The cookie is looked at only when the client lists `cookie`; one that stands for nobody is
 * `missing_credential`, so that the client's next method is tried.
 * The principal's method is the original one if the client has listed it (clients refuse a method that they do not
 * know), else `cookie`; its provider is `cookie`.
 */
export function wampCookie(options: WampCookieOptions): Method {
  const { store, name = 'cbtid', absentOrigin = 'refuse' } = options
  return {
    name: 'cookie',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('cookie'),
    *judge(shown: Shown): Talk<Verdict> {
      const hello = shown.credential
      if (hello.kind !== 'hello') return deny('invalid_credential')
      const { cookie, origin } = shown.handshake
      const found = findCookie(cookie, name)
      if (found.kind !== 'found' || (origin === undefined && absentOrigin === 'refuse')) {
        return deny('missing_credential')
      }
      const key = yield* hash(found.value)
      const { question } = aroundOf(shown, hello, { method: 'cookie' })
      const who = yield* consult({ find: () => store.find(key, shown.now) }, question)
      if (who === undefined || who === 'denied' || who.untilMs <= shown.now) return deny('missing_credential')
      const { join, authid } = hello
      // Asked to be somebody else, or elsewhere: that is for another method to prove.
      if (join?.realm !== undefined && join.realm !== who.realm) return deny('missing_credential')
      const { principal, grant, untilMs, realm } = who
      if (authid !== undefined && authid !== principal.claims['authid']) return deny('missing_credential')
      const offered = hello.offered ?? hello.methods
      const method = offered.includes(principal.method) ? principal.method : 'cookie'
      return accept({ principal: { ...principal, realm, method, provider: 'cookie' }, grant, untilMs })
    },
  }
}
