/** The broker of one realm: who subscribes what, and the way of an event from its publisher to them. */
import { isThenable } from '../core/drive.ts'
import { checkWhole, MisuseError } from '../core/errors.ts'
import type { MaybePromise } from '../core/records.ts'
import { namesSessions } from './blackwhite.ts'
import {
  fanOut,
  Keepsake,
  type Publication,
  publicDetails,
  refuse,
  refuseIfAsked,
} from './broker-publication.ts'
import { type BrokerSubscription, SubscriptionIndex } from './broker-index.ts'
import { readPublish, readSubscribe } from './broker-options.ts'
import type { BrokerWatch, ErrorUri, StoredEvent, Subscription, SubscriptionIds } from './broker-types.ts'
import { readHistoryQuery, selectEvents } from './history-query.ts'
import { answerable, History, storedEvent } from './history.ts'
import type { Dict, Publish, Subscribe, Unsubscribe } from './messages.ts'
import { noDict } from './messages.ts'
import type { HistoryOptions, RouterLimits } from './options.ts'
import { type Authority, type Permit, permits } from './permit.ts'
import type { RouterPorts } from './ports.ts'
import { RetainedEvents } from './retained.ts'
import type { Session } from './session.ts'
import { isPattern, isUri, type Match, type UriCheck } from './uri.ts'
import { payloadOf } from './values.ts'
import { wildcardsOf } from './wildcards.ts'

/** What a broker is made of. */
export interface BrokerOptions {
  readonly ports: RouterPorts
  readonly uriCheck: UriCheck
  readonly limits: RouterLimits
  /** Each names one subscription, which exists from the start. */
  readonly history: readonly HistoryOptions[]
  /** Asked whether somebody who reads a history may subscribe it. */
  readonly authority: Authority
  readonly watch: BrokerWatch
}

/**
 * Subscriptions, publications, retained events and histories of one realm. Whoever calls it has authorized the action and
 * kept clients away from reserved URIs; the broker checks form, options and ownership, and answers the client itself.
 */
export class Broker {
  readonly #ports: RouterPorts
  readonly #uriCheck: UriCheck
  readonly #maxSubscriptions: number
  readonly #maxWildcards: number
  readonly #authority: Authority
  readonly #watch: BrokerWatch
  readonly #index = new SubscriptionIndex()
  readonly #retained: RetainedEvents
  readonly #hasHistory: boolean

