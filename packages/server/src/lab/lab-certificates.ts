/** The lab's own authority, and what it signs: made at each start. */
import { createAuthority, type KeyPairPem } from '../server/certificates.ts'

/** Life of the lab's certificates, days. */
const certificateDays = 30

/** PEM of everything that D11 needs; keys live in memory and end with the lab. */
export interface Certificates {
  readonly authority: string
  readonly server: KeyPairPem
  readonly client: KeyPairPem
  readonly listed: KeyPairPem
}

/**
 * Two authorities: the lab's own, whose certificates are taken by name, and a stranger's, of whose one is
 * listed by fingerprint.
 */
export async function makeCertificates(): Promise<Certificates> {
  const authority = await createAuthority('Countersign lab', certificateDays)
  const stranger = await createAuthority('Nobody in particular', certificateDays)
  const days = certificateDays
  return {
    authority: authority.certificate,
    server: await authority.issue({
      use: 'server',
      commonName: 'localhost',
      hosts: ['localhost', '127.0.0.1', '::1'],
      days,
    }),
    client: await authority.issue({ use: 'client', commonName: 'alice', days }),
    listed: await stranger.issue({ use: 'client', commonName: 'dave', days }),
  }
}
