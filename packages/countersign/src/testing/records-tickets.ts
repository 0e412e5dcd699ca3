/** Tickets: put once, taken once. */
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleHash, sampleSession, sampleTicket } from './rows.ts'
import { expectEqual, expectFailure } from './suite.ts'

/** Enough to meet each other in any store that has a gap between looking and taking. */
const contenders = 50

/**
 * Behaviours of `putTicket`, `takeTicket` and `sweep`. The one that counts is atomicity: of any number of
 * takers one gets the row, and none after it, ever.
 */
export const ticketCases: RecordsCases = {
  async 'gives a ticket back as it was put'(records) {
    const bare = sampleTicket()
    const full = sampleTicket({
      purpose: 'csrf',
      subject: 'Ünïcode "quoted" \\ \n 😀',
      roles: [],
      audience: '',
      origin: 'https://app.example.com',
      sessionKey: sampleHash(),
      session: 's-1',
      leaseUntilMs: issuedAtMs + 0.5,
    })
    for (const row of [bare, full]) {
      await records.putTicket(row)
      expectEqual(await records.takeTicket(row.key), row, 'the ticket')
    }
  },
  async 'gives a ticket to one taker and to none after'(records) {
    const row = sampleTicket()
    await records.putTicket(row)
    await records.takeTicket(row.key)
    expectEqual(await records.takeTicket(row.key), undefined, 'the second taking')
  },
  async 'gives a ticket to exactly one of fifty takers at once'(records) {
    const row = sampleTicket()
    await records.putTicket(row)
    const takers = Array.from({ length: contenders }, async () => records.takeTicket(row.key))
    const taken = (await Promise.all(takers)).filter((ticket) => ticket !== undefined)
    expectEqual(taken, [row], 'what fifty takers got')
  },
  async 'gives nothing for an unknown key and keeps other tickets'(records) {
    const row = sampleTicket()
    await records.putTicket(row)
    expectEqual(await records.takeTicket(sampleHash()), undefined, 'the unknown ticket')
    expectEqual(await records.takeTicket(row.key), row, 'the other ticket')
  },
  async 'refuses a second ticket under a key that is in use, and keeps the first'(records) {
    const row = sampleTicket()
    await records.putTicket(row)
    await expectFailure(() => records.putTicket({ ...row, subject: 'mallory' }), 'a collision of keys')
    expectEqual(await records.takeTicket(row.key), row, 'the first ticket')
  },
  async 'gives an expired ticket to its taker, who is to judge it'(records) {
    const row = sampleTicket({ expiresAtMs: 1 })
    await records.putTicket(row)
    expectEqual(await records.takeTicket(row.key), row, 'the expired ticket')
  },
  async 'sweeps expired tickets and sessions and leaves the others'(records) {
    const expired = [sampleTicket({ expiresAtMs: issuedAtMs }), sampleTicket({ expiresAtMs: issuedAtMs + 1 })]
    const live = sampleTicket({ expiresAtMs: issuedAtMs + 2 })
    for (const row of [...expired, live]) await records.putTicket(row)
    const over = sampleSession({ expiresAtMs: issuedAtMs + 1 })
    const open = sampleSession({ expiresAtMs: Infinity, idleMs: Infinity })
    for (const row of [over, open]) await records.putSession(row)
    expectEqual(await records.sweep(issuedAtMs + 1), 3, 'rows swept')
    for (const { key } of expired) expectEqual(await records.takeTicket(key), undefined, 'an expired ticket')
    expectEqual(await records.takeTicket(live.key), live, 'the live ticket')
    expectEqual(await records.findSession(over.key), undefined, 'the session that is over')
    expectEqual(await records.findSession(open.key), open, 'the session without an end')
    expectEqual(await records.sweep(issuedAtMs + 1), 0, 'rows swept a second time')
  },
  async 'keeps live tickets in a flood of issuing'(records) {
    const live = sampleTicket({ expiresAtMs: issuedAtMs + 30_000 })
    await records.putTicket(live)
    for (let at = 0; at < 3000; at++) {
      await records.putTicket(
        sampleTicket({ issuedAtMs: issuedAtMs + 20_000, expiresAtMs: issuedAtMs + 20_001 }),
      )
    }
    expectEqual(await records.takeTicket(live.key), live, 'the live ticket')
  },
}
