/** Accounts: created, replaced, listed. */
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleAccount } from './rows.ts'
import { expectEqual } from './suite.ts'

/**
 * Behaviours of accounts. Names are compared exactly: a store that folds case or accents would let one
 * account stand in for another.
 */
export const accountCases: RecordsCases = {
  async 'finds an account by its exact name'(records) {
    const row = sampleAccount({ username: 'ålice' })
    await records.putAccount(row)
    expectEqual(await records.findAccount('ålice'), row, 'the account')
    expectEqual(await records.findAccount('Ålice'), undefined, 'a name in other letters')
    expectEqual(await records.findAccount(''), undefined, 'the empty name')
  },
  async 'replaces an account'(records) {
    await records.putAccount(sampleAccount())
    const changed = sampleAccount({
      roles: [],
      passwordHash: undefined,
      disabled: true,
      changedAtMs: issuedAtMs + 1,
    })
    await records.putAccount(changed)
    expectEqual(await records.findAccount('alice'), changed, 'the account')
    expectEqual(await records.listAccounts(), [changed], 'all accounts')
  },
  async 'lists all accounts and never sweeps them'(records) {
    const rows = ['alice', 'bob', 'carol'].map((username) => sampleAccount({ username }))
    for (const row of rows) await records.putAccount(row)
    expectEqual(await records.sweep(issuedAtMs * 2), 0, 'rows swept')
    const listed = [...(await records.listAccounts())]
    expectEqual(
      listed.sort((one, other) => (one.username < other.username ? -1 : 1)),
      rows,
      'all accounts',
    )
  },
}
