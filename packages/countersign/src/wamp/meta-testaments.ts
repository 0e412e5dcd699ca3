/** Testament procedures (WAMP, advanced profile, testaments). */
import { isDict, noDict } from './messages.ts'
import {
  answer,
  badArguments,
  refuse,
  type MetaAnswer,
  type MetaCall,
  type MetaHost,
  type MetaProcedure,
} from './meta-host.ts'
import { isRouters } from './realm-rules.ts'
import { scopeOf, testamentOf, Testaments } from './testaments.ts'
import { isUri } from './uri.ts'

/** The procedures by name. */
export const testamentProcedures: Readonly<Record<string, MetaProcedure>> = {
  'wamp.session.add_testament': add,
  'wamp.session.flush_testaments': (_host, { caller, kwargs }) => {
    const scope = scopeOf(kwargs['scope'])
    if (scope === undefined) return badArguments
    caller.testaments?.flush(scope)
    return answer()
  },
}

/** Whether it may be published is asked when it is: roles change. */
function add(host: MetaHost, { caller, args, kwargs }: MetaCall): MetaAnswer {
  const [topic, values, named] = [args[0], args[1] ?? [], args[2] ?? noDict]
  const scope = scopeOf(kwargs['scope'])
  const options = kwargs['publish_options'] ?? noDict
  if (typeof topic !== 'string' || !Array.isArray(values) || !isDict(named)) return badArguments
  if (scope === undefined || !isDict(options)) return badArguments
  if (!isUri(topic, host.uriCheck) || isRouters(topic)) return refuse('wamp.error.invalid_uri')
  // Bounds by number and by memory: they are kept for as long as the session lives.
  const testaments = (caller.testaments ??= new Testaments())
  if (testaments.size >= host.maxTestaments) return refuse('wamp.error.unavailable')
  const testament = testamentOf(topic, { args: values, kwargs: named }, options)
  if (testaments.bytes + testament.bytes > host.maxHeldBytes) return refuse('wamp.error.unavailable')
  testaments.add(scope, testament)
  return answer()
}
