/** Z5: interfaces for operators, open to everybody. */
import { presentedAs } from '../canaries.ts'
import type { Check, Finding, Scene } from '../check.ts'
import { say, type Probe } from '../dialects/dialect.ts'
import { speaks } from '../needs.ts'
import type { IdentityName } from '../presented.ts'

/** Something that only operators should be able to ask. */
interface Question {
  readonly name: string
  /** Left out where the answer comes by itself. */
  readonly probe?: Probe
  /** A namespace of Socket.IO of its own. */
  readonly namespace?: string
  /** What says that it was answered. */
  readonly answered: RegExp
  readonly severity: Finding['severity']
}

/** No session has this id: nobody is thrown out, whatever the answer. */
const noSession = 9_007_199_254_740_991

const result = /^\[\s*50\s*,/
/** It would have been done, had there been anybody. */
const noSuchSession = /^\[\s*(?:50\s*,|8\s*,.*wamp\.error\.no_such_session)/

const ofWamp: readonly Question[] = [
  ...['wamp.session.list', 'wamp.session.count', 'wamp.registration.list', 'wamp.subscription.list'].map(
    (name): Question => ({ name, probe: { call: name }, answered: result, severity: 'medium' }),
  ),
  {
    name: 'wamp.session.kill',
    probe: { call: 'wamp.session.kill', args: [noSession] },
    answered: noSuchSession,
    severity: 'high',
  },
]

/** What `instrument` of @socket.io/admin-ui says to whoever is in its namespace. */
const ofSocketIo: readonly Question[] = [
  {
    name: 'the admin namespace',
    namespace: '/admin',
    answered: /"(?:server_stats|all_sockets|supportedFeatures)"/,
    severity: 'critical',
  },
]

const ofGraphql: readonly Question[] = [
  {
    name: 'introspection',
    probe: { query: '{ __schema { queryType { name } types { name } } }' },
    answered: /"__schema"\s*:\s*\{/,
    severity: 'low',
  },
]

/** Meta procedures, admin namespaces, introspection. */
export const metaApi: Check = {
  id: 'Z5',
  title: 'Interfaces for operators answer everybody',
  cwe: [862],
  asvs: ['13.4.5', '4.3.2'],
  safety: 'A',
  needs: [speaks('socket.io', 'wamp', 'graphql-transport-ws', 'graphql-ws')],
  why: 'They tell who is connected, from where and with what, and some of them throw sessions out or speak in the server’s name. Libraries switch them on by a line that is meant for development.',
  remedy: {
    text: 'Allow them to a role of operators, by a rule of their own; switch off what nobody needs in production.',
    ws: '// GraphQL: new ApolloServer({ introspection: false }), or validationRules: [NoSchemaIntrospectionCustomRule]',
    socketIo: "instrument(io, { auth: { type: 'basic', username, password: bcryptHash }, readonly: true })",
    countersign:
      "roles: [{ name: 'customer', rules: [rule('com.shop.*', 'call')] }, { name: 'operator', rules: [rule('wamp.*', 'call')] }]",
  },
  async run(scene) {
    const { protocol } = scene.endpoint
    const questions = protocol === 'wamp' ? ofWamp : protocol === 'socket.io' ? ofSocketIo : ofGraphql
    const findings: Finding[] = []
    const quiet: string[] = []
    for (const who of ['anonymous', 'low'] as const) {
      const answers = await Promise.all(questions.map((question) => ask(scene, question, who)))
      findings.push(...answers.filter((one) => one !== undefined))
      quiet.push(...questions.filter((_one, at) => answers[at] === undefined).map(({ name }) => name))
    }
    const open = scene.options.public === true && findings.every(({ severity }) => severity === 'low')
    if (findings.length > 0 && open)
      return {
        kind: 'info',
        says: 'the interface describes itself to everybody, as it is declared public',
        exchanges: findings.flatMap(({ exchanges }) => exchanges),
      }
    if (findings.length > 0) return { kind: 'fail', findings }
    return { kind: 'pass', says: `not answered: ${[...new Set(quiet)].join(', ')}` }
  },
}

/** Asks one question. @returns a finding when it is answered */
async function ask(scene: Scene, question: Question, who: IdentityName): Promise<Finding | undefined> {
  const presented = await presentedAs(scene, who)
  if (presented === undefined) return undefined
  const { probe, namespace, answered, severity, name } = question
  const oracle = namespace === undefined ? scene.oracle : scene.oracle.at({ namespace })
  // The admin namespace greets at once, before anybody asks: what was said while entering counts, too.
  const stay = await oracle.stay(presented)
  try {
    if (stay.view.kind !== 'open') return undefined
    if (probe !== undefined) say(stay.visit, scene.dialect, { probe, endpoint: scene.endpoint })
    const greeted = (): boolean =>
      stay.exchange.some(({ from, text }) => from === 'target' && answered.test(text))
    const heard = await oracle.hear(stay.visit, (text) => answered.test(text), oracle.settleMs)
    if (heard === undefined && !greeted()) return undefined
    const asker = who === 'low' ? 'the identity "low"' : 'a visitor without any credential'
    return {
      says: `${asker} is answered by ${name}`,
      severity,
      confidence: 'high',
      subject: name,
      exchanges: [stay.exchange],
    }
  } finally {
    await stay.visit.leave()
  }
}
