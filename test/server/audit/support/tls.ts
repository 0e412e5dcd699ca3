/** Certificates of targets behind TLS. */
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
