import type { PeerCertificate } from '../../../packages/countersign/src/core/handshake.ts'

/** A client certificate as an adapter would describe it: verified, and valid around 2030. */
export function certificateOf(facts: Partial<PeerCertificate> = {}): PeerCertificate {
  return {
    fingerprint: 'ab'.repeat(32),
    sha1: 'cd'.repeat(20),
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

/**
 * A self-signed certificate whose second name is `plain.example`; its first is a URI that holds, between commas, what
 * looks like a name of somebody else.
 */
export const commaCertificate: string = `
-----BEGIN CERTIFICATE-----
MIIBhzCCAS6gAwIBAgIUWMVcY77MfTr1r7q1wqGN7GvQdvAwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHbWFsbG9yeTAeFw0yNjExMjIwNjIzMzZaFw0zNjExMTkwNjIz
MzZaMBIxEDAOBgNVBAMMB21hbGxvcnkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARkjXicKA503qWDpMvs1iP8Zgke4STSbcQ/Fi6GEvo5hSpGeeoXBEXryq4U08jc
oOQsbcvp9pd6yRN0o9Rxmtkoo2IwYDA/BgNVHREEODA2hiVodHRwOi8veC8sIGVt
YWlsOmFkbWluQGV4YW1wbGUuY29tLCB5gg1wbGFpbi5leGFtcGxlMB0GA1UdDgQW
BBT5JDXzD17AGvrD0srOJNUBA6RSQDAKBggqhkjOPQQDAgNHADBEAiBNzHxuNsNa
gL3jH4tgX+NbQSkpOnqxJMiSB37Wp97o0wIgLHoUBxLtQfPUvLZ6weV7algVQJFl
yB2MfXq65B05gjs=
-----END CERTIFICATE-----
`
