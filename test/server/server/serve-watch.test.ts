import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  createGuard,
  memory,
  query,
  type Guard,
  type Lease,
  type Records,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { sqlite } from '../../../packages/countersign/src/stores/sqlite.ts'
import {
  createAccount,
  setDisabled,
  setPassword,
  setRoles,
} from '../../../packages/server/src/server/accounts.ts'
import { sampleMark } from '../../../packages/countersign/src/testing/rows.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'
import { watchRecords } from '../../../packages/server/src/server/serve-watch.ts'
import { stillClock, type StillClock } from '../../countersign/support/clock.ts'
import { expectAcceptance, knock, plainPasswords, wrapped } from '../../countersign/support/guard.ts'
import { until } from '../../countersign/support/sockets.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-watch-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A watched guard on a clock that stands still. */
interface Watched {
  readonly guard: Guard
  readonly clock: StillClock
  readonly logged: unknown[]
  enter(subject: string): Promise<Lease>
  /** Moves on in steps of 10 ms, and waits each time until what fell due is done. */
  pass(ms: number): Promise<void>
  /** Waits for the system to tell of a write, then moves on by less than the second after which all is looked at. */
  attend(): Promise<void>
}

function watch(records: Records): Watched {
  const clock = stillClock()
  const logged: unknown[] = []
  const guard = createGuard({
    records,
    accept: [ticket({ from: query('ticket') })],
    platform: { ...nodePlatform(), clock },
  })
  const log = createLog({ level: 'error', destination: { write: (line) => void logged.push(line) } })
  const stop = watchRecords({ records, guards: [guard], clock, log })
  onTestFinished(() => {
    stop()
    guard.close()
    records.close()
  })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return {
    guard,
    clock,
    logged,
    pass,
    async enter(subject) {
      const issued = await guard.issue.ticket({ subject, audience: 'default' })
      const decision = await knock(guard, { target: `/?ticket=${issued.ticket}` })
      return expectAcceptance(decision, subject).lease
    },
    async attend() {
      // Two timers run always, a third while there are leases; the fourth after a write.
      await until(() => clock.timers === 4)
      await pass(400)
    },
  }
}

/** Two handles on one file, as a server and the command line have them. */
function twoProcesses(name: string): readonly [Records, Records] {
  const file = join(folder, `${name}.db`)
  const other = sqlite(file)
  onTestFinished(() => other.close())
  return [sqlite(file), other]
}

describe('what the command line writes', () => {
  test.each<[string, (tools: Parameters<typeof setDisabled>[0]) => Promise<unknown>]>([
    ['a disabled account', (tools) => setDisabled(tools, 'alice', true)],
    ['a new password', (tools) => setPassword(tools, 'alice', 'another password')],
    ['other roles', (tools) => setRoles(tools, 'alice', ['guest'])],
  ])(
    '%s ends the sockets of its user without waiting for the next look, and no others',
    async (name, change) => {
      const [records, other] = twoProcesses(name.replaceAll(' ', '-'))
      const { enter, attend, clock } = watch(records)
      const tools = { records: other, passwords: plainPasswords, clock }
      await createAccount(tools, { username: 'alice', password: 'a password', roles: ['member'] })
      const [alice, bob] = [await enter('alice'), await enter('bob')]
      await attend()
      expect(alice.ended).toBe(false)
      clock.advance(1_000)
      await change(tools)
      await attend()
      expect(alice).toMatchObject({ ended: true, reason: 'revoked' })
      expect(bob.ended).toBe(false)
    },
  )

  test('is compared with leases when it is a mark, and only then', async () => {
    const [records, other] = twoProcesses('quiet')
    let looks = 0
    const counted = wrapped(records, (name, call) => {
      if (name === 'findMark') looks++
      return call()
    })
    const { enter, attend, pass, clock } = watch(counted)
    await enter('alice')
    await attend()
    await pass(1_000)
    looks = 0
    for (let step = 0; step < 20; step++) {
      const user = { username: `user-${step}`, password: undefined, roles: [] }
      await createAccount({ records: other, passwords: plainPasswords, clock }, user)
    }
    await attend()
    expect(looks).toBe(0)
    await pass(600)
    looks = 0
    await other.putMark(sampleMark({ value: 'nobody', atMs: clock.now() }))
    await attend()
    expect(looks).toBe(1)
  })

  test('wakes nobody once it is a while ago', async () => {
    const [records] = twoProcesses('idle')
    const { enter, pass, clock } = watch(records)
    await enter('alice')
    await until(() => clock.timers === 4)
    // The system tells of one write several times, and when it likes.
    for (let round = 0; round < 50 && clock.timers > 3; round++) await pass(600)
    expect(clock.timers).toBe(3)
  })

  test('is not lost when the store is out of reach at that moment', async () => {
    const [records, other] = twoProcesses('outage')
    let broken = false
    const breaking = wrapped(records, (name, call) => {
      if (name === 'findMark' && broken) throw new Error('the store is out of reach')
      return call()
    })
    const { enter, attend, pass, clock, logged } = watch(breaking)
    const lease = await enter('alice')
    await attend()
    await pass(1_000)
    broken = true
    await other.putMark(sampleMark({ value: 'alice', atMs: clock.now() }))
    await attend()
    expect(lease.ended).toBe(false)
    expect(logged.length).toBeGreaterThan(0)
    broken = false
    await pass(50)
    expect(lease.ended).toBe(true)
  })
})

describe('a store that cannot tell of new marks', () => {
  test('is looked at once a second', async () => {
    const records: Records = memory()
    const { enter, pass, clock } = watch(records)
    const lease = await enter('alice')
    await records.putMark(sampleMark({ value: 'alice', atMs: clock.now() }))
    await pass(750)
    expect(lease.ended).toBe(false)
    await pass(250)
    expect(lease.ended).toBe(true)
  })
})
