/** I8: one address holds as many sockets as it likes without saying who it is. */
import type { Check, Outcome, Scene } from '../check.ts'
import { intrusive } from '../needs.ts'
import { anonymous } from '../presented.ts'
import { Visit } from '../visit.ts'

const crowdSize = 100
const settleMs = 500

/** No limit to waiting sockets. */
export const crowd: Check = {
  id: 'I8',
  title: 'One address may hold any number of sockets that say nothing',
  cwe: [770],
  asvs: ['13.1.2', '15.2.2'],
  safety: 'I',
  needs: [intrusive],
  lastly: true,
  why: 'Sockets that nobody has proved anything on cost memory and descriptors. Where nothing counts them, one machine takes the places of everybody.',
  remedy: {
    text: 'Limit sockets before authentication, in all and for each address, below what many users behind one address need together; give the places of the silent to those who come.',
    ws: "if ((waiting.get(address) ?? 0) >= 100) return socket.end('HTTP/1.1 503 Service Unavailable\\r\\nConnection: close\\r\\n\\r\\n')",
    socketIo:
      'new Server(server, { allowRequest: (request, answer) => answer(null, mayWait(request.socket.remoteAddress)) })',
    countersign: 'createGuard({ accept, limits: { pool: { total: 1_000, perSource: 100 } } }) // the default',
  },
  async run(scene) {
    const places = scene.budget.allowance.maxCrowd ?? 0
    if (places < crowdSize)
      return { kind: 'not tested', missing: `an allowance of ${crowdSize} sockets more (maxCrowd)` }
    return scene.budget.crowded(() => gather(scene))
  },
}

async function gather({ oracle, needs, budget, low, baseline }: Scene): Promise<Outcome> {
  const attempt = oracle.attempt(anonymous)
  const enter = (): Promise<Visit> => Visit.open(needs, attempt)
  const visits = await Promise.all(Array.from({ length: crowdSize }, enter))
  try {
    await budget.pause(settleMs)
    const staying = (): number => visits.filter(({ live }) => live).length
    const exchanges = visits.slice(0, 1).map(({ exchange }) => exchange)
    if (staying() === 0) return { kind: 'pass', says: 'nobody stays without a credential', exchanges }
    const known = low === undefined || baseline.low?.view.kind !== 'open' ? undefined : await low.present()
    const friend = known === undefined ? undefined : await oracle.look(known)
    const locked = friend !== undefined && friend.view.kind !== 'open'
    const others =
      friend === undefined ? '' : `; a user from the same address ${locked ? 'did not get in' : 'got in'}`
    const last = await enter()
    await budget.pause(settleMs)
    const capped = !last.live || staying() < crowdSize
    await last.leave()
    if (capped)
      return {
        kind: 'pass',
        says: `${staying()} of ${crowdSize} silent sockets may stay${others}`,
        exchanges,
      }
    return {
      kind: 'fail',
      findings: [
        {
          says: `${crowdSize + 1} silent sockets from one address stay at the same time${others}`,
          severity: locked ? 'medium' : 'low',
          // A limit beyond what was tried cannot be seen.
          confidence: 'medium',
          exchanges,
        },
      ],
    }
  } finally {
    await Promise.all(visits.map((visit) => visit.leave()))
  }
}
