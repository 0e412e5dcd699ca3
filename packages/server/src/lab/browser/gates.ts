import type { CaseResult, DoorId } from './case.ts'
import { findIn } from './dom.ts'
import type { GateState } from './surroundings.ts'

/** Passing states stay at least this long, so that eyes can follow. */
const dwellMs: Readonly<Record<GateState, number>> = {
  idle: 0,
  knocking: 120,
  open: 320,
  closing: 320,
  refused: 450,
}

interface Gate {
  readonly element: HTMLElement
  readonly queue: GateState[]
  busy: boolean
  /** A lease is open: the gate does not fall idle. */
  pinned: boolean
}

/** The sentry strip: shows what sockets do, and how many cases of each door have ended as expected. */
export interface Gates {
  readonly show: (door: DoorId, state: GateState) => void
  /** Says whether a socket is held open here. */
  readonly pin: (door: DoorId, open: boolean) => void
  readonly count: (door: DoorId, results: readonly CaseResult[], total: number) => void
}

const longestQueue = 4

/** Finds the gates of the page. */
export function findGates(): Gates {
  const gates = new Map<string, Gate>()
  for (const element of document.querySelectorAll('[data-gate]')) {
    if (element instanceof HTMLElement)
      gates.set(element.dataset['gate'] ?? '', { element, queue: [], busy: false, pinned: false })
  }
  const show = (door: DoorId, state: GateState): void => {
    const gate = gates.get(door)
    if (gate === undefined) return
    gate.queue.push(state)
    while (gate.queue.length > longestQueue) gate.queue.shift()
    if (!gate.busy) play(gate)
  }
  return {
    show,
    pin(door, open) {
      const gate = gates.get(door)
      if (gate === undefined || gate.pinned === open) return
      gate.pinned = open
      if (!open) show(door, 'closing')
    },
    count(door, results, total) {
      const element = gates.get(door)?.element
      const tally = element?.querySelector('[data-gate-tally]')
      if (element === undefined || !tally) return
      const surprising = results.filter(({ agrees }) => !agrees).length
      const words = `${results.length}/${total}`
      const whole = results.length === total
      element.dataset['tally'] = surprising > 0 ? 'odd' : whole ? 'good' : 'some'
      tally.textContent = surprising > 0 ? `✗ ${surprising} odd` : whole ? `✓ ${words}` : words
    },
  }
}

function play(gate: Gate): void {
  const state = gate.queue.shift()
  gate.busy = state !== undefined
  if (state === undefined) {
    if (gate.pinned) write(gate, 'open')
    rest(gate)
    return
  }
  write(gate, state)
  setTimeout(() => play(gate), dwellMs[state])
}

/** After an outcome nothing is knocking any more; a knock that still waits stays as it is. */
function rest(gate: Gate): void {
  if (gate.element.dataset['state'] === 'knocking') return
  setTimeout(() => {
    if (!gate.busy && !gate.pinned && gate.element.dataset['state'] !== 'knocking') write(gate, 'idle')
  }, 900)
}

function write(gate: Gate, state: GateState): void {
  gate.element.dataset['state'] = state
  const words = findIn(gate.element, '[data-gate-state]')
  if (words !== undefined) words.textContent = state
}
