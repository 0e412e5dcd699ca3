import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  maxPublicKeys,
  type PublicKeyRow,
  type Records,
  type ScramDerivation,
  type ScramKeyRow,
} from '../../../packages/countersign/src/core/records.ts'
import { memory } from '../../../packages/countersign/src/stores/memory.ts'
import { sqlite } from '../../../packages/countersign/src/stores/sqlite.ts'
import { issuedAtMs, sampleScramKey } from '../../../packages/countersign/src/testing/index.ts'

/** The contract in its plainest form: two lists. */
class Lists {
  #scramKeys: readonly ScramKeyRow[] = []
  #publicKeys: readonly PublicKeyRow[] = []

  putScramKey(row: ScramKeyRow): undefined {
    this.#scramKeys = [...this.#scramKeys.filter(({ username }) => username !== row.username), row]
  }

  endScramKey(username: string): boolean {
    const before = this.#scramKeys.length
    this.#scramKeys = this.#scramKeys.filter((row) => row.username !== username)
    return this.#scramKeys.length < before
  }

  derivations(): Set<string> {
    return new Set(
      this.#scramKeys.map(({ kdf, iterations, memory, salt }) =>
        nameOf({ kdf, iterations, memory, saltBytes: salt.length / 2 }),
      ),
    )
  }

  addPublicKey(row: PublicKeyRow): 'added' | 'taken' | 'full' {
    if (this.#publicKeys.some(({ publicKey }) => publicKey === row.publicKey)) return 'taken'
    if (this.listPublicKeys(row.username).length >= maxPublicKeys) return 'full'
    this.#publicKeys = [...this.#publicKeys, row]
    return 'added'
  }

  endPublicKey(username: string, publicKey: string): boolean {
    const before = this.#publicKeys.length
    this.#publicKeys = this.#publicKeys.filter(
      (row) => row.username !== username || row.publicKey !== publicKey,
    )
    return this.#publicKeys.length < before
  }

  listPublicKeys(username: string): readonly string[] {
    return this.#publicKeys.flatMap((row) => (row.username === username ? row.publicKey : []))
  }
}

function nameOf({ kdf, iterations, memory: kib, saltBytes }: ScramDerivation): string {
  return [kdf, iterations, kib, saltBytes].join(' ')
}

const username = fc.constantFrom('alice', 'bob', 'carol')
const publicKey = fc.nat(40).map((number) => number.toString(16).padStart(64, '0'))
const scramKey = fc
  .record({
    username,
    kdf: fc.constantFrom('pbkdf2', 'argon2id13', 'argon2id-13'),
    iterations: fc.constantFrom(3, 600_000),
    memory: fc.constantFrom(undefined, 65_536),
    salt: fc.constantFrom('00'.repeat(16), 'ff'.repeat(16), '00'.repeat(8)),
  })
  .map(sampleScramKey)
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('put' as const), row: scramKey }) },
  fc.record({ kind: fc.constant('unput' as const), username }),
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), username, publicKey }) },
  fc.record({ kind: fc.constant('remove' as const), username, publicKey }),
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

/** Both do it; both answer alike. */
async function follow(records: Records, lists: Lists, next: Command): Promise<void> {
  if (next.kind === 'put') expect(await records.putScramKey(next.row)).toBe(lists.putScramKey(next.row))
  else if (next.kind === 'unput')
    expect(await records.endScramKey(next.username)).toBe(lists.endScramKey(next.username))
  else if (next.kind === 'add') {
    const row = { username: next.username, publicKey: next.publicKey, addedAtMs: issuedAtMs }
    expect(await records.addPublicKey(row)).toBe(lists.addPublicKey(row))
  } else
    expect(await records.endPublicKey(next.username, next.publicKey)).toBe(
      lists.endPublicKey(next.username, next.publicKey),
    )
}

async function alike(records: Records, commands: readonly Command[]): Promise<void> {
  const lists = new Lists()
  for (const next of commands) await follow(records, lists, next)
  const names = (await records.listScramDerivations(99)).map(nameOf)
  expect(names.length).toBe(new Set(names).size)
  expect(new Set(names)).toEqual(lists.derivations())
  for (const name of ['alice', 'bob', 'carol']) {
    const keys = (await records.listPublicKeys(name)).map((row) => row.publicKey)
    expect(new Set(keys)).toEqual(new Set(lists.listPublicKeys(name)))
    for (const key of keys) expect(await records.findPublicKey(key)).toMatchObject({ username: name })
  }
}

const runs = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1_000)
const commands = fc.array(command, { maxLength: 60 })

test('keys of accounts in memory are those of a plain list after any commands', async () => {
  await fc.assert(
    fc.asyncProperty(commands, (list) => alike(memory(), list)),
    { numRuns: runs },
  )
})

test('keys of accounts in SQLite are those of a plain list after any commands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
  let count = 0
  try {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const records = sqlite(join(folder, `${(count += 1)}.db`))
        await alike(records, list)
        await records.close()
      }),
      // Every command waits for the disk.
      { numRuns: Math.ceil(runs / 50) },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
