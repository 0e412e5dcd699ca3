/** Ways to somebody else's data: the subscription itself, its history, and WAMP's patterns around it. */
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import { fill } from './canaries.ts'
import type { Scene } from './check.ts'
import { say, type Probe } from './dialects/dialect.ts'
import { jsonOf } from './json-of.ts'
import type { Resource } from './options.ts'
import type { Stay } from './oracle.ts'
import type { Protocol } from './target.ts'

/** One way; what comes of it is heard on the socket. */
export interface Way {
  /** As the rest of "by …". */
  readonly name: string
  take(scene: Scene, stay: Stay, marker: string): Promise<void>
}

const maxPatterns = 6
const result = 50

/** All ways to a resource. */
export function waysTo(resource: Resource, protocol: Protocol): readonly Way[] {
  const direct = [saying('subscribing', resource.subscribe)]
  const history = resource.history === undefined ? [] : [saying('asking for its history', resource.history)]
  const topic = isJsonObject(resource.subscribe) ? resource.subscribe['subscribe'] : undefined
  if (protocol !== 'wamp' || typeof topic !== 'string') return [...direct, ...history]
  const patterns = patternsOver(topic).map(({ uri, match }) =>
    saying(`the ${match} pattern “${uri}”`, { subscribe: uri, options: { match } }),
  )
  const retained = saying('asking for the retained event', {
    subscribe: topic,
    options: { get_retained: true },
  })
  return [...direct, ...history, ...patterns, retained, eventHistory(topic)]
}

/** Patterns that cover a topic: prefixes from long to short, then a wildcard for each component. */
export function patternsOver(
  topic: string,
): readonly { readonly uri: string; readonly match: 'prefix' | 'wildcard' }[] {
  const parts = topic.split('.')
  const prefixes = parts.slice(1).map((_part, at) => `${parts.slice(0, parts.length - 1 - at).join('.')}.`)
  const wildcards = parts.slice(1).map((_part, at) => parts.with(parts.length - 1 - at, '').join('.'))
  return [
    ...prefixes.slice(0, maxPatterns / 2).map((uri) => ({ uri, match: 'prefix' as const })),
    ...wildcards.slice(0, maxPatterns / 2).map((uri) => ({ uri, match: 'wildcard' as const })),
  ]
}

function saying(name: string, probe: Probe): Way {
  return {
    name,
    async take({ dialect, endpoint, oracle }, stay, marker) {
      say(stay.visit, dialect, { probe: fill(probe, marker), endpoint })
      await stay.visit.pinged(oracle.settleMs)
    },
  }
}

/** WAMP, advanced profile: `wamp.subscription.lookup`, then `wamp.subscription.get_events`. */
function eventHistory(topic: string): Way {
  return {
    name: 'the history of its subscription',
    async take({ oracle, dialect, endpoint }, { visit }) {
      say(visit, dialect, { probe: { call: 'wamp.subscription.lookup', args: [topic] }, endpoint })
      let id: Json | undefined
      const found = await oracle.hear(visit, (text) => (id = answerIn(text)) !== undefined, oracle.settleMs)
      if (found === undefined || typeof id !== 'number') return
      say(visit, dialect, { probe: { call: 'wamp.subscription.get_events', args: [id, 10] }, endpoint })
    },
  }
}

/** The first argument of a RESULT. */
function answerIn(text: string): Json | undefined {
  const value = jsonOf(text)
  if (!isJsonArray(value) || value[0] !== result || !isJsonArray(value[3])) return undefined
  return value[3][0]
}
