/** Certificates of targets behind TLS. */
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { openSite, type SiteOptions, type Target, type User } from './site.ts'
import {
  createAuthority,
  type CertificateRequest,
} from '../../../../packages/server/src/server/certificates.ts'

/** A server's key pair and the authority that signed it. */
export interface ServerTls {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

/** Makes an authority and a certificate for 127.0.0.1. */
export async function makeTls(changes: Partial<CertificateRequest> = {}): Promise<ServerTls> {
  const authority = await createAuthority('Audit fixtures', 30)
  const pair = await authority.issue({
    use: 'server',
    commonName: 'localhost',
    hosts: ['localhost', '127.0.0.1'],
    days: 30,
    ...changes,
  })
  return { key: pair.privateKey, cert: pair.certificate, ca: authority.certificate }
}

/** How the certificate of mira is told to an audit. */
export type CertificateOf = 'the identity' | 'every connection'

/**
 * A site that asks for certificates, and on which they are who one is: mira has one.
 *
 * @param of who shows it in the audit
 */
export async function openCertificateSite(
  options: SiteOptions,
  of: CertificateOf = 'the identity',
): Promise<Target> {
  const authority = await createAuthority('Audit fixtures', 30)
  const server = await authority.issue({
    use: 'server',
    commonName: 'localhost',
    hosts: ['localhost', '127.0.0.1'],
    days: 30,
  })
  const mira = await authority.issue({ use: 'client', commonName: 'mira', days: 30 })
  const site = await openSite({
    identifies: holderOf,
    ...options,
    tls: {
      key: server.privateKey,
      cert: server.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
      ...options.tls,
    },
  })
  const shown = { cert: mira.certificate, key: mira.privateKey }
  const ca = authority.certificate
  const overrides: AuditOptions =
    of === 'the identity'
      ? { tls: { ca }, identities: { low: { tls: shown } } }
      : { tls: { ca, ...shown }, identities: {} }
  return { ...site, overrides }
}

function holderOf({ socket }: IncomingMessage): User | undefined {
  const holder =
    socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject.CN : ''
  return holder === 'mira' ? holder : undefined
}
