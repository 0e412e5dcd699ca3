/** Credentials that the browser shows by itself: cookies and certificates. */
import type { Attempt, Carrier, MaybePromise } from './carrier.ts'
import { Unauthorized } from './errors.ts'

/** Renews what the browser shows, for instance the session. Throw `Unauthorized` if that cannot be. */
export type RenewAmbient = (refused: string, signal: AbortSignal) => MaybePromise<void>

/**
 * Nothing to show: the session's cookie goes along. Once it is refused, `renew` may get another; without it the client
 * stops.
 */
export function cookie(renew?: RenewAmbient): Carrier {
  return async (target, { refused, signal }): Promise<Attempt> => {
    if (refused !== undefined) {
      if (renew === undefined) throw new Unauthorized('the cookie was refused')
      await renew(refused, signal)
    }
    return { ...target, credential: undefined }
  }
}

/** How the server's host is asked before the first socket. */
export interface CertificateOptions {
  /** Any path of the same host and port. @default `'/'` */
  readonly path?: string
  /** @default the runtime's own */
  readonly fetch?: (
    url: string,
    init: { credentials: 'include'; mode: 'no-cors'; signal: AbortSignal },
  ) => Promise<unknown>
}

/**
 * A client certificate. Chromium shows one on a socket only after a credentialed request to the same host and port has
 * had it chosen, so that request is made first, once. It must succeed before a socket is tried.
 */
export function clientCertificate(options: CertificateOptions = {}): Carrier {
  const { path = '/', fetch = globalThis.fetch } = options
  let chosen = false
  return async (target, { refused, signal }): Promise<Attempt> => {
    if (refused !== undefined) throw new Unauthorized('the certificate was refused')
    if (!chosen) {
      const url = new URL(path, target.url.replace(/^ws/, 'http'))
      await fetch(url.href, { credentials: 'include', mode: 'no-cors', signal })
      chosen = true
    }
    return { ...target, credential: undefined }
  }
}
