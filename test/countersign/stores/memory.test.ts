import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Records, TicketRow } from '../../../packages/countersign/src/core/records.ts'
import { memory } from '../../../packages/countersign/src/stores/memory.ts'
import {
  issuedAtMs,
  recordsSuite,
  sampleAccount,
  sampleApiKey,
  sampleGrant,
  sampleHash,
  sampleMark,
  samplePublicKey,
  sampleScramKey,
  sampleSecret,
  sampleSession,
  sampleTicket,
} from '../../../packages/countersign/src/testing/index.ts'

describe('records in memory', () => {
  const open = async (): Promise<{ records: Records; close: () => Promise<void> }> => {
    const records = memory()
    return { records, close: async () => records.close() }
  }
  for (const { name, run } of recordsSuite(open)) test(name, run)

  test('are typed to answer at once', () => {
    const records = memory()
    expectTypeOf(records.takeTicket(sampleHash())).toEqualTypeOf<TicketRow | undefined>()
    expectTypeOf(records).toExtend<Records>()
  })

  test('are empty once closed', () => {
    const records = memory()
    const [ticket, session, apiKey, secret] = [
      sampleTicket(),
      sampleSession(),
      sampleApiKey(),
      sampleSecret(),
    ]
    records.putTicket(ticket)
    records.putSession(session)
    records.putApiKey(apiKey)
    records.putAccount(sampleAccount())
    const publicKey = samplePublicKey()
    records.putScramKey(sampleScramKey())
    records.addPublicKey(publicKey)
    records.putChallengeSecret(secret)
    records.putMark(sampleMark())
    records.close()
    expect(records.takeTicket(ticket.key)).toBeUndefined()
    expect(records.findSession(session.key)).toBeUndefined()
    expect([records.listApiKeys(), records.listAccounts(), records.listSaltings(9)]).toEqual([[], [], []])
    expect([records.findScramKey('alice'), records.listScramDerivations(9)]).toEqual([undefined, []])
    expect([records.findPublicKey(publicKey.publicKey), records.listPublicKeys('alice')]).toEqual([
      undefined,
      [],
    ])
    expect(records.findMark(sampleGrant(), 'l')).toBeUndefined()
  })
})

describe('a flood of issuing into memory', () => {
  test('leaves few rows behind that have expired', () => {
    const records = memory()
    for (let second = 0; second < 100; second++) {
      const now = issuedAtMs + second * 1000
      for (let at = 0; at < 100; at++) {
        records.putTicket(sampleTicket({ issuedAtMs: now, expiresAtMs: now + 1000 }))
        records.putSession(sampleSession({ issuedAtMs: now, lastSeenMs: now, idleMs: 999 }))
        records.putApiKey(sampleApiKey({ issuedAtMs: now, expiresAtMs: now + 1000 }))
        records.putChallengeSecret(sampleSecret({ issuedAtMs: now, expiresAtMs: now + 1000 }))
      }
    }
    // Of 10,000 rows of each kind 100 are alive; sweeping is left behind by 1,024 at most.
    expect(records.sweep(issuedAtMs + 200_000)).toBeLessThan(4 * 1200)
  })
})
