/** The router's own voice in a realm: calls the procedures that its configuration names. */
import { OutageError } from '../core/errors.ts'
import type { Dealer } from './dealer.ts'
import { noDict, type Dict, type RouterMessage } from './messages.ts'
import { permits } from './permit.ts'
import type { RouterPorts } from './ports.ts'
import { Session } from './session.ts'
import { payloadOf } from './values.ts'

/** With what a procedure is called, and how long its answer is waited for. */
export interface ServiceCall {
  readonly args: readonly unknown[]
  /** @default none */
  readonly kwargs?: Dict
  /** How long the answer is waited for, ms. */
  readonly timeoutMs: number
}

/** What is called, and with what. */
export interface ProcedureCall extends ServiceCall {
  readonly procedure: string
}

/** What came back: a result, or the ERROR of the callee. */
export type ServiceAnswer =
  | {
      readonly kind: 'result'
      /** The first positional one. */
      readonly value: unknown
      readonly args: readonly unknown[]
      readonly kwargs: Dict
    }
  | {
      readonly kind: 'error'
      readonly uri: string
      readonly args: readonly unknown[]
      readonly kwargs: Dict
    }

/** What a service needs of its realm. */
export interface ServiceParts {
  readonly realm: string
  readonly ports: RouterPorts
  readonly dealer: Dealer
  /** How long a procedure that nobody has registered yet is waited for, ms. */
  readonly waitMs: number
}

/** The callee is not there at the moment, or does not answer: that is no answer to the question. */
const absent: ReadonlySet<string> = new Set([
  'wamp.error.no_such_procedure',
  'wamp.error.no_available_callee',
  'wamp.error.unavailable',
  'wamp.error.canceled',
  'wamp.error.timeout',
])

/** Calls that wait for a registration, of one realm. */
const maxWaiting = 10_000

/** Nothing that a router announces; it answers no calls and takes no events. */
const features = {
  callerProgressiveResults: false,
  callerProgressiveInvocations: false,
  callerPassthru: false,
  calleeCanceling: false,
  calleeTimeout: false,
  calleeProgressiveResults: false,
  calleeProgressiveInvocations: false,
  calleePassthru: false,
  calleeReroute: false,
  calleeRevocation: false,
  publisherPassthru: false,
  subscriberRevocation: false,
}

const identity = {
  authid: 'router',
  authrole: 'router',
  authmethod: 'internal',
  authprovider: 'router',
  authextra: noDict,
}

/**
 * A session without a connection, which the meta API does not list. Only an exact registration answers it: a pattern that
 * happens to cover an authenticator's name is somebody else's.
 */
export class RealmService {
  readonly #parts: ServiceParts
  readonly #session: Session
  /** By the request id of CALL. */
  readonly #answers = new Map<number, (answer: ServiceAnswer) => void>()
  /** What goes on when a procedure is registered, by its URI. */
  readonly #waiting = new Map<string, Set<() => void>>()
  /** All of them together. */
  #waitingCount = 0
  #lastRequest = 0

  constructor(parts: ServiceParts) {
    this.#parts = parts
    this.#session = new Session({
      id: parts.ports.randomId(),
      realm: parts.realm,
      identity,
      features,
      cancelReply: 'always',
      trustlevel: undefined,
      transport: { facts: noDict },
      outlet: { send: (message) => this.#heard(message) },
      uncounted: true,
    })
  }

  /**
   * Calls a procedure. One that is not registered is waited for; a callee that does not answer is an outage, not an answer.
   * @throws OutageError `overloaded` when nobody answers to that name in time
   */
  async call(call: ProcedureCall): Promise<ServiceAnswer> {
    if (!this.#isThere(call.procedure)) await this.#registration(call.procedure)
    // Whoever registered may have left before this went on: then a pattern that covers the name would answer.
    if (!this.#isThere(call.procedure)) throw nobodyAnswers()
    const answer = await this.#ask(call)
    if (answer.kind === 'error' && absent.has(answer.uri)) throw nobodyAnswers()
    return answer
  }

  /** Somebody has registered: whoever waits for this procedure goes on. */
  registered(procedure: string): void {
    const waiting = this.#waiting.get(procedure)
    if (waiting === undefined || !this.#isThere(procedure)) return
    this.#waiting.delete(procedure)
    for (const wake of waiting) wake()
  }

  /** Under exactly this URI: a pattern does not count. */
  #isThere(procedure: string): boolean {
    return this.#parts.dealer.lookup(procedure, 'exact') !== undefined
  }

  /** Waits for a registration: an authenticator may connect at the same moment as those whom it is to judge. */
  #registration(procedure: string): Promise<void> {
    if (this.#waitingCount >= maxWaiting) return Promise.reject(nobodyAnswers())
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(procedure) ?? new Set()
      this.#waiting.set(procedure, waiting)
      this.#waitingCount++
      const timer = this.#parts.ports.after(this.#parts.waitMs, () => {
        this.#waitingCount--
        waiting.delete(wake)
        if (waiting.size === 0 && this.#waiting.get(procedure) === waiting) this.#waiting.delete(procedure)
        reject(nobodyAnswers())
      })
      const wake = (): void => {
        this.#waitingCount--
        timer.cancel()
        resolve()
      }
      waiting.add(wake)
    })
  }

  #ask({ procedure, args, kwargs, timeoutMs }: ProcedureCall): Promise<ServiceAnswer> {
    return new Promise((resolve) => {
      const request = ++this.#lastRequest
      // No `timeout` of CALL: a callee may have asked to keep that itself, and never answer.
      const timer = this.#parts.ports.after(timeoutMs, () => {
        this.#parts.dealer.cancel(this.#session, { kind: 'cancel', request, options: noDict })
      })
      this.#answers.set(request, (answer) => {
        timer.cancel()
        resolve(answer)
      })
      const message = { kind: 'call', request, procedure, payload: payloadOf(args, kwargs) } as const
      this.#parts.dealer.call(this.#session, { ...message, options: noDict }, permits.allowed)
    })
  }

  /** The answer to a call; a callee in this process may give it before `call` of the dealer returns. */
  #heard(message: RouterMessage): void {
    if (message.kind !== 'result' && message.kind !== 'error') return
    const resolve = this.#answers.get(message.request)
    this.#answers.delete(message.request)
    const args = message.payload.args()
    const kwargs = message.payload.kwargs()
    if (message.kind === 'result') resolve?.({ kind: 'result', value: args[0], args, kwargs })
    else resolve?.({ kind: 'error', uri: message.error, args, kwargs })
  }
}

/** To the client it says what any overload says: it may come back, and learns no name. */
function nobodyAnswers(): OutageError {
  return new OutageError('overloaded', 'a procedure of the configuration is not registered')
}
