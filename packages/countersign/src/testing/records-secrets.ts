/** Challenge secrets: kept in clear for the protocol, spent once where they are single-use. */
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleSecret } from './rows.ts'
import { expectEqual } from './suite.ts'

/** Saltings tell decoys what to look like, so the census of them is part of the contract. */
const salting = { salt: 'salt-1', iterations: 1000, keylen: 32 }
/** As for tickets: a gap between looking and taking would be met. */
const contenders = 50

/**
 * Behaviours of challenge secrets and of the saltings that they use. A store may seal what it keeps; what it
 * answers is in clear.
 */
export const secretCases: RecordsCases = {
  async 'finds a challenge secret as it was put, again and again'(records) {
    const plain = sampleSecret()
    const salted = sampleSecret({ salting, uses: 'one', session: 's-1', roles: [], expiresAtMs: Infinity })
    for (const row of [plain, salted]) {
      await records.putChallengeSecret(row)
      expectEqual(await records.findChallengeSecret(row.authid), row, 'the challenge secret')
      expectEqual(await records.findChallengeSecret(row.authid), row, 'the challenge secret, found again')
    }
    expectEqual(await records.findChallengeSecret('nobody'), undefined, 'an unknown name')
  },
  async 'replaces the secret of a name'(records) {
    const row = sampleSecret({ salting })
    await records.putChallengeSecret(row)
    const changed = { ...row, secret: 'another', salting: undefined }
    await records.putChallengeSecret(changed)
    expectEqual(await records.findChallengeSecret(row.authid), changed, 'the challenge secret')
    expectEqual(await records.listSaltings(16), [undefined], 'saltings in use')
  },
  async 'tells exactly one of fifty takers that the secret was there'(records) {
    const row = sampleSecret({ uses: 'one' })
    await records.putChallengeSecret(row)
    const takers = Array.from({ length: contenders }, async () => records.takeChallengeSecret(row.authid))
    const winners = (await Promise.all(takers)).filter(Boolean)
    expectEqual(winners, [true], 'takers that were told so')
    expectEqual(await records.findChallengeSecret(row.authid), undefined, 'the secret that was taken')
    expectEqual(await records.takeChallengeSecret('nobody'), false, 'the taking of an unknown name')
  },
  async 'lists each salting in use once, unsalted among them, and no more than asked for'(records) {
    expectEqual(await records.listSaltings(16), [], 'saltings of no secrets')
    const other = { salt: 'salt-2', iterations: 1000, keylen: 32 }
    for (const used of [undefined, salting, salting, other, undefined]) {
      await records.putChallengeSecret(sampleSecret({ salting: used }))
    }
    const listed = await records.listSaltings(16)
    const bySalt = listed.map((one) => one?.salt ?? '').sort()
    expectEqual(bySalt, ['', 'salt-1', 'salt-2'], 'saltings in use')
    expectEqual(await records.listSaltings(16), listed, 'saltings, listed again')
    expectEqual((await records.listSaltings(2)).length, 2, 'saltings when two are asked for')
  },
  async 'leaves secrets that end with a session out of the saltings'(records) {
    const ofLogin = [sampleSecret({ session: 's-1' }), sampleSecret({ session: 's-2', salting })]
    for (const row of ofLogin) await records.putChallengeSecret(row)
    expectEqual(await records.listSaltings(16), [], 'saltings while there are logins only')
    const lasting = sampleSecret({ salting })
    await records.putChallengeSecret(lasting)
    for (const { authid } of ofLogin) await records.takeChallengeSecret(authid)
    expectEqual(await records.listSaltings(16), [salting], 'saltings when the logins are over')
    await records.putChallengeSecret({ ...lasting, session: 's-3' })
    expectEqual(await records.listSaltings(16), [], 'saltings when the secret is one of a login')
  },
  async 'forgets a salting with the last secret that used it'(records) {
    const rows = [sampleSecret({ salting }), sampleSecret({ salting })]
    for (const row of rows) await records.putChallengeSecret(row)
    for (const { authid } of rows) {
      expectEqual(await records.listSaltings(16), [salting], 'saltings in use')
      await records.takeChallengeSecret(authid)
    }
    expectEqual(await records.listSaltings(16), [], 'saltings of no secrets')
  },
  async 'sweeps expired challenge secrets and their saltings'(records) {
    const live = sampleSecret()
    for (const row of [live, sampleSecret({ salting, expiresAtMs: issuedAtMs + 1 })]) {
      await records.putChallengeSecret(row)
    }
    expectEqual(await records.sweep(issuedAtMs + 1), 1, 'rows swept')
    expectEqual(await records.listSaltings(16), [undefined], 'saltings in use')
    expectEqual(await records.findChallengeSecret(live.authid), live, 'the secret that is live')
  },
}
