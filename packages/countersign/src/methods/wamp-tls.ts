/** TLS client certificates for WAMP sessions: listed by fingerprint, or judged by authenticators. */
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { PeerCertificate } from '../core/handshake.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'
import { whoOf } from './wamp-answer.ts'
import {
  admit,
  aroundOf,
  listed,
  lookUp,
  sourcesOf,
  type PrincipalSource,
  type SourceOption,
} from './wamp-source.ts'
import { plainWho, type Who } from './wamp-who.ts'

/** Options of the WAMP TLS method. */
export interface WampTlsOptions {
  /** Where the conversation opens: `wampHello()`. */
  readonly from: From
  /** Who knows certificates, in this order: `tlsPrincipals({ … })`, authenticators. */
  readonly sources: readonly SourceOption<Who, never>[]
  /** Role of those who have none. @default none: they cannot join a realm */
  readonly defaultRole?: string
}

/**
 * Accepts the certificate of the TLS connection within its dates. The lease never outlives it.
 * Authenticators are asked about certificates that an authority vouches for, and no others. Nothing presented is
 * `missing_credential`, so that the client's next method is tried.
 * @throws MisuseError without any source
 */
export function wampTls(options: WampTlsOptions): Method {
  const sources = sourcesOf(options.sources, { accounts: undefined, read: whoOf })
  const lists = options.sources.flatMap((source) => ('kind' in source ? [] : source))
  return {
    name: 'tls',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('tls'),
    *judge(shown: Shown): Talk<Verdict> {
      const hello = shown.credential
      const { certificate } = shown.handshake
      if (hello.kind !== 'hello') return deny('invalid_credential')
      if (certificate === undefined) return deny('missing_credential')
      if (certificate.notBeforeMs > shown.now) return deny('invalid_credential')
      if (certificate.notAfterMs <= shown.now) return deny('expired_credential')
      const around = aroundOf(shown, hello, { method: 'tls' })
      const who = yield* lookUp(certificate.trusted ? sources : lists, around)
      if (who === undefined) return deny('invalid_credential')
      const { defaultRole } = options
      return bounded(
        yield* admit(who, { shown, hello, method: 'tls', now: shown.now, defaultRole }),
        certificate,
      )
    },
  }
}

/** The certificate's expiry ends the lease, and revoking its fingerprint does. */
function bounded(verdict: Verdict, certificate: PeerCertificate): Verdict {
  if (verdict.kind === 'deny') return verdict
  const { notAfterMs, notBeforeMs, fingerprint, serial } = certificate
  return accept({
    ...verdict,
    grant: { ...verdict.grant, certificate: fingerprint, serial, issuedAtMs: notBeforeMs },
    untilMs: Math.min(verdict.untilMs, notAfterMs),
    neverAfterMs: notAfterMs,
  })
}

/** A principal as configurations write it; exactly one fingerprint. */
export interface TlsPrincipal {
  /** `AA:BB:…`, 20 bytes: believed of certificates alone that an authority vouches for. */
  readonly sha1?: string
  /** 32 bytes; names one certificate, whoever signed it. */
  readonly sha256?: string
  readonly role?: string
}

/**
 * Principals of a configuration, by the name that their session gets. An `authid` in HELLO must be that name.
 * @throws MisuseError for a fingerprint that is none, or that two principals share
 */
export function tlsPrincipals(
  principals: Readonly<Record<string, TlsPrincipal>>,
): PrincipalSource<Who, never> {
  const list = new Map<string, Who>()
  for (const [authid, principal] of Object.entries(principals)) {
    const print = fingerprintOf(principal)
    if (list.has(print))
      throw new MisuseError('invalid_option', 'tlsPrincipals: a fingerprint is listed twice')
    const roles = principal.role === undefined ? [] : [principal.role]
    list.set(print, { ...plainWho, authid, roles, provider: 'static' })
  }
  return listed(({ shown: { handshake }, question: { authid } }) => {
    const { fingerprint = '', sha1 = '', trusted } = handshake.certificate ?? {}
    const who = list.get(fingerprint) ?? (trusted === true ? list.get(sha1) : undefined)
    return authid === undefined || authid === who?.authid ? who : undefined
  }, [])
}

/** The form in which adapters write fingerprints. */
function fingerprintOf({ sha1, sha256 }: TlsPrincipal): string {
  const hex = (sha256 ?? sha1 ?? '').replaceAll(':', '').toLowerCase()
  const length = sha256 === undefined ? 40 : 64
  if (hex.length === length && /^[0-9a-f]+$/.test(hex)) return hex
  throw new MisuseError('invalid_option', 'tlsPrincipals: a fingerprint is 40 or 64 hex digits')
}
