/** Keys of accounts: SCRAM keys, one set an account; public keys, one account a key. */
import { maxPublicKeys, type PublicKeyRow } from '../core/records.ts'
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleAccount, samplePublicKey, sampleScramKey } from './rows.ts'
import { expectEqual } from './suite.ts'

const strong = { kdf: 'argon2id13', iterations: 3, memory: 65_536, saltBytes: 16 } as const
const plain = { kdf: 'pbkdf2', iterations: 600_000, memory: undefined, saltBytes: 8 } as const
const plainKeys = { ...plain, salt: '0011223344556677' } as const

/** Makes the order of a list one that can be compared. */
function byKey(rows: readonly PublicKeyRow[]): readonly PublicKeyRow[] {
  return [...rows].sort((one, other) => (one.publicKey < other.publicKey ? -1 : 1))
}

/** Behaviours of what accounts log in with besides passwords. */
export const accountKeyCases: RecordsCases = {
  async 'finds the SCRAM keys of an account by its exact name, and replaces them'(records) {
    const { saltBytes: _saltBytes, ...written } = plainKeys
    const first = sampleScramKey()
    const second = sampleScramKey({ ...written, changedAtMs: issuedAtMs + 0.5 })
    for (const row of [first, second]) {
      await records.putScramKey(row)
      expectEqual(await records.findScramKey('alice'), row, 'the SCRAM keys')
    }
    expectEqual(await records.findScramKey('Alice'), undefined, 'a name in other letters')
    expectEqual(await records.listScramDerivations(16), [plain], 'derivations in use')
  },
  async 'ends the SCRAM keys of one account, and tells whether there were any'(records) {
    const bobs = sampleScramKey({ username: 'bob' })
    for (const row of [sampleScramKey(), bobs]) await records.putScramKey(row)
    expectEqual(await records.endScramKey('alice'), true, 'the end of keys')
    expectEqual(await records.endScramKey('alice'), false, 'the end of no keys')
    expectEqual(await records.findScramKey('alice'), undefined, 'the keys that were ended')
    expectEqual(await records.findScramKey('bob'), bobs, 'the keys of another account')
  },
  async 'lists each derivation in use once, and no more than asked for'(records) {
    expectEqual(await records.listScramDerivations(16), [], 'derivations of no keys')
    const { saltBytes: _saltBytes, ...written } = plainKeys
    await records.putScramKey(sampleScramKey({ ...written, username: 'carol' }))
    for (const username of ['alice', 'bob']) await records.putScramKey(sampleScramKey({ username }))
    const listed = await records.listScramDerivations(16)
    const byWay = [...listed].sort((one, other) => (one.kdf < other.kdf ? -1 : 1))
    expectEqual(byWay, [strong, plain], 'derivations in use')
    expectEqual(await records.listScramDerivations(16), listed, 'derivations, listed again')
    expectEqual((await records.listScramDerivations(1)).length, 1, 'derivations when one is asked for')
    await records.endScramKey('carol')
    expectEqual(
      await records.listScramDerivations(16),
      [strong],
      'derivations without those of keys that ended',
    )
  },
  async 'finds a public key, and lists those of its account'(records) {
    const rows = [samplePublicKey({ addedAtMs: issuedAtMs + 0.5 }), samplePublicKey()]
    const bobs = samplePublicKey({ username: 'bob' })
    for (const row of [...rows, bobs]) expectEqual(await records.addPublicKey(row), 'added', 'the adding')
    for (const row of rows) expectEqual(await records.findPublicKey(row.publicKey), row, 'the public key')
    expectEqual(byKey(await records.listPublicKeys('alice')), byKey(rows), 'the keys of alice')
    expectEqual(await records.listPublicKeys('nobody'), [], 'the keys of nobody')
    expectEqual(await records.findPublicKey(''), undefined, 'an unknown key')
  },
  async 'refuses a public key that any account has'(records) {
    const row = samplePublicKey()
    await records.addPublicKey(row)
    for (const username of ['alice', 'bob']) {
      expectEqual(await records.addPublicKey({ ...row, username, addedAtMs: 0 }), 'taken', 'the adding')
    }
    expectEqual(await records.findPublicKey(row.publicKey), row, 'the public key')
    expectEqual(await records.listPublicKeys('bob'), [], 'the keys of the second account')
  },
  async 'gives a public key to exactly one of fifty accounts at once'(records) {
    const row = samplePublicKey()
    const adders = Array.from({ length: 50 }, async (_none, at) =>
      records.addPublicKey({ ...row, username: `user-${at}` }),
    )
    const answers = await Promise.all(adders)
    expectEqual(
      answers.filter((answer) => answer === 'added'),
      ['added'],
      'accounts that were given the key',
    )
  },
  async 'bounds the public keys of an account, and of no other'(records) {
    const rows = Array.from({ length: maxPublicKeys + 4 }, () => samplePublicKey())
    const answers = await Promise.all(rows.map(async (row) => records.addPublicKey(row)))
    const added = answers.filter((answer) => answer === 'added')
    expectEqual([added.length, answers.at(-1)], [maxPublicKeys, 'full'], 'keys added, and the last answer')
    expectEqual((await records.listPublicKeys('alice')).length, maxPublicKeys, 'keys listed')
    expectEqual(await records.addPublicKey(samplePublicKey({ username: 'bob' })), 'added', 'the key of bob')
    await records.endPublicKey('alice', rows[0]?.publicKey ?? '')
    expectEqual(
      await records.addPublicKey(samplePublicKey()),
      'added',
      'a key in the place of one that ended',
    )
  },
  async 'ends a public key for its own account alone, after which another may have it'(records) {
    const row = samplePublicKey()
    await records.addPublicKey(row)
    expectEqual(await records.endPublicKey('bob', row.publicKey), false, 'the end of another account’s key')
    expectEqual(await records.endPublicKey('alice', row.publicKey), true, 'the end of a key')
    expectEqual(await records.endPublicKey('alice', row.publicKey), false, 'the end of no key')
    expectEqual(await records.findPublicKey(row.publicKey), undefined, 'the key that was ended')
    expectEqual(await records.listPublicKeys('alice'), [], 'the keys of alice')
    expectEqual(await records.addPublicKey({ ...row, username: 'bob' }), 'added', 'the key for bob')
  },
  async 'keeps the keys of an account whose row is replaced, and never sweeps them'(records) {
    await records.putAccount(sampleAccount())
    const [scramKey, publicKey] = [sampleScramKey(), samplePublicKey()]
    await records.putScramKey(scramKey)
    await records.addPublicKey(publicKey)
    await records.putAccount(sampleAccount({ disabled: true }))
    expectEqual(await records.sweep(issuedAtMs * 2), 0, 'rows swept')
    expectEqual(await records.findScramKey('alice'), scramKey, 'the SCRAM keys')
    expectEqual(await records.findPublicKey(publicKey.publicKey), publicKey, 'the public key')
  },
}
