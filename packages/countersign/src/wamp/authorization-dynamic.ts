/** A role that asks an authorizer: a procedure of the realm, or a function. */
import { isThenable } from '../core/drive.ts'
import type { Clock } from '../core/ports.ts'
import {
  type AuthorizerReply,
  failure,
  type Opinion,
  opinionOf,
  wantsFewerArguments,
} from './authorization-answer.ts'
import { DecisionCache } from './authorization-cache.ts'
import type { Dict } from './messages.ts'
import type { Action, AuthorizationSession, AuthorizerFunction, AuthorizerOptions } from './options.ts'
import { permits, type Permit } from './permit.ts'
import type { RouterPorts } from './ports.ts'
import type { Session } from './session.ts'
import { matchOf } from './uri.ts'

/** Calls a procedure on behalf of the router. A rejection is a failure of the authorizer. */
export type AuthorizerCall = (call: {
  readonly procedure: string
  readonly args: readonly unknown[]
  readonly timeoutMs: number
}) => Promise<AuthorizerReply>

/** What roles with an authorizer are lent. */
export interface DynamicPorts {
  readonly clock: Clock
  readonly after: RouterPorts['after']
  readonly call: AuthorizerCall
}

/** What is to be decided. */
export interface Question {
  readonly session: Session
  readonly action: Action
  readonly uri: string
  readonly options: Dict
}

const defaults = Object.freeze({ cacheBy: 'session', cacheTtlMs: 60_000, timeoutMs: 5_000 })
/** Decisions kept for one role. */
const maxKept = 10_000
/** Questions about one session that an authorizer is asked at once: its requests wait for each other, few others arise. */
const maxAtOnce = 64
/** Longest question whose decision is kept, characters. */
const maxKeptLength = 256

/** One question on its way to the authorizer. */
interface Flight {
  readonly owner: string
  readonly key: string
  /** Its answer may be kept: nothing has been forgotten since it was asked. */
  fit: boolean
}

interface Asked {
  readonly flight: Flight
  readonly permit: Promise<Permit>
}

/**
 * Asks, once for all who ask the same on behalf of the same owner, and keeps what the authorizer allows to be kept. A
 * decision is kept by URI, action and `match`: an authorizer that looks at other options must not allow it.
 */
export class DynamicRole {
  readonly #authorizer: string | AuthorizerFunction
  readonly #cacheBy: 'session' | 'authid' | 'role'
  readonly #timeoutMs: number
  readonly #ports: DynamicPorts
  readonly #cache: DecisionCache
  /** By owner and key. */
  readonly #flights = new Map<string, Map<string, Asked>>()
  /** How many questions about a session are under way. */
  readonly #asking = new Map<Session, number>()
  /** The procedure takes three arguments, without options. */
  #takesThree = false

