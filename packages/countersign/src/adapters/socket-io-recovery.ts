/** Leases of Socket.IO sockets whose connection was lost and may be recovered: they run on, and end as any other. */
import type { Guard } from '../core/guard.ts'
import type { Lease, LeaseHolder } from '../core/lease.ts'

/** A lease without a connection. */
interface Parked {
  readonly guard: Guard
  readonly lease: Lease
  timer: NodeJS.Timeout | undefined
}

/** Leases that may wait at once; beyond that the oldest is left. */
const maxParked = 10_000

/** Nobody is there to be warned, and an end needs no telling: who comes back finds the lease ended. */
const nobody: LeaseHolder<object> = {
  warn() {
    // Nothing to do.
  },
  close() {
    // Nothing to do.
  },
}

/** By the private id of the session that Socket.IO keeps. */
export class Recovery {
  readonly #parked = new Map<string, Parked>()
  readonly #withinMs: number

  /** @param withinMs how long Socket.IO keeps a session */
  constructor(withinMs: number) {
    this.#withinMs = withinMs
  }

  /** Keeps the lease of a connection that was lost. */
  park(pid: string, guard: Guard, lease: Lease): void {
    this.#drop(pid)
    if (lease.over()) return
    const parked: Parked = { guard, lease, timer: undefined }
    lease.hold(nobody, parked)
    parked.timer = setTimeout(() => this.#drop(pid), this.#withinMs)
    parked.timer.unref()
    this.#parked.set(pid, parked)
    const [oldest] = this.#parked.keys()
    if (this.#parked.size > maxParked && oldest !== undefined) this.#drop(oldest)
  }

  /** Takes the lease back, if it still lives. Exactly one caller gets it. */
  take(pid: string, guard: Guard): Lease | undefined {
    const parked = this.#parked.get(pid)
    if (parked === undefined || parked.guard !== guard) return undefined
    this.#parked.delete(pid)
    clearTimeout(parked.timer)
    if (parked.lease.passes()) return parked.lease
    return undefined
  }

  #drop(pid: string): void {
    const parked = this.#parked.get(pid)
    if (parked === undefined) return
    this.#parked.delete(pid)
    clearTimeout(parked.timer)
    parked.lease.leave()
  }
}
