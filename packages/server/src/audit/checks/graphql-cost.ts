/** I13: queries of any depth. */
import type { Check, Scene } from '../check.ts'
import { say } from '../dialects/dialect.ts'
import { speaks } from '../needs.ts'
import type { Nesting } from '../options.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'
import type { Visit } from '../visit.ts'

const depths = [1, 4, 8, 12]
const aliases = 12
/** A chain that introspection has, and that costs nothing: a scalar is of no other type. */
const introspected: Nesting = { query: '{ __type(name: "String") {nested} }', field: 'ofType', leaf: 'name' }

/** Depth and breadth of queries. */
export const graphqlCost: Check = {
  id: 'I13',
  title: 'A query may be nested as deep as one likes',
  cwe: [770],
  asvs: ['4.3.1'],
  safety: 'A',
  needs: [speaks('graphql-transport-ws', 'graphql-ws')],
  why: 'Each level of a list multiplies the work: friends of friends of friends, a hundred each, is a million. A few hundred bytes ask for hours.',
  remedy: {
    text: 'Refuse queries by depth and by cost before they are executed, or execute only those that are known beforehand (persisted operations).',
    ws: 'useServer({ schema, onSubscribe: (_context, _id, payload) => validated(payload, [...specifiedRules, depthLimit(8)]) }, wss)',
    socketIo: '// not concerned: GraphQL is not spoken there',
    countersign:
      'guardGraphql(server, wss, guard, { schema, onSubscribe, operations: { policy } }) // with the same rules in onSubscribe',
  },
  async run(scene) {
    const { view, visit } = await stayAsSomebody(scene)
    try {
      if (view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
      const executed: number[] = []
      for (const depth of depths) {
        if (!(await isExecuted(scene, visit, nested(scene.options.nesting ?? introspected, depth)))) break
        executed.push(depth)
      }
      const deepest = executed.at(-1)
      if (deepest === undefined)
        return {
          kind: 'not tested',
          missing: 'a field that may stand in itself (nesting): introspection is closed',
        }
      const wide = await isExecuted(scene, visit, aliased())
      const breadth = wide ? `${aliases} aliases of one field are executed` : `${aliases} aliases are refused`
      const exchanges = [visit.exchange]
      if (deepest < (depths.at(-1) ?? 0))
        return { kind: 'pass', says: `refused beyond a depth of ${deepest}; ${breadth}`, exchanges }
      return {
        kind: 'fail',
        findings: [
          {
            says: `a query that is nested ${deepest} deep is executed; ${breadth}`,
            severity: 'low',
            confidence: 'high',
            exchanges,
          },
        ],
      }
    } finally {
      await visit.leave()
    }
  },
}

function nested({ query, field, leaf }: Nesting, depth: number): string {
  const inner = Array.from({ length: depth }).reduce<string>(
    (selection) => `{ ${field} ${selection} }`,
    `{ ${leaf} }`,
  )
  return query.replace('{nested}', () => inner)
}

function aliased(): string {
  return `{ ${Array.from({ length: aliases }, (_one, at) => `a${at}: __typename`).join(' ')} }`
}

async function isExecuted(
  { oracle, dialect, endpoint }: Scene,
  visit: Visit,
  query: string,
): Promise<boolean> {
  if (!visit.live) return false
  say(visit, dialect, { probe: { query }, endpoint })
  let executed = false
  await oracle.hear(
    visit,
    (_text, kind) => {
      executed = kind === 'data'
      return true
    },
    oracle.settleMs,
  )
  return executed
}
