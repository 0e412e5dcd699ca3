/** A5: many ask at once with one ticket, and several get in. */
import type { Check, Scene } from '../check.ts'
import type { Identity } from '../identity.ts'
import { isIn, low, token } from '../needs.ts'
import { homeOf, otherNodes, type Node } from '../nodes.ts'
import { describeView } from '../oracle.ts'
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
    const { nodes, troubles } = await nodesThatTake(scene, identity)
    const crowd = Math.min(racers, budget.allowance.maxOpen)
    let lost = 0
    for (let ticket = 1; ticket <= tickets; ticket += 1) {
      const presented = identity.presentToken(await identity.token())
      const racing = Array.from({ length: crowd }, async (_, at) => {
        const node = nodes[at % nodes.length] ?? homeOf(scene)
        return { node: node.name, ...(await node.oracle.look(presented)) }
      })
      const winners = (await Promise.all(racing)).filter(({ view }) => isIn(view, scene))
      if (winners.length > 1) {
        const at = new Set(winners.map(({ node }) => node))
        const where = nodes.length > 1 ? ` at ${[...at].join(' and ')}` : ''
        const says = `ticket ${ticket} of ${tickets}, shown ${crowd} times at once, opened ${winners.length} sockets${where}`
        const exchanges = winners.slice(0, 2).map(({ exchange }) => exchange)
        return failOr([finding('high', says, { exchanges })], pass(''))
      }
      if (winners.length === 0) lost += 1
    }
    if (lost === tickets) return inconclusive(`shown ${crowd} times at once, no ticket opened any socket`)
    const raced = `each of ${tickets} tickets, shown ${crowd} times at once at ${nodes.length} address(es), opened at most one socket`
    if (troubles.length > 0) return inconclusive([raced, ...troubles].join('; '))
    return pass(nodes.length > 1 ? raced : `${raced}; other nodes were not tried without nodes`)
  },
}

/** Addresses at which a fresh ticket opens a socket; where it does not, a race proves nothing. */
async function nodesThatTake(
  scene: Scene,
  identity: Identity,
): Promise<{ readonly nodes: readonly Node[]; readonly troubles: readonly string[] }> {
  const nodes: Node[] = [homeOf(scene)]
  const troubles: string[] = []
  for (const node of otherNodes(scene)) {
    const { view } = await node.oracle.look(identity.presentToken(await identity.token()))
    if (isIn(view, scene)) nodes.push(node)
    else troubles.push(`${node.name} was not tried: a fresh token is ${describeView(view)} there`)
  }
  return { nodes, troubles }
}
