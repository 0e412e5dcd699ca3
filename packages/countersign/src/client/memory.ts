/** What a client remembers between attempts, so that no refusal is met twice. */
import type { Advice } from '../core/reasons.ts'
import type { Ending } from './advice.ts'

/** Refused credentials that are remembered, newest first. */
const maxRefused = 8

/** Connections that held this long make what went before them forgotten, ms. */
export const settledMs = 5_000

/**
 * One for each holder of credentials: the sockets that a library opens one after the other share it. What it keeps is in
 * private fields: it is in no log, no event and no `JSON.stringify`.
 */
export class CredentialMemory {
  readonly #refused: string[] = []
  #refusals = 0
  #failures = 0
  #why: string | undefined = undefined
  #notBeforeMs = 0
  #stopped: Ending | undefined = undefined

  /** Attempts that have failed since a connection last held. */
  get failures(): number {
    return this.#failures
  }

  /** Why the newest credential was refused; `undefined` once another was accepted. */
  get why(): string | undefined {
    return this.#why
  }

  /** The end after which nothing is tried any more. */
  get stopped(): Ending | undefined {
    return this.#stopped
  }

  /** The next attempt is not made before this instant. */
  get notBeforeMs(): number {
    return this.#notBeforeMs
  }

  /** Whether this very credential was refused already. It is not shown again. */
  hasRefused(credential: string | undefined): boolean {
    return credential !== undefined && this.#refused.includes(credential)
  }

  /** Nothing more is tried until `forget` is called. */
  stop(ending: Ending): void {
    this.#stopped = ending
  }

  /** A server, or its issuer, wants to be left alone until then. */
  waitUntil(atMs: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, atMs)
  }

  /** A credential was accepted: it may be asked for another reason the next time. */
  accepted(): void {
    this.#why = undefined
  }

  /** A connection has held for a while: the next refusal is a first one again. */
  settled(): void {
    this.#refusals = 0
    this.#failures = 0
  }

  /** An attempt came to nothing, or a connection was lost. */
  failed(): void {
    this.#failures++
  }

  /**
   * A credential was refused. @returns what is to be done: another one is tried once, and after a second refusal in a
   * row nothing
   */
  refused(credential: string | undefined, reason: string): Advice {
    this.#why = reason
    this.keep(credential)
    return ++this.#refusals > 1 ? 'stop' : 'new_credential'
  }

  /** Never to be shown again. */
  keep(credential: string | undefined): void {
    if (credential === undefined || this.#refused.includes(credential)) return
    this.#refused.unshift(credential)
    this.#refused.length = Math.min(this.#refused.length, maxRefused)
  }

  /** Somebody has logged in anew: what stopped us stops us no longer. Refused credentials stay refused. */
  forget(): void {
    this.settled()
    this.#why = undefined
    this.#notBeforeMs = 0
    this.#stopped = undefined
  }
}
