/** One publication: its details, its way to the subscribers, and how it is refused. */
import { admits } from './blackwhite.ts'
import type { PublishWish } from './broker-options.ts'
import type { ErrorUri, Subscription } from './broker-types.ts'
import type { Dict, EventMessage, Publish, Subscribe, Unsubscribe } from './messages.ts'
import { noDict } from './messages.ts'
import type { Payload } from './payload.ts'
import { errorOf } from './refusals.ts'
import type { Session } from './session.ts'

/** One publication on its way. */
export interface Publication {
  readonly id: number
  readonly topic: string
  /** Details of exact subscriptions; patterns get `topic` besides. */
  readonly details: Dict
  readonly payload: Payload
  readonly wish: PublishWish
  /** The publisher, where it gets no event itself. */
  readonly skip: Session | undefined
}

/** The payload of a publication that is kept, copied once and only if something keeps it. */
export class Keepsake {
  readonly #payload: Payload
  #kept: Payload | undefined

  constructor({ payload }: Publication) {
    this.#payload = payload
  }

  /** The copy. */
  get payload(): Payload {
    this.#kept ??= this.#payload.keep()
    return this.#kept
  }
}

/**
 * What subscribers are told besides the payload: the publisher where it asked for that or the rule says so, its trust
 * level, the attributes of payload passthru mode.
 */
export function publicDetails(publisher: Session, wish: PublishWish, disclosed: boolean): Dict {
  const { id, identity, trustlevel } = publisher
  const names = disclosed || wish.discloseMe
  if (!names && trustlevel === undefined) return wish.passthru ?? noDict
  const details: Record<string, unknown> = { ...wish.passthru }
  if (names) {
    details['publisher'] = id
    details['publisher_authid'] = identity.authid
    details['publisher_authrole'] = identity.authrole
  }
  if (trustlevel !== undefined) details['trustlevel'] = trustlevel
  return details
}

/**
 * Sends one EVENT message to every subscriber that the publication is for. Subscribers may leave meanwhile: a set goes on
 * without them.
 */
export function fanOut({ id, payload, skip, wish }: Publication, to: Subscription, details: Dict): void {
  const event: EventMessage = {
    kind: 'event',
    subscription: to.id,
    publication: id,
    details,
    payload,
    shared: [],
  }
  const { audience } = wish
  if (audience === undefined) {
    for (const session of to.sessions) if (session !== skip) session.send(event)
    return
  }
  for (const session of to.sessions) if (session !== skip && admits(audience, session)) session.send(event)
}

const words: Readonly<Partial<Record<ErrorUri, string>>> = {
  'wamp.error.invalid_uri': 'this is no URI that can be used here',
  'wamp.error.invalid_argument': 'an option has a type or value that it cannot have',
  'wamp.error.no_such_subscription': 'this session has no such subscription',
  // The specification names no URI for a full table; this one says that later may be better.
  'wamp.error.unavailable': 'too many at once',
}

/** Answers ERROR. */
export function refuse(session: Session, message: Subscribe | Unsubscribe | Publish, error: ErrorUri): void {
  session.send(errorOf({ of: message.kind, request: message.request }, error, words[error]))
}

/**
 * Refuses a PUBLISH: in silence unless it asked for an answer, because clients drop the connection on others.
 * @returns `true`: whatever is wrong with it, the session goes on
 */
export function refuseIfAsked(session: Session, message: Publish, error: ErrorUri): true {
  if (message.options['acknowledge'] === true) refuse(session, message, error)
  return true
}
