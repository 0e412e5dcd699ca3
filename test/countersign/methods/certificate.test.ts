import { describe, expect, test } from 'vitest'
import { tls } from '../../../packages/countersign/src/index.ts'
import {
  certificate,
  type CertificateMethodOptions,
} from '../../../packages/countersign/src/methods/index.ts'
import type { PeerCertificate } from '../../../packages/countersign/src/core/handshake.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import type { Verdict } from '../../../packages/countersign/src/core/verdict.ts'
import { certificateOf } from '../support/certificates.ts'
import { converse, hello, noon, recognised, shown, token } from '../support/conversation.ts'
import { expectAcceptance, expectRefusal, handshakeOf, knock, openGuard } from '../support/guard.ts'

const alice = { subject: 'alice', roles: ['member'] }
const bySubject: Omit<CertificateMethodOptions, 'from'> = {
  subjects: ({ commonName }) => (commonName === 'alice' ? alice : undefined),
}
const byPrint: Omit<CertificateMethodOptions, 'from'> = {
  fingerprints: { [`${'AB:'.repeat(31)}AB`]: { subject: 'listed', roles: [] } },
}

function judge(
  options: Omit<CertificateMethodOptions, 'from'>,
  facts: Partial<PeerCertificate> = {},
): Verdict {
  const method = certificate({ from: tls(), ...options })
  return converse(
    method.judge(shown({ credential: { kind: 'certificate', certificate: certificateOf(facts) } })),
  )
}

describe('the certificate method', () => {
  test('accepts a certificate of the authority whose subject is known, until it expires and never longer', () => {
    const { notAfterMs, notBeforeMs, fingerprint } = certificateOf()
    expect(judge(bySubject)).toMatchObject({
      kind: 'accept',
      principal: {
        id: 'alice',
        method: 'certificate',
        provider: 'tls',
        claims: { fingerprint, serial: '01' },
      },
      grant: { certificate: fingerprint, issuedAtMs: notBeforeMs },
      untilMs: notAfterMs,
      neverAfterMs: notAfterMs,
    })
  })

  test('accepts a listed certificate that no authority vouches for', () => {
    expect(judge(byPrint, { trusted: false })).toMatchObject({ kind: 'accept', principal: { id: 'listed' } })
  })

  test('never asks whom an untrusted certificate stands for', () => {
    const subjects = (): never => {
      throw new Error('asked')
    }
    expect(judge({ subjects }, { trusted: false })).toMatchObject({
      kind: 'deny',
      reason: 'invalid_credential',
    })
  })

  test.each<[string, Partial<PeerCertificate>, Reason]>([
    ['of an unknown subject', { commonName: 'eve' }, 'invalid_credential'],
    ['from tomorrow', { notBeforeMs: noon + 1 }, 'invalid_credential'],
    ['that has expired this moment', { notAfterMs: noon }, 'expired_credential'],
  ])('refuses a certificate %s', (_what, facts, reason) => {
    expect(judge(bySubject, facts)).toMatchObject({ kind: 'deny', reason })
  })

  test('refuses a certificate that is not on the list when there is only a list', () => {
    expect(judge(byPrint, { fingerprint: 'cd'.repeat(32) })).toMatchObject({ kind: 'deny' })
  })

  test.each([{}, { fingerprints: {} }, { fingerprints: { 'ab:cd': alice } }])(
    'cannot be made of %j',
    (options) => {
      expect(() => certificate({ from: tls(), ...options })).toThrow('certificate')
    },
  )

  test('recognises certificates only', () => {
    const method = certificate({ from: tls(), ...bySubject })
    const card = { kind: 'certificate', certificate: certificateOf() } as const
    expect(recognised(method, { card, token: token('a'), hello })).toEqual(['card'])
    expect(converse(method.judge(shown()))).toMatchObject({ kind: 'deny' })
  })

  test('refuses after a revocation of its subject what was made before it, and takes what was made since', async () => {
    const { guard, clock } = openGuard({ accept: [certificate({ from: tls(), ...bySubject })] })
    const old = { secure: true, certificate: certificateOf({ notBeforeMs: clock.now() - 1_000 }) }
    const { lease } = expectAcceptance(await knock(guard, old), 'alice')
    lease.open()
    await guard.revoke({ subject: 'alice' })
    expect(lease.reason).toBe('revoked')
    const sameInstant = { secure: true, certificate: certificateOf({ notBeforeMs: clock.now() }) }
    const fresh = certificateOf({ notBeforeMs: clock.now() + 1, fingerprint: 'cd'.repeat(32), serial: '02' })
    clock.advance(86_400_000)
    expectRefusal(await knock(guard, old), 'invalid_credential')
    expectRefusal(await knock(guard, sameInstant), 'invalid_credential')
    expectAcceptance(await knock(guard, { secure: true, certificate: fresh }), 'alice')
  })

  test('ends its leases with the certificate, by time or by revocation', async () => {
    const { guard, clock } = openGuard({
      accept: [certificate({ from: tls(), ...bySubject })],
      limits: { jitter: 0 },
    })
    const card = certificateOf({ notAfterMs: clock.now() + 60_000 })
    const facts = handshakeOf({ secure: true, certificate: card })
    const first = expectAcceptance(await knock(guard, facts), 'alice').lease
    first.open()
    clock.advance(60_500)
    expect(first.reason).toBe('lease_expired')
    expectRefusal(await knock(guard, facts), 'expired_credential')
    const fresh = { secure: true, certificate: certificateOf() }
    const second = expectAcceptance(await knock(guard, fresh), 'alice').lease
    await guard.revoke({ certificate: certificateOf().fingerprint })
    expect(second.reason).toBe('revoked')
    expectRefusal(await knock(guard, fresh), 'invalid_credential')
  })
})
