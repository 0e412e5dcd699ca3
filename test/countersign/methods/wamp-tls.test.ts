import { describe, expect, test } from 'vitest'
import { wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import type { PeerCertificate } from '../../../packages/countersign/src/core/handshake.ts'
import {
  functionAuthenticator,
  tlsPrincipals,
  wampTls,
} from '../../../packages/countersign/src/methods/index.ts'
import { certificateOf } from '../support/certificates.ts'
import { noon, shown } from '../support/conversation.ts'
import { handshakeOf } from '../support/guard.ts'
import { expectAccepted, helloOf, stage, type Held } from './wamp-support.ts'

const from = wampHello()
const list = tlsPrincipals({
  alice: { sha256: 'AB:'.repeat(31) + 'AB', role: 'a' },
  bob: { sha1: 'CC:'.repeat(19) + 'CC', role: 'b' },
})
const method = wampTls({ from, sources: [list] })
const show = (certificate: PeerCertificate | undefined, authid?: string, by = method): Promise<Held> => {
  const facts = { handshake: handshakeOf({ certificate }) }
  return stage().hold(by, helloOf('tls', { authid }), undefined, facts)
}
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }

describe('a client certificate', () => {
  test('that is listed is let in until it ends, whoever signed it', async () => {
    const card = certificateOf({ trusted: false })
    const { principal, grant, untilMs, neverAfterMs } = expectAccepted(await show(card))
    expect(principal).toMatchObject({ id: 'alice', roles: ['a'], method: 'tls', provider: 'static' })
    expect(grant).toMatchObject({ certificate: card.fingerprint, issuedAtMs: card.notBeforeMs })
    expect({ untilMs, neverAfterMs }).toEqual({ untilMs: card.notAfterMs, neverAfterMs: card.notAfterMs })
  })

  test('that is listed by SHA-1 is believed with an authority behind it alone', async () => {
    const card = { fingerprint: 'ee'.repeat(32), sha1: 'cc'.repeat(20) }
    expect(expectAccepted(await show(certificateOf(card))).principal.id).toBe('bob')
    expect(await show(certificateOf({ ...card, trusted: false }))).toMatchObject(denied)
  })

  test('stands for its own name alone', async () => {
    expectAccepted(await show(certificateOf(), 'alice'))
    expect(await show(certificateOf(), 'bob')).toMatchObject(denied)
  })

  test.each([
    ['nobody has listed', certificateOf({ fingerprint: 'ee'.repeat(32) }), 'invalid_credential'],
    ['is not valid yet', certificateOf({ notBeforeMs: noon + 1 }), 'invalid_credential'],
    ['has expired', certificateOf({ notAfterMs: noon }), 'expired_credential'],
    ['is not there', undefined, 'missing_credential'],
  ])('that %s is refused', async (_what, certificate, reason) => {
    expect(await show(certificate)).toMatchObject({ verdict: { reason } })
  })
})

test('a principal without a role gets the default one, or cannot join', async () => {
  const sources = [tlsPrincipals({ alice: { sha256: 'ab'.repeat(32) } })]
  expect(await show(certificateOf(), undefined, wampTls({ from, sources }))).toMatchObject({
    verdict: { reason: 'no_such_role' },
  })
  const held = await show(certificateOf(), undefined, wampTls({ from, sources, defaultRole: 'd' }))
  expect(expectAccepted(held).principal.roles).toEqual(['d'])
})

describe('an authenticator', () => {
  const dynamic = wampTls({ from, sources: [functionAuthenticator(() => ({ role: 'd', authid: 'dave' }))] })

  test('is asked about certificates that an authority vouches for, and no others', async () => {
    expect(expectAccepted(await show(certificateOf(), undefined, dynamic)).principal.id).toBe('dave')
    const held = await show(certificateOf({ trusted: false }), undefined, dynamic)
    expect(held).toMatchObject(denied)
    expect(held.asked).toEqual([])
  })
})

test('a list finds nobody without a certificate', () => {
  const question = { method: 'tls', realm: 'r', authid: undefined, details: {} }
  expect(list.find({ shown: shown(), question, name: '' }).next()).toEqual({ done: true, value: undefined })
})

test.each([[{}], [{ sha1: 'ab' }], [{ sha256: 'ab'.repeat(20) }], [{ sha256: 'zz'.repeat(32) }]])(
  'refuses the fingerprint %j as an option',
  (principal) => {
    expect(() => tlsPrincipals({ alice: principal })).toThrow('hex digits')
  },
)

test('refuses a fingerprint that two principals share', () => {
  const one = { sha1: 'ab'.repeat(20) }
  expect(() => tlsPrincipals({ alice: one, bob: one })).toThrow('listed twice')
})