  constructor(options: AuthorizerOptions, ports: DynamicPorts) {
    this.#authorizer = options.authorizer
    this.#cacheBy = options.cacheBy ?? defaults.cacheBy
    this.#timeoutMs = options.timeoutMs ?? defaults.timeoutMs
    this.#ports = ports
    this.#cache = new DecisionCache({
      ttlMs: options.cacheTtlMs ?? defaults.cacheTtlMs,
      maxDecisions: maxKept,
    })
  }

  /** Decides; a promise where the authorizer must be waited for. Never throws, never rejects. */
  decide(question: Question): Permit | Promise<Permit> {
    const owner = this.#ownerOf(question.session)
    const key = keyOf(question)
    const kept = this.#cache.get(owner, key, this.#ports.clock.now())
    if (kept !== undefined) return kept
    const under = this.#flights.get(owner)?.get(key)
    if (under === undefined) return this.#fly(question, { owner, key, fit: key.length <= maxKeptLength })
    // Another one's answer holds for this question only if it was kept.
    return under.permit.then(() => {
      const now = this.#cache.get(owner, key, this.#ports.clock.now())
      return now ?? this.#ask(question, { owner, key, fit: false })
    })
  }

  /** Forgets what was kept about one session, or all; answers that are under way are not kept either. */
  forget(session?: Session): void {
    if (session === undefined) {
      for (const owner of this.#flights.keys()) this.#ground(owner)
      this.#cache.clear()
    } else if (this.#cacheBy !== 'role') {
      const owner = this.#ownerOf(session)
      this.#ground(owner)
      this.#cache.forget(owner)
    }
  }

  /** Questions of this owner that are under way may be waited for by nobody else, and their answers are not kept. */
  #ground(owner: string): void {
    for (const { flight } of this.#flights.get(owner)?.values() ?? []) flight.fit = false
    this.#flights.delete(owner)
  }

  /** Asks so that others may wait for the same answer. */
  #fly(question: Question, flight: Flight): Permit | Promise<Permit> {
    const permit = this.#ask(question, flight)
    if (!(permit instanceof Promise)) return permit
    const mine = this.#flights.get(flight.owner) ?? new Map<string, Asked>()
    this.#flights.set(flight.owner, mine)
    mine.set(flight.key, { flight, permit })
    void permit.then(() => {
      mine.delete(flight.key)
      // After a `forget` another table may stand there, with questions that were asked since.
      if (mine.size === 0 && this.#flights.get(flight.owner) === mine) this.#flights.delete(flight.owner)
    })
    return permit
  }

  #ask(question: Question, flight: Flight): Permit | Promise<Permit> {
    const keep = (opinion: Opinion): Permit => {
      const { owner, key, fit } = flight
      const { permit, cache } = opinion
      if (cache && fit) this.#cache.keep(owner, key, { permit, atMs: this.#ports.clock.now() })
      return permit
    }
    const { session } = question
    const asking = this.#asking.get(session) ?? 0
    // Not asked, hence not answered: a failure, which is never kept.
    if (asking >= maxAtOnce) return permits.failed
    const opinion = this.#opinion(question)
    if (!(opinion instanceof Promise)) return keep(opinion)
    this.#asking.set(session, asking + 1)
    return opinion.then((told) => {
      this.#answered(session)
      return keep(told)
    })
  }

  #answered(session: Session): void {
    const left = (this.#asking.get(session) ?? 1) - 1
    if (left > 0) this.#asking.set(session, left)
    else this.#asking.delete(session)
  }

  /** A function answers at once where it can; everything else within the time limit. */
  #opinion(question: Question): Opinion | Promise<Opinion> {
    const { session, action, uri, options } = question
    if (typeof this.#authorizer === 'string') {
      return this.#inTime(this.#askProcedure(this.#authorizer, question).catch(() => failure))
    }
    try {
      const answer = this.#authorizer(factsOf(session), uri, action, options)
      if (!isThenable(answer)) return opinionOf(answer, action)
      const read = (told: unknown): Opinion => opinionOf(told, action)
      return this.#inTime(
        Promise.resolve(answer)
          .then(read)
          .catch(() => failure),
      )
    } catch {
      return failure
    }
  }

  async #askProcedure(procedure: string, { session, uri, action, options }: Question): Promise<Opinion> {
    const three = [factsOf(session), uri, action]
    const timeoutMs = this.#timeoutMs
    if (!this.#takesThree) {
      const answer = await this.#ports.call({ procedure, args: [...three, options], timeoutMs })
      if (!wantsFewerArguments(answer, uri)) return opinionIn(answer, action)
    }
    const answer = await this.#ports.call({ procedure, args: three, timeoutMs })
    const opinion = opinionIn(answer, action)
    // As long as it answers to three. After an ERROR it is asked with four again: another procedure may have its place.
    this.#takesThree = answer.kind === 'result'
    return opinion
  }

  /** Whatever comes after the limit changes nothing: a promise is settled once. */
  #inTime(opinion: Promise<Opinion>): Promise<Opinion> {
    return new Promise((resolve) => {
      const timer = this.#ports.after(this.#timeoutMs, () => resolve(failure))
      void opinion.then((told) => {
        timer.cancel()
        resolve(told)
      })
    })
  }

  /** By role everybody is one owner: this object is of one role. */
  #ownerOf({ id, identity }: Session): string {
    if (this.#cacheBy === 'session') return String(id)
    return this.#cacheBy === 'authid' ? identity.authid : ''
  }
}

/** What a decision is kept by, beside its owner. Only the last part can have a blank in it: no two questions share a key. */
function keyOf({ action, uri, options }: Question): string {
  return `${action} ${matchOf(options['match'] ?? undefined) ?? 'unknown'} ${uri}`
}

/** The first argument of an authorizer. */
function factsOf({ id, realm, identity, transport }: Session): AuthorizationSession {
  return { session: id, realm, ...identity, transport }
}

function opinionIn(answer: AuthorizerReply, action: Action): Opinion {
  return answer.kind === 'result' ? opinionOf(answer.args[0], action) : failure
}
