/** A5: many ask at once with one ticket, and several get in. */
import type { Check } from '../check.ts'
import { isIn, low, token } from '../needs.ts'
import { failOr, finding, inconclusive, info, notTested, pass } from '../verdict.ts'

const tickets = 10
const racers = 20

/** Double redemption. */
export const redeemRace: Check = {
  id: 'A5',
  title: 'One ticket, shown many times at once, opens several sockets',
  cwe: [362, 367],
  asvs: ['15.4.2', '2.3.4'],
  safety: 'S',
  needs: [low, token],
  why: 'A store that is asked whether a ticket exists, and told later that it is spent, lets everybody in who asks in between. An attacker who reads a ticket on its way only has to be as quick as its owner.',
  remedy: {
    text: 'Find and take the ticket in one atomic step of the store; whoever gets nothing back is refused. An await between the two is the hole.',
    ws: 'const [row] = await sql`DELETE FROM tickets WHERE hash = ${hash} AND expires > now() RETURNING subject`\nif (row === undefined) return refuse(socket, 401)',
    socketIo:
      "const subject = await redis.getDel(`ticket:${hash}`)\nif (subject === null) return next(new Error('unauthorized'))",
    countersign:
      "createGuard({ records: sqlite('countersign.db'), accept: [ticket({ from: query('ticket') })] }) // of all who ask, the store answers one",
  },
  async run(scene) {
    const { oracle, low: identity, budget } = scene
    if (identity === undefined) return notTested(low.missing)
    const probe = identity.presentToken(await identity.token())
    const first = await oracle.look(probe)
    const second = await oracle.look(probe)
    if (!isIn(first.view, scene)) return inconclusive('a fresh token is not accepted', first.exchange)
    if (isIn(second.view, scene))
      return identity.options.token?.singleUse === true
        ? inconclusive('a ticket opens a second socket even without a race', second.exchange)
        : info('one token opens several sockets by design; there is nothing to race for')
    const crowd = Math.min(racers, budget.allowance.maxOpen)
    let lost = 0
    for (let ticket = 1; ticket <= tickets; ticket += 1) {
      const presented = identity.presentToken(await identity.token())
      const sights = await Promise.all(Array.from({ length: crowd }, () => oracle.look(presented)))
      const winners = sights.filter(({ view }) => isIn(view, scene))
      if (winners.length > 1) {
        const says = `ticket ${ticket} of ${tickets}, shown ${crowd} times at once, opened ${winners.length} sockets`
        const exchanges = winners.slice(0, 2).map(({ exchange }) => exchange)
        return failOr([finding('high', says, { exchanges })], pass(''))
      }
      if (winners.length === 0) lost += 1
    }
    if (lost === tickets) return inconclusive(`shown ${crowd} times at once, no ticket opened any socket`)
    return pass(`each of ${tickets} tickets, shown ${crowd} times at once, opened at most one socket`)
  },
}
