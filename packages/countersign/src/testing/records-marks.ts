/** Revocation marks: what they revoke, and what they leave alone. */
import type { Caller } from '../core/handshake.ts'
import type { Grant } from '../core/principal.ts'
import { markKinds, type MarkKind } from '../core/records.ts'
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleGrant, sampleMark } from './rows.ts'
import { expectEqual } from './suite.ts'

/** A grant that rests upon everything, so that each kind of mark has something to point at. */
const grant: Grant = sampleGrant({
  roles: ['member', 'editor'],
  session: 's-1',
  token: 't-1',
  apiKey: 'k-1',
  certificate: 'c-1',
  serial: '1f',
  issuer: 'https://id.example.com',
})
/** Who called when it was granted. */
const caller: Caller = { remoteAddress: '2001:db8:1::2', origin: 'https://app.example.com' }
/** The lease that the grant above was given. */
const lease = 'l-1'
/** A day, ms. */
const dayMs = 86_400_000

/** Each kind, with a value that names the grant or the lease. */
const targets: Readonly<Record<MarkKind, string>> = {
  subject: 'user-17',
  session: 's-1',
  token: 't-1',
  apiKey: 'k-1',
  certificate: 'c-1',
  serial: '1f',
  issuer: 'https://id.example.com',
  role: 'editor',
  lease,
  address: '2001:db8::/32',
  origin: 'https://app.example.com',
  issuedBefore: '*',
}

/** Values that name something else, where not every text is one. */
const others: Partial<Readonly<Record<MarkKind, string>>> = { address: '2001:db9::/32' }

/**
 * Behaviours of `putMark`, `findMark`, and of `sweep` for marks. An acceptance is as good as this lookup: a
 * mark that is not found is a revocation that did not happen.
 */
export const markCases: RecordsCases = {
  async 'finds no mark where none was put'(records) {
    expectEqual(await records.findMark(grant, lease), undefined, 'the mark')
  },
  ...Object.fromEntries(
    markKinds.map((kind) => [
      `finds the mark of kind ${kind} that names the grant, and none that names another`,
      async (records) => {
        await records.putMark(sampleMark({ kind, value: others[kind] ?? 'another' }))
        expectEqual(await records.findMark(grant, lease, caller), undefined, 'the mark of another')
        const mark = sampleMark({ kind, value: targets[kind], enforceAtMs: 1, reason: 'logged_out' })
        await records.putMark(mark)
        expectEqual(await records.findMark(grant, lease, caller), mark, 'the mark')
      },
    ]),
  ),
  async 'revokes what was issued at the instant of the mark or before, and nothing later'(records) {
    const mark = sampleMark()
    await records.putMark(mark)
    const at = async (ms: number): Promise<unknown> =>
      records.findMark(sampleGrant({ issuedAtMs: ms }), lease)
    expectEqual(await at(mark.atMs - 1), mark, 'the mark for an earlier grant')
    expectEqual(await at(mark.atMs), mark, 'the mark for a grant of the same instant')
    expectEqual(await at(mark.atMs + 1), undefined, 'the mark for a later grant')
  },
  async 'revokes what descends from a session, and a lease, whenever it was issued'(records) {
    for (const kind of ['session', 'lease'] as const) {
      const mark = sampleMark({ kind, value: targets[kind] })
      await records.putMark(mark)
      const later = {
        ...grant,
        issuedAtMs: mark.atMs + 1,
        session: kind === 'session' ? grant.session : undefined,
      }
      expectEqual(await records.findMark(later, lease), mark, `the mark of kind ${kind}`)
    }
  },
  async 'finds a caller in a block of addresses, in whatever way both are written'(records) {
    const mark = sampleMark({ kind: 'address', value: '192.0.2.128/25' })
    await records.putMark(mark)
    const from = async (remoteAddress: string): Promise<unknown> =>
      records.findMark(grant, lease, { ...caller, remoteAddress })
    expectEqual(await from('192.0.2.129'), mark, 'the mark for an address in the block')
    expectEqual(await from('::ffff:192.0.2.255'), mark, 'the mark for a mapped address in it')
    expectEqual(await from('192.0.2.127'), undefined, 'the mark for an address beside it')
    expectEqual(await from('unix'), undefined, 'the mark for what is no address')
  },
  async 'passes over addresses and origins where nobody is calling'(records) {
    await records.putMark(sampleMark({ kind: 'address', value: '2001:db8::/32' }))
    await records.putMark(sampleMark({ kind: 'origin', value: 'https://app.example.com' }))
    expectEqual(await records.findMark(grant, lease), undefined, 'the mark')
  },
  async 'holds the same value of different kinds apart'(records) {
    for (const kind of markKinds)
      if (kind !== 'subject') await records.putMark(sampleMark({ kind, value: 'user-17' }))
    expectEqual(await records.findMark(grant, lease), undefined, 'the mark')
  },
  async 'replaces a mark by a later one, and never by an earlier one'(records) {
    const [first, later, earlier] = [60_000, 90_000, 30_000].map((ms) =>
      sampleMark({ atMs: issuedAtMs + ms }),
    )
    const between = sampleGrant({ issuedAtMs: issuedAtMs + 80_000 })
    for (const mark of [first, later, earlier]) if (mark !== undefined) await records.putMark(mark)
    expectEqual(await records.findMark(between, lease), later, 'the mark')
  },
  async 'finds the mark that applies among others that do not'(records) {
    await records.putMark(sampleMark({ kind: 'subject', value: 'user-17', atMs: issuedAtMs - 1 }))
    await records.putMark(sampleMark({ kind: 'role', value: 'member', atMs: issuedAtMs - 1 }))
    const mark = sampleMark({ kind: 'role', value: 'editor' })
    await records.putMark(mark)
    expectEqual(await records.findMark(grant, lease), mark, 'the mark')
  },
  async 'keeps marks for 400 days'(records) {
    const old = sampleMark()
    const newer = sampleMark({ kind: 'session', value: 's-1', atMs: old.atMs + dayMs })
    for (const mark of [old, newer]) await records.putMark(mark)
    expectEqual(await records.sweep(old.atMs + 400 * dayMs), 0, 'marks swept after 400 days')
    expectEqual(await records.findMark(sampleGrant(), lease), old, 'the mark of 400 days')
    expectEqual(await records.sweep(old.atMs + 400 * dayMs + 1), 1, 'marks swept thereafter')
    expectEqual(await records.findMark(sampleGrant(), lease), undefined, 'the mark that was swept')
    expectEqual(await records.findMark(grant, lease), newer, 'the mark of a day later')
  },
}
