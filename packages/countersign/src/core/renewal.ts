/** A fresh judgement on behalf of a lease that lives: who may renew it, and the turns until it is renewed. */
import type { HelloCredential } from './credential.ts'
import { drive, isThenable, type Turn } from './drive.ts'
import type { Handshake } from './handshake.ts'
import { rejudge, rejudgeHello, type Gatekeeper } from './knock.ts'
import type { Lease } from './lease.ts'
import type { Answers } from './ports.ts'
import type { Reason } from './reasons.ts'
import type { MaybePromise, Records } from './records.ts'
import { deny, type Accept, type Verdict } from './verdict.ts'

/** What renewing needs of a guard. */
interface Keeper extends Gatekeeper {
  /** The guard's clock, ms since the epoch. */
  now(): number
}

/** A renewal may bring other roles, and nobody else. */
export function sameHolder(lease: Lease, verdict: Accept): boolean {
  const { id, realm, method, provider } = verdict.principal
  const held = lease.principal
  return held.id === id && held.realm === realm && held.method === method && held.provider === provider
}

/** Renews leases of one guard. Never throws and never rejects: outages become `internal`. */
export class Renewals {
  readonly #keeper: Keeper
  readonly #records: Pick<Records, 'findMark'>
  readonly #answers: Answers

  constructor(keeper: Keeper, records: Pick<Records, 'findMark'>, answers: Answers) {
    this.#keeper = keeper
    this.#records = records
    this.#answers = answers
  }

  /** By a credential as a handshake or a first message has it. @returns the reason of a refusal */
  async refresh(lease: Lease, handshake: Handshake, message?: string): Promise<Reason | undefined> {
    return this.#takeOver(lease, await this.#rejudge(handshake, message))
  }

  /** By what the peer says on the connection itself. */
  converse(lease: Lease, handshake: Handshake): MaybePromise<Turn<Reason | undefined>> {
    try {
      const judging = rejudge(this.#keeper, handshake, this.#keeper.now())
      return this.renewing(lease, drive(judging, this.#answers))
    } catch (error) {
      this.#keeper.failed(error)
      return { kind: 'done', value: 'internal' }
    }
  }

  /** By an opening whose challenges the peer answers. */
  rejoin(lease: Lease, handshake: Handshake, hello: HelloCredential): MaybePromise<Turn<Reason | undefined>> {
    try {
      const opening = { hello, now: this.#keeper.now() }
      const turn = drive(rejudgeHello(this.#keeper, handshake, opening), this.#answers)
      return this.renewing(lease, turn)
    } catch (error) {
      this.#keeper.failed(error)
      return { kind: 'done', value: 'internal' }
    }
  }

  /**
   * The turns of a judgement, and behind its verdict the lease that takes it over.
   * @returns in the end the reason of a refusal, or `undefined` when renewed
   */
  renewing(lease: Lease, turn: MaybePromise<Turn<Verdict>>): MaybePromise<Turn<Reason | undefined>> {
    if (isThenable(turn)) return turn.then((value) => this.renewing(lease, value))
    if (turn.kind === 'done')
      return this.#takeOver(lease, turn.value).then((value) => ({ kind: 'done', value }))
    return {
      kind: 'peer',
      say: turn.say,
      answer: (heard) => this.renewing(lease, turn.answer(heard)),
      leave: (reason) => turn.leave(deny(reason ?? 'forbidden')),
    }
  }

  async #rejudge(handshake: Handshake, message: string | undefined): Promise<Verdict> {
    const now = this.#keeper.now()
    let turn = await drive(rejudge(this.#keeper, handshake, now), this.#answers)
    if (turn.kind === 'peer' && message !== undefined) turn = await turn.answer({ text: message, now })
    if (turn.kind === 'done') return turn.value
    // A challenge cannot be answered here: there is no peer to show it to.
    turn.leave(deny('missing_credential'))
    return deny('missing_credential')
  }

  async #takeOver(lease: Lease, verdict: Verdict): Promise<Reason | undefined> {
    if (verdict.kind === 'deny') return verdict.reason
    if (!sameHolder(lease, verdict)) return 'forbidden'
    try {
      return await this.#renew(lease, verdict)
    } catch (error) {
      this.#keeper.failed(error)
      return 'internal'
    }
  }

  /** Looks for a mark before and after: one that is written in between finds either the old grant or the new one. */
  async #renew(lease: Lease, verdict: Accept): Promise<Reason | undefined> {
    if ((await this.#records.findMark(verdict.grant, lease.id, lease)) !== undefined) return 'revoked'
    lease.renew(verdict, this.#keeper.now())
    const mark = await this.#records.findMark(verdict.grant, lease.id, lease)
    if (mark !== undefined) this.#keeper.enforce(lease, mark)
    return lease.ended ? (lease.reason ?? 'forbidden') : undefined
  }
}
