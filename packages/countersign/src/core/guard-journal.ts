/** What a guard tells its journal: every decision, every end, every failure. */
import { isThenable, type Turn } from './drive.ts'
import type { Handshake } from './handshake.ts'
import { entryOf } from './journal-entry.ts'
import type { Decision } from './knock.ts'
import type { Lease } from './lease.ts'
import type { JournalEntry, Ports } from './ports.ts'
import type { MaybePromise } from './records.ts'

/** Writes entries in the name of one guard. Never throws. */
export class GuardJournal {
  readonly #ports: Pick<Ports, 'journal' | 'platform'>
  readonly #guard: string

  constructor(ports: Pick<Ports, 'journal' | 'platform'>, guard: string) {
    this.#ports = ports
    this.#guard = guard
  }

  /** Journals the decision, whenever it falls. */
  watch(handshake: Handshake, turn: MaybePromise<Turn<Decision>>): MaybePromise<Turn<Decision>> {
    if (isThenable(turn)) return turn.then((value) => this.watch(handshake, value))
    if (turn.kind === 'done') {
      this.decided(handshake, turn.value)
      return turn
    }
    return {
      kind: 'peer',
      say: turn.say,
      answer: (heard) => this.watch(handshake, turn.answer(heard)),
      leave: (value) => turn.leave(value),
    }
  }

  /** Journals a decision and hands it on. */
  decided<D extends Decision>(handshake: Handshake, decision: D): D {
    const { remoteAddress, origin } = handshake
    if (decision.kind === 'refused')
      this.record({ kind: 'refused', reason: decision.reason, remoteAddress, origin })
    else {
      const { lease, method } = decision
      this.record({
        kind: 'accepted',
        method,
        subject: lease.principal.id,
        lease: lease.id,
        remoteAddress,
        origin,
      })
    }
    return decision
  }

  /** Told by the registry once for each lease, whatever ended it. */
  ended(lease: Lease): void {
    const { method, id } = lease.principal
    this.record({ kind: 'ended', method, subject: id, lease: lease.id, reason: lease.reason })
  }

  /** The class of an error, never its message: that may hold anything. */
  failed(error: unknown): void {
    this.record({
      kind: 'error',
      reason: 'internal',
      detail: error instanceof Error ? error.name : typeof error,
    })
  }

  /** A journal that throws breaks its contract, but must neither open a door nor stop the process. */
  record(entry: Partial<JournalEntry> & Pick<JournalEntry, 'kind'>): void {
    try {
      this.#ports.journal.record(entryOf(entry, this.#ports.platform.clock.now(), this.#guard))
    } catch {
      // There is no second journal to tell.
    }
  }
}
