/** Every subscription of a realm, by topic, by pattern and by id. */
import type { Subscription, SubscriptionIds } from './broker-types.ts'
import type { History } from './history.ts'
import { PatternIndex } from './pattern-index.ts'
import type { Session } from './session.ts'
import type { Match } from './uri.ts'

/** A subscription, and its history where one is configured: such a one stays though nobody subscribes. */
export interface BrokerSubscription extends Subscription {
  readonly history: History | undefined
}

/** Exact topics in a map; patterns beside it, walked only while there are any. */
export class SubscriptionIndex {
  readonly #exact = new Map<string, BrokerSubscription>()
  readonly #patterns = new PatternIndex<BrokerSubscription>()
  readonly #byId = new Map<number, BrokerSubscription>()
  #lastId = 0

  /** Whether any pattern is subscribed. */
  get hasPatterns(): boolean {
    return this.#patterns.size > 0
  }

  /** The subscription of exactly this topic. */
  exact(topic: string): BrokerSubscription | undefined {
    return this.#exact.get(topic)
  }

  /** The subscription of this topic or pattern under this policy. */
  get(topic: string, match: Match): BrokerSubscription | undefined {
    return match === 'exact' ? this.#exact.get(topic) : this.#patterns.get(topic, match)
  }

  /** The subscription with this id. */
  find(id: number): BrokerSubscription | undefined {
    return this.#byId.get(id)
  }

  /** Makes a subscription that nobody has subscribed yet. There must be none of this topic and policy. */
  make(facts: Pick<BrokerSubscription, 'topic' | 'match' | 'createdAtMs' | 'history'>): BrokerSubscription {
    const { topic, match, createdAtMs, history } = facts
    // Small counters: some clients keep ids in 32 bits, or lose the precision of large ones.
    const made = { id: ++this.#lastId, topic, match, createdAtMs, sessions: new Set<Session>(), history }
    if (match === 'exact') this.#exact.set(topic, made)
    else this.#patterns.set(topic, match, made)
    this.#byId.set(made.id, made)
    return made
  }

  /** Removes a subscription; its id is not used again. */
  delete({ id, topic, match }: Subscription): void {
    this.#byId.delete(id)
    if (match === 'exact') this.#exact.delete(topic)
    else this.#patterns.delete(topic, match)
  }

  /** The pattern subscriptions that cover a topic. */
  patternsOf(topic: string): readonly BrokerSubscription[] {
    const found: BrokerSubscription[] = []
    this.#patterns.collect(topic, found)
    return found
  }

  /** Ids by policy, oldest first. */
  list(): SubscriptionIds {
    const ids: SubscriptionIds = { exact: [], prefix: [], wildcard: [] }
    for (const { id, match } of this.#byId.values()) ids[match].push(id)
    return ids
  }
}
