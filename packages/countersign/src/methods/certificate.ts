/** TLS client certificates: trusted by an authority and mapped by subject, or listed by fingerprint without any PKI. */
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { PeerCertificate } from '../core/handshake.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { grantOf } from '../core/rows.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'

/** Whom a certificate stands for. */
export interface CertificateSubject {
  /** The id of the principal, and what revocations of the subject name. */
  readonly subject: string
  readonly roles: readonly string[]
}

/** Options of the certificate method; at least one of `subjects` and `fingerprints`. */
export interface CertificateMethodOptions {
  /** Where certificates come from: `tls()`. */
  readonly from: From
  /**
   * Maps a certificate whose chain was verified to a subject; `undefined` refuses it. Never called for one that the
   * configured authorities do not vouch for.
   */
  readonly subjects?: (certificate: PeerCertificate) => CertificateSubject | undefined
  /** SHA-256 fingerprints (hex, colons and case do not matter) of certificates that need no authority. */
  readonly fingerprints?: Readonly<Record<string, CertificateSubject>>
}

/**
 * Accepts a certificate within its dates. The lease never outlives it, refreshed or not.
 * Refuses as `invalid_credential` what nobody vouches for or is not yet valid, as `expired_credential` what
 * is too old. A listed fingerprint needs no authority: it names one certificate, whoever signed it.
 * @throws MisuseError without `subjects` and `fingerprints`, or for a fingerprint that is none
 */
export function certificate(options: CertificateMethodOptions): Method {
  const listed = new Map(
    Object.entries(options.fingerprints ?? {}).map(([print, who]) => [canonical(print), who]),
  )
  if (listed.size === 0 && options.subjects === undefined) {
    throw new MisuseError('invalid_option', 'certificate: subjects or fingerprints is needed')
  }
  return {
    name: 'certificate',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'certificate',
    // oxlint-disable-next-line require-yield -- every method is a conversation; this one has nothing to ask
    *judge(shown: Shown): Talk<Verdict> {
      if (shown.credential.kind !== 'certificate') return deny('invalid_credential')
      const shownOne = shown.credential.certificate
      const who =
        listed.get(shownOne.fingerprint) ?? (shownOne.trusted ? options.subjects?.(shownOne) : undefined)
      if (who === undefined || shownOne.notBeforeMs > shown.now) return deny('invalid_credential')
      if (shownOne.notAfterMs <= shown.now) return deny('expired_credential')
      return acceptCertificate(shownOne, who)
    },
  }
}

function acceptCertificate(shown: PeerCertificate, who: CertificateSubject): Verdict {
  const { subject, roles } = who
  return accept({
    principal: {
      id: subject,
      roles,
      realm: undefined,
      method: 'certificate',
      provider: 'tls',
      claims: { fingerprint: shown.fingerprint, serial: shown.serial },
    },
    grant: grantOf({
      subject,
      roles,
      certificate: shown.fingerprint,
      serial: shown.serial,
      issuedAtMs: shown.notBeforeMs,
    }),
    untilMs: shown.notAfterMs,
    neverAfterMs: shown.notAfterMs,
  })
}

/** The form in which adapters write fingerprints. */
function canonical(fingerprint: string): string {
  const hex = fingerprint.replaceAll(':', '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new MisuseError('invalid_option', 'certificate: a fingerprint is 64 hex digits')
  return hex
}
