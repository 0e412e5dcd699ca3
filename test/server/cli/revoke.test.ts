import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createGuard, query, type Handshake, type Lease } from 'countersign'
import { ticket } from 'countersign/methods'
import { sqlite } from 'countersign/stores/sqlite'
import { countersign } from './support/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-revoke-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0

/** A guard over a database of its own with one open lease, and the command line beside it. */
async function opened(): Promise<{
  readonly lease: Lease
  revoke(...args: readonly string[]): ReturnType<typeof countersign>
  /** What a server does now and then. */
  look(): Promise<void>
}> {
  const store = join(folder, `${(count += 1)}.db`)
  const records = sqlite(store)
  const guard = createGuard({ records, accept: [ticket({ from: query('ticket') })] })
  const issued = await guard.issue.ticket({ subject: 'alice', roles: ['member'], session: 's-1' })
  const handshake: Handshake = {
    target: `/?ticket=${issued.ticket}`,
    host: 'localhost',
    origin: undefined,
    cookie: undefined,
    authorization: undefined,
    subprotocol: undefined,
    remoteAddress: '127.0.0.1',
    secure: false,
    certificate: undefined,
  }
  const turn = await guard.knock(handshake)
  if (turn.kind !== 'done' || turn.value.kind !== 'accepted') throw new Error('not accepted')
  const { lease } = turn.value
  lease.open()
  return {
    lease,
    revoke: (...args) => countersign(['revoke', ...args, '--store', store]),
    look: () => guard.recheck(),
  }
}

describe('revoke', () => {
  it.each([
    ['subject', 'alice'],
    ['session', 's-1'],
    ['role', 'member'],
    ['address', '127.0.0.1/32'],
    ['everything'],
  ])('ends what a running server has opened by %s %s', async (...words) => {
    const { lease, revoke, look } = await opened()
    const { exit, stdout } = await revoke(...words)
    expect([exit, stdout]).toEqual([0, `${words.join(' ')} revoked\n`])
    await look()
    expect(lease.reason).toBe('revoked')
  })

  it('takes a public id that begins with a dash', async () => {
    const { revoke } = await opened()
    expect((await revoke('lease', '-abc')).exit).toBe(0)
  })

  it('leaves everybody else alone, and whoever came later than it says', async () => {
    const { lease, revoke, look } = await opened()
    await revoke('subject', 'bob')
    await revoke('subject', 'alice', '--before', '2020-01-01T00:00:00Z')
    await revoke('everything', '--before', '2020-01-01T00:00+02:00')
    await look()
    expect(lease.ended).toBe(false)
  })

  it('warns before it ends where it is told to', async () => {
    const { lease, revoke, look } = await opened()
    await revoke('subject', 'alice', '--margin', '1h')
    await look()
    expect([lease.ended, lease.phase]).toEqual([false, 'due'])
  })

  it('says what clients shall be told, and answers in JSON', async () => {
    const { lease, revoke, look } = await opened()
    const { stdout } = await revoke('subject', 'alice', '--reason', 'logged_out', '--json')
    expect(JSON.parse(stdout)).toEqual({ revoked: 'subject', value: 'alice', reason: 'logged_out' })
    await look()
    expect(lease.reason).toBe('logged_out')
  })

  it.each([
    [['nobody', 'x'], '"nobody": one of subject, session'],
    [['subject'], 'VALUE is missing'],
    [[], 'WHAT is missing'],
    [['address', 'localhost'], '"localhost": not an address'],
    [['everything', 'x'], '"x": one word too many'],
    [['subject', 'alice', '--margin', '2h'], '--margin 2h: an hour at most'],
    [['subject', 'alice', '--margin', 'soon'], '--margin soon: not a duration'],
    [['subject', 'alice', '--before', 'yesterday'], '--before "yesterday": not an instant'],
    [['subject', 'alice', '--reason', 'superseded'], '--reason "superseded": revoked or logged_out'],
  ])('of %j is refused, and says why', async (words, why) => {
    const { revoke } = await opened()
    const { exit, stderr } = await revoke(...words)
    expect(exit).toBe(2)
    expect(stderr).toContain(why)
  })

  it('needs a database that is there', async () => {
    const { exit, stderr } = await countersign(['revoke', 'subject', 'a', '--store', join(folder, 'none.db')])
    expect(exit).toBe(4)
    expect(stderr).toContain('there is no such database')
  })
})
