/** A timing wheel: one timer for every lease. Adding, moving and removing are O(1); links live in the entries. */

/** What the wheel carries. `next`, `previous` and `slot` are the wheel's; nobody else writes them. */
export interface WheelEntry<E> {
  /** When it wants to be called, ms since the epoch; `Infinity`: never. */
  dueMs: number
  next: E | undefined
  previous: E | undefined
  /** Slot that it hangs in, -1 for none. */
  slot: number
}

/** Slots of the wheel: at 50 ms a tick one turn takes 102 seconds. Entries due later pass by and stay. */
const slots = 2_048

/** Entries are called at most two ticks late and never early. */
export class Wheel<E extends WheelEntry<E>> {
  readonly #heads: (E | undefined)[] = Array.from({ length: slots }, () => undefined)
  readonly #tickMs: number
  readonly #call: (entry: E, now: number) => void
  #turn: number
  #size = 0

  /** @param call what happens to an entry that is due; it has left the wheel and may be added again */
  constructor(tickMs: number, now: number, call: (entry: E, now: number) => void) {
    this.#tickMs = tickMs
    this.#turn = Math.floor(now / tickMs)
    this.#call = call
  }

  /** How many entries wait. */
  get size(): number {
    return this.#size
  }

  /** Adds an entry, or moves one that is already in. `Infinity` takes it out. */
  set(entry: E): void {
    this.delete(entry)
    const { dueMs } = entry
    if (dueMs === Infinity) return
    const turn = Math.max(Math.ceil(dueMs / this.#tickMs), this.#turn + 1)
    const slot = turn % slots
    const head = this.#heads[slot]
    entry.slot = slot
    entry.next = head
    if (head !== undefined) head.previous = entry
    this.#heads[slot] = entry
    this.#size++
  }

  /** Takes an entry out; nothing happens when it is not in. */
  delete(entry: E): void {
    if (entry.slot < 0) return
    if (entry.previous === undefined) this.#heads[entry.slot] = entry.next
    else entry.previous.next = entry.next
    if (entry.next !== undefined) entry.next.previous = entry.previous
    entry.next = undefined
    entry.previous = undefined
    entry.slot = -1
    this.#size--
  }

  /** Calls what is due. A clock that jumped far visits each slot once; one that went back hangs every entry anew. */
  advance(now: number): void {
    const turn = Math.floor(now / this.#tickMs)
    if (turn < this.#turn) this.#rehang(turn)
    if (turn <= this.#turn) return
    const due: E[] = []
    for (let at = Math.max(this.#turn + 1, turn - slots + 1); at <= turn; at++)
      this.#collect(at % slots, now, due)
    this.#turn = turn
    for (const entry of due) this.#call(entry, now)
  }

  /** Entries that were late hang behind the turn that was reached: after a step back that would be far too late. */
  #rehang(turn: number): void {
    this.#turn = turn
    const all: E[] = []
    for (let slot = 0; slot < slots; slot++) this.#collect(slot, Infinity, all)
    for (const entry of all) this.set(entry)
  }

  /** Collected before anything is called: a call may take other entries out. */
  #collect(slot: number, now: number, due: E[]): void {
    let entry = this.#heads[slot]
    while (entry !== undefined) {
      const next: E | undefined = entry.next
      if (entry.dueMs <= now) {
        this.delete(entry)
        due.push(entry)
      }
      entry = next
    }
  }
}
