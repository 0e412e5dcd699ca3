import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  cookie,
  memory,
  query,
  type Lease,
  type Records,
  type RevokeOptions,
} from '../../../packages/countersign/src/index.ts'
import { session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { handshakeOf, openGuard, pageOrigin, wrapped, type Opened } from '../support/guard.ts'

interface Race {
  readonly opened: Opened
  readonly lease: () => Lease | undefined
  readonly revoked: () => boolean
  readonly settled: Promise<unknown>
}

/** Records that answer when the scheduler says so, each call at two moments: before and after it takes effect. */
function scheduled(scheduler: fc.Scheduler): Records {
  const store = memory()
  return wrapped(store, async (name, call) => {
    await scheduler.schedule(Promise.resolve(), `${name} begins`)
    const answer = await call()
    await scheduler.schedule(Promise.resolve(), `${name} answers`)
    return answer
  })
}

/** A connection attempt and a revocation of its credential, on records that take their time. */
async function race(
  scheduler: fc.Scheduler,
  how: (ids: Ids) => RevokeOptions,
  byTicket: boolean,
): Promise<Race> {
  const opened = openGuard({
    accept: [ticket({ from: query('ticket') }), session({ from: cookie('sid') })],
    records: scheduled(scheduler),
  })
  const facts = { subject: 'alice', roles: ['member'], session: 'root' }
  const issuing = (async () => {
    if (!byTicket) {
      const { id, session: text } = await opened.guard.issue.session(facts)
      return { id, attempt: handshakeOf({ origin: pageOrigin, cookie: `sid=${text}` }) }
    }
    const { id, ticket: text } = await opened.guard.issue.ticket(facts)
    return { id, attempt: handshakeOf({ origin: pageOrigin, target: `/?ticket=${text}` }) }
  })()
  await scheduler.waitFor(issuing)
  const { id: token, attempt } = await issuing
  let lease: Lease | undefined
  let revoked = false
  const connecting = (async () => {
    const turn = await opened.guard.knock(attempt)
    // The socket opens some time after the verdict.
    await scheduler.schedule(Promise.resolve(), 'socket opens')
    if (turn.kind !== 'done' || turn.value.kind !== 'accepted') return
    if (turn.value.lease.open()) lease = turn.value.lease
  })()
  const revoking = opened.guard.revoke(how({ token })).then(() => {
    revoked = true
  })
  return { opened, lease: () => lease, revoked: () => revoked, settled: Promise.all([connecting, revoking]) }
}

interface Ids {
  readonly token: string
}

const ways: Readonly<Record<string, (ids: Ids) => RevokeOptions>> = {
  subject: () => ({ subject: 'alice' }),
  session: () => ({ session: 'root' }),
  token: ({ token }) => ({ token }),
  role: () => ({ role: 'member' }),
  address: () => ({ address: '127.0.0.0/8' }),
  origin: () => ({ origin: pageOrigin }),
  // As far ahead as it likes: it never reaches beyond now.
  'issued before': () => ({ issuedBefore: Number.MAX_SAFE_INTEGER }),
}

describe.each(Object.keys(ways))('a revocation by %s', (way) => {
  test.each([true, false])(
    'leaves no lease open once it is acknowledged, at whatever step it falls (by ticket: %s)',
    async (byTicket) => {
      const how = ways[way] ?? (() => ({ subject: 'alice' }))
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), async (scheduler) => {
          const { lease, revoked, settled, opened } = await race(scheduler, how, byTicket)
          while (scheduler.count() > 0) {
            await scheduler.waitOne()
            if (revoked() && lease()?.ended === false) throw new Error('open after the acknowledgement')
          }
          await scheduler.waitFor(settled)
          if (lease()?.ended === false) throw new Error('open in the end')
          if (opened.guard.leases().length > 0) throw new Error('a lease was left behind')
        }),
        { numRuns: 150 },
      )
    },
  )
})

test('a refresh with a credential that is revoked meanwhile ends the lease that took it over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const opened = openGuard({ accept: [ticket({ from: query('ticket') })], records: scheduled(scheduler) })
      const issuing = Promise.all([
        opened.guard.issue.ticket({ subject: 'alice', session: 'one' }),
        opened.guard.issue.ticket({ subject: 'alice', session: 'two' }),
      ])
      await scheduler.waitFor(issuing)
      const [first, second] = await issuing
      const knocking = Promise.resolve(
        opened.guard.knock(handshakeOf({ target: `/?ticket=${first.ticket}` })),
      )
      await scheduler.waitFor(knocking)
      const turn = await knocking
      if (turn.kind !== 'done' || turn.value.kind !== 'accepted') throw new Error('not accepted')
      const { lease } = turn.value
      lease.open()
      const both = Promise.all([
        opened.guard.refresh(lease.id, handshakeOf({ target: `/?ticket=${second.ticket}` })),
        opened.guard.revoke({ session: 'two' }),
      ])
      await scheduler.waitFor(both)
      await both
      // Either the lease rests on the old login still, or it has ended with the new one.
      expect(lease.ended || lease.grant.session === 'one').toBe(true)
    }),
    { numRuns: 300 },
  )
})