  /** @throws MisuseError for a history whose topic is no pattern of its policy, is named twice, or keeps nothing */
  constructor(options: BrokerOptions) {
    this.#ports = options.ports
    this.#uriCheck = options.uriCheck
    this.#maxSubscriptions = options.limits.maxSubscriptions
    this.#maxWildcards = options.limits.maxWildcards
    this.#authority = options.authority
    this.#watch = options.watch
    this.#retained = new RetainedEvents({
      maxEvents: options.limits.maxRetained,
      maxBytes: options.limits.maxRetainedBytes,
    })
    this.#hasHistory = options.history.length > 0
    for (const history of options.history) this.#keepHistory(history, options.limits.maxRetainedBytes)
  }

  /** SUBSCRIBE: answers SUBSCRIBED, then the retained events that were asked for; or ERROR. */
  subscribe(session: Session, message: Subscribe): void {
    const wish = readSubscribe(message.options)
    if (wish === undefined) return refuse(session, message, 'wamp.error.invalid_argument')
    const { topic } = message
    if (!isPattern(topic, wish.match, this.#uriCheck))
      return refuse(session, message, 'wamp.error.invalid_uri')
    const known = this.#index.get(topic, wish.match)
    if (known?.sessions.has(session) !== true && !this.#mayHaveMore(session, wish.match)) {
      return refuse(session, message, 'wamp.error.unavailable')
    }
    const subscription = known ?? this.#make(topic, wish.match)
    // SUBSCRIBED goes before any EVENT of it: clients drop the connection on events that they do not know.
    session.send({ kind: 'subscribed', request: message.request, subscription: subscription.id })
    // Sending may end a session: its queue is full, or its transport has gone.
    if (session.gone) {
      this.#deleteIfUnused(subscription)
      return
    }
    this.#enter(session, subscription)
    if (wish.getRetained) this.#sendRetained(session, subscription)
  }

  /** UNSUBSCRIBE: answers UNSUBSCRIBED, or ERROR to whoever does not subscribe it. */
  unsubscribe(session: Session, message: Unsubscribe): void {
    const subscription = this.#index.find(message.subscription)
    if (subscription === undefined || !subscription.sessions.has(session)) {
      return refuse(session, message, 'wamp.error.no_such_subscription')
    }
    session.subscriptions?.delete(subscription)
    subscription.sessions.delete(session)
    session.send({ kind: 'unsubscribed', request: message.request, details: undefined })
    this.#left(session, subscription)
  }

  /**
   * PUBLISH: answers PUBLISHED or ERROR if asked to, then sends the events.
   * @param permit `disclosed` names the publisher though it did not ask for that
   * @returns `false`: a protocol violation, the session must be aborted
   */
  publish(session: Session, message: Publish, permit: Permit): boolean {
    const { options, topic, payload } = message
    const wish = readPublish(options)
    if (wish === undefined) return refuseIfAsked(session, message, 'wamp.error.invalid_argument')
    if (wish.passthru !== undefined && !session.features.publisherPassthru) return false
    const exact = this.#index.exact(topic)
    // A topic that somebody subscribes was checked then.
    if (exact === undefined && !isUri(topic, this.#uriCheck)) {
      return refuseIfAsked(session, message, 'wamp.error.invalid_uri')
    }
    const id = this.#ports.randomId()
    if (wish.acknowledge) session.send({ kind: 'published', request: message.request, publication: id })
    // Nobody would hear it, and nothing would keep it: a topic with a history is subscribed from the start.
    if (exact === undefined && !wish.retain && !this.#index.hasPatterns) return true
    const details = publicDetails(session, wish, permit === permits.disclosed)
    const skip = wish.excludeMe ? session : undefined
    this.#dispatch({ id, topic, details, payload, wish, skip }, exact)
    return true
  }

  /** The session is gone: it subscribes nothing any more. */
  leave(session: Session): void {
    const left = session.subscriptions
    if (left === undefined) return
    session.subscriptions = undefined
    // Out of all of them first: what follows publishes, to subscribers as they are then.
    for (const subscription of left) subscription.sessions.delete(session)
    for (const subscription of left) this.#left(session, subscription)
  }

  /** Whether an event of this topic would be kept for somebody or sent to somebody. */
  isHeard(topic: string): boolean {
    return this.#index.hasPatterns || this.#index.exact(topic) !== undefined
  }

  /**
   * Publishes for the router itself: meta events, testaments. Reserved URIs are no obstacle here.
   * @param options of PUBLISH, as a client may have written them; with wrong ones, or a wrong topic, nothing is published
   */
  announce(topic: string, args: readonly unknown[], kwargs: Dict, options: Dict = noDict): void {
    const wish = readPublish(options)
    if (wish === undefined || !isUri(topic, this.#uriCheck)) return
    const exact = this.#index.exact(topic)
    if (exact === undefined && !wish.retain && !this.#index.hasPatterns) return
    const id = this.#ports.randomId()
    const payload = payloadOf(args, kwargs)
    this.#dispatch({ id, topic, details: wish.passthru ?? noDict, payload, wish, skip: undefined }, exact)
  }

  /**
   * Ends a subscription without being asked (WAMP, advanced profile, subscription revocation). Without effect where there
   * is none. A client that has not announced that it can be told is not told: its events just stop.
   * @param reason a URI
   */
  revoke(session: Session, subscription: Subscription, reason: string): void {
    if (!subscription.sessions.delete(session)) return
    session.subscriptions?.delete(subscription)
    const details = { subscription: subscription.id, reason }
    // Others drop the connection on an answer to nothing.
    if (session.features.subscriberRevocation) session.send({ kind: 'unsubscribed', request: 0, details })
    this.#left(session, subscription)
  }

  /** Ids of all subscriptions. */
  list(): SubscriptionIds {
    return this.#index.list()
  }

  /** The subscription with this id. */
  find(id: number): Subscription | undefined {
    return this.#index.find(id)
  }

  /** Id of the subscription of exactly this topic or pattern. */
  lookup(topic: string, match: Match): number | undefined {
    return this.#index.get(topic, match)?.id
  }

  /** Ids of all subscriptions that would get an event of this topic. */
  matching(topic: string): number[] {
    const exact = this.#index.exact(topic)
    const patterns = this.#index.patternsOf(topic).map(({ id }) => id)
    return exact === undefined ? patterns : [exact.id, ...patterns]
  }

  /**
   * `wamp.subscription.get_events`: the history of a subscription, for its subscribers and whoever may become one.
   * @param kwargs the filters, see `HistoryQuery`
   * @returns events, or the URI of an ERROR; a promise, which never rejects, only where an authorizer has to be asked
   */
  events(
    session: Session,
    subscriptionId: number,
    kwargs: Dict,
  ): MaybePromise<readonly StoredEvent[] | ErrorUri> {
    const subscription = this.#index.find(subscriptionId)
    if (subscription === undefined) return 'wamp.error.no_such_subscription'
    const permit = this.#mayRead(session, subscription)
    const read = (decided: Permit): readonly StoredEvent[] | ErrorUri => {
      if (decided === permits.failed) return 'wamp.error.authorization_failed'
      return decided === permits.denied
        ? 'wamp.error.not_authorized'
        : eventsOf(subscription, kwargs, session)
    }
    return isThenable(permit) ? permit.then(read, () => read(permits.failed)) : read(permit)
  }

  #mayRead(session: Session, { topic, match, sessions }: Subscription): MaybePromise<Permit> {
    if (sessions.has(session)) return permits.allowed
    return this.#authority.decide(session, 'subscribe', topic, { match })
  }

  #keepHistory({ uri, match, limit }: HistoryOptions, maxBytes: number): void {
    checkWhole(`history of ${uri}: limit`, limit, [1, 1_000_000])
    if (!isPattern(uri, match, this.#uriCheck) || this.#index.get(uri, match) !== undefined) {
      throw new MisuseError('invalid_option', `history of ${uri}: a pattern of its policy, named once`)
    }
    const createdAtMs = this.#ports.clock.now()
    this.#index.make({ topic: uri, match, createdAtMs, history: new History({ limit, maxBytes }) })
  }

  #make(topic: string, match: Match): BrokerSubscription {
    return this.#index.make({ topic, match, createdAtMs: this.#ports.clock.now(), history: undefined })
  }

  #enter(session: Session, subscription: BrokerSubscription): void {
    session.subscriptions ??= new Set()
    if (subscription.sessions.has(session)) return
    const first = subscription.sessions.size === 0 && subscription.history === undefined
    subscription.sessions.add(session)
    session.subscriptions.add(subscription)
    if (first) this.#watch.created(session, subscription)
    this.#watch.subscribed(session, subscription)
  }

  /** What follows once a session is among the subscribers no more. */
  #left(session: Session, subscription: Subscription): void {
    this.#watch.unsubscribed(session, subscription)
    if (this.#deleteIfUnused(subscription)) this.#watch.deleted(session, subscription)
  }

  #deleteIfUnused(subscription: Subscription): boolean {
    const kept = this.#index.find(subscription.id)
    if (kept === undefined || kept.sessions.size > 0 || kept.history !== undefined) return false
    this.#index.delete(kept)
    return true
  }

  /** To the exact subscription, then to every pattern; each one's history is written before its subscribers hear. */
  #dispatch(publication: Publication, exact: BrokerSubscription | undefined): void {
    const kept = publication.wish.retain || this.#hasHistory ? new Keepsake(publication) : undefined
    if (publication.wish.retain && kept !== undefined) this.#retain(publication, kept)
    if (exact !== undefined) this.#deliver(publication, exact, { details: publication.details, kept })
    if (!this.#index.hasPatterns) return
    const patterns = this.#index.patternsOf(publication.topic)
    if (patterns.length === 0) return
    // Subscribers of a pattern cannot know otherwise which topic it was (advanced profile, pattern-based subscriptions).
    const details = { ...publication.details, topic: publication.topic }
    for (const subscription of patterns) this.#deliver(publication, subscription, { details, kept })
  }

  #deliver(
    publication: Publication,
    subscription: BrokerSubscription,
    { details, kept }: { readonly details: Dict; readonly kept: Keepsake | undefined },
  ): void {
    const { audience } = publication.wish
    if (subscription.history !== undefined && kept !== undefined && !namesSessions(audience)) {
      const { id, topic } = publication
      const atMs = this.#ports.clock.now()
      subscription.history.add({ atMs, publication: id, topic, details, payload: kept.payload, audience })
    }
    if (subscription.sessions.size > 0) fanOut(publication, subscription, details)
  }

  #retain({ id, topic, details, wish, skip }: Publication, kept: Keepsake): void {
    this.#retained.keep({
      publication: id,
      topic,
      details: { ...details, retained: true },
      payload: kept.payload,
      audience: wish.audience,
      exceptFor: skip?.id,
    })
  }

  #sendRetained(session: Session, { id, topic, match }: Subscription): void {
    for (const event of this.#retained.for(session, topic, match)) {
      const details = match === 'exact' ? event.details : { ...event.details, topic: event.topic }
      const { publication, payload } = event
      session.send({ kind: 'event', subscription: id, publication, details, payload, shared: [] })
    }
  }

  #mayHaveMore(session: Session, match: Match): boolean {
    if ((session.subscriptions?.size ?? 0) >= this.#maxSubscriptions) return false
    return match !== 'wildcard' || wildcardsOf(session) < this.#maxWildcards
  }
}

/** What a query finds, for somebody who may read it. */
function eventsOf(
  subscription: BrokerSubscription,
  kwargs: Dict,
  asker: Session,
): readonly StoredEvent[] | ErrorUri {
  const query = readHistoryQuery(kwargs)
  if (query === undefined) return 'wamp.error.invalid_argument'
  const records = subscription.history?.records() ?? []
  const chosen = answerable(selectEvents(records, query, asker.identity))
  return chosen.map((record) => storedEvent(record, subscription))
}
