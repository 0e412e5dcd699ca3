import type { PeerCertificate } from '../../../packages/countersign/src/core/handshake.ts'

/** A client certificate as an adapter would describe it: verified, and valid around 2030. */
export function certificateOf(facts: Partial<PeerCertificate> = {}): PeerCertificate {
  return {
    fingerprint: 'ab'.repeat(32),
    serial: '01',
    subject: 'CN=alice',
    commonName: 'alice',
    alternativeNames: [],
    notBeforeMs: Date.parse('2029-01-01T00:00:00Z'),
    notAfterMs: Date.parse('2031-01-01T00:00:00Z'),
    trusted: true,
    ...facts,
  }
}
