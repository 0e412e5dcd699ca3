/** O6: what the server selects among offered subprotocols. */
import { headerOf } from '../answer.ts'
import { judgedBy } from '../exchange.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { isSomebody } from '../needs.ts'
import { describeView } from '../oracle.ts'
import { oracleFor } from '../oracle-for.ts'
import { anonymous } from '../presented.ts'
import { stayAsSomebody } from '../staying.ts'
import type { Protocol } from '../target.ts'

const unknown = 'countersign-audit.unknown'
const tokenLike = 'countersign-audit.c2VjcmV0LXRva2Vu'

/** Subprotocols are confused, or a secret one comes back. */
export const subprotocolChoice: Check = {
  id: 'O6',
  title: 'The server selects a subprotocol that it does not speak, or sends a token back',
  cwe: [757, 288],
  asvs: ['6.3.4'],
  safety: 'A',
  needs: [],
  why: 'A token that travels as a subprotocol must not be selected: answers are logged by proxies. And an older subprotocol that is still spoken must ask for the same credentials as the one of today.',
  remedy: {
    text: 'Select among a list of your own, never the first that is offered, and put every subprotocol behind the same check.',
    ws: "new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has('app.v1') ? 'app.v1' : false) })",
    socketIo: 'io(url, { auth: { token } }) // Socket.IO selects whatever is offered first: offer no token',
    countersign:
      'createGuard({ accept: [ticket({ from: [subprotocol()] })] }) // selects countersign.v1, never the token',
  },
  async run(scene) {
    const { endpoint } = scene
    const [selections, downgrade] = await Promise.all([
      Promise.all(offersOf(scene).map((offer) => selectionOf(scene, offer))),
      downgraded(scene),
    ])
    const findings = selections.flatMap((finding) => finding ?? [])
    const as = scene.low?.options.token?.as
    if (
      endpoint.protocol === 'socket.io' &&
      (as === undefined || !('subprotocols' in as)) &&
      findings.length > 0
    )
      return {
        kind: 'info',
        says: 'Socket.IO selects the first subprotocol that is offered; nothing here rests upon it',
        exchanges: findings.flatMap(({ exchanges }) => exchanges).slice(0, 1),
      }
    if (downgrade !== undefined) findings.push(downgrade)
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: 'an unknown subprotocol and one that looks like a token are not selected' }
  },
}

/** Subprotocols of which the first should not be selected, and what it means where it is. */
interface Offer {
  readonly offered: readonly string[]
  readonly says: string
  readonly severity: Finding['severity']
}

function offersOf({ endpoint, dialect }: Scene): readonly Offer[] {
  return [
    { offered: [unknown], says: 'selects a subprotocol that nobody speaks', severity: 'low' },
    {
      offered: [tokenLike, ...endpoint.subprotocols, ...dialect.subprotocols],
      says: 'sends an entry that may be a token back',
      severity: 'medium',
    },
  ]
}

async function selectionOf(scene: Scene, { offered, says, severity }: Offer): Promise<Finding | undefined> {
  const stay = await stayAsSomebody(scene, { subprotocols: offered })
  await stay.visit.leave()
  const { answer } = stay.visit
  const selected = answer.kind === 'answered' ? headerOf(answer.headers, 'sec-websocket-protocol') : undefined
  if (selected === undefined || selected !== offered[0]) return undefined
  return {
    says: `the target ${says}`,
    severity,
    confidence: 'high',
    subject: says,
    exchanges: [judgedBy(stay.exchange, selected)],
  }
}

/** Whether the other of GraphQL's two protocols lets nobody further in than the one that is audited. */
async function downgraded(scene: Scene): Promise<Finding | undefined> {
  const { endpoint, baseline } = scene
  const other = otherOf[endpoint.protocol]
  if (other === undefined || baseline.anonymous.view.kind === 'open') return undefined
  const { view, exchange } = await oracleFor(scene, other).look(anonymous)
  if (!isSomebody(view, scene)) return undefined
  return {
    says: `nobody is let in by ${endpoint.protocol}, but by ${other} one is ${describeView(view)}`,
    severity: 'high',
    confidence: 'high',
    subject: other,
    exchanges: [exchange],
  }
}

const otherOf: Readonly<Partial<Record<Protocol, Protocol>>> = {
  'graphql-transport-ws': 'graphql-ws',
  'graphql-ws': 'graphql-transport-ws',
}
