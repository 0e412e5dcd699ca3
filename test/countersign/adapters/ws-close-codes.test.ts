import { describe, expect, test } from 'vitest'
import { path, query } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { call, expectAccepted, expectRefused, openGuarded, type Door } from '../support/sockets.ts'

const ticketOf = async (door: Door): Promise<string> =>
  (await door.guard.issue.ticket({ subject: 'alice' })).ticket

describe('a guarded server with close codes of its own', () => {
  const open = (): Promise<Door> =>
    openGuarded({
      accept: [ticket({ from: query() })],
      closeCodes: { invalid_credential: 4401, revoked: 1008 },
    })

  test('closes a refused browser with them, and keeps the word', async () => {
    const caller = call(await open(), { page: pageOrigin, path: '/?ticket=cst_x' })
    expect(await caller.closed).toEqual({ code: 4401, reason: 'invalid_credential' })
  })

  test('ends leases with them, and keeps the word', async () => {
    const door = await open()
    const caller = call(door, { path: `/?ticket=${await ticketOf(door)}` })
    await expectAccepted(door, caller, 'alice')
    await door.guard.revoke({ subject: 'alice' })
    expect(await caller.closed).toEqual({ code: 1008, reason: 'revoked' })
  })

  test('answers other reasons by the table, and others than browsers by HTTP', async () => {
    const door = await open()
    await expectRefused(call(door, { page: pageOrigin }), 'missing_credential')
    await expectRefused(call(door, { path: '/?ticket=cst_x' }), 'invalid_credential')
  })
})

describe('a guarded server with tickets in the path', () => {
  test('lets a ticket in once and hides it from the application', async () => {
    const door = await openGuarded({ accept: [ticket({ from: path({ prefix: '/connect/' }) })] })
    const text = await ticketOf(door)
    const guest = await expectAccepted(door, call(door, { path: `/connect/${text}?room=7` }), 'alice')
    expect(guest.request.url).toBe('/connect/?room=7')
    await expectRefused(call(door, { path: `/connect/${text}` }), 'invalid_credential')
    await expectRefused(call(door, { path: `/connect/${await ticketOf(door)}/more` }), 'invalid_credential')
    await expectRefused(call(door, { path: '/connect/' }), 'missing_credential')
    await expectRefused(call(door, { path: `/elsewhere/${text}` }), 'missing_credential')
  })
})
