import type {
  Audience,
  Check,
  Deed,
  DoorId,
  Joiner,
  JoinPlace,
  LabCase,
  Obtainable,
  Place,
  Slot,
  Step,
} from '../browser/case.ts'
import type { Outcome } from '../browser/outcome.ts'
import { docsOfDoor } from './doors.ts'

type ConnectStep = Extract<Step, { kind: 'connect' }>

/** What a row says beyond its door, name, title and outcome. */
export interface CaseText {
  readonly steps: readonly Step[]
  readonly why: string
  readonly check?: Check
  readonly differs?: LabCase['differs']
  readonly slow?: boolean
  readonly alone?: boolean
  readonly needs?: LabCase['needs']
}

/** Writes one row: `id` is `D2.replay`, `head` its title and the outcome that every engine must show. */
export function row(id: string, head: readonly [title: string, expected: Outcome], text: CaseText): LabCase {
  const [door, name] = splitId(id)
  const [title, expected] = head
  return {
    id,
    door,
    title,
    expected,
    why: text.why,
    steps: text.steps,
    differs: text.differs ?? {},
    docs: `${docsOfDoor(door)}#${name}`,
    slow: text.slow ?? false,
    alone: text.alone ?? false,
    needs: text.needs,
    check: text.check,
  }
}

function splitId(id: string): [DoorId, string] {
  const [door = '', name = ''] = id.split('.')
  if (!/^D(?:[1-9]|1[0-5])$/.test(door) || name === '') throw new TypeError(`not a case id: ${id}`)
  // The expression above admits exactly the members of the union.
  return [door as DoorId, name]
}

/** Asks the site for a credential, for the case's own door unless `audience` says another. */
export function obtain(what: Obtainable, into: Slot = 'a', audience?: Audience): Step {
  return { kind: 'obtain', what, expired: false, audience, into }
}

/** Asks the site for a credential that is over already. */
export function obtainExpired(what: Obtainable): Step {
  return { kind: 'obtain', what, expired: true, audience: undefined, into: 'a' }
}

/** Makes a credential up. */
export function invent(what: Obtainable): Step {
  return { kind: 'invent', what, into: 'a' }
}

/** Connects with the credential of a slot at a place, at the case's own door unless `door` says another. */
export function show(at: Place, slot: Slot = 'a', door?: DoorId): Step {
  return { kind: 'show', at, slot, door }
}

/** Joins the WAMP realm with the credential of slot `a` and does one thing there. */
export function join(by: Joiner, deed: Deed = 'call', at: JoinPlace = 'site'): Step {
  return { kind: 'join', by, at, slot: 'a', deed, stays: false }
}

/** Joins the WAMP realm and stays, for `await-close` and `watch`. */
export function joinAndStay(by: Joiner, deed: Deed = 'call'): Step {
  return { kind: 'join', by, at: 'site', slot: 'a', deed, stays: true }
}

/** Connects by Socket.IO with the credential of slot `a` and has a word echoed, unless `more` says otherwise. */
export function connect(
  shows: ConnectStep['shows'],
  more: Partial<Pick<ConnectStep, 'by' | 'at' | 'event' | 'stays'>> = {},
): Step {
  return { kind: 'connect', shows, by: 'websocket', at: 'main', event: 'echo', stays: false, ...more }
}

/** The row that every door has: another origin knocks with whatever the browser adds by itself. */
export function hostileRow(door: DoorId, outcome: Outcome, why: string): LabCase {
  return row(`${door}.hostile`, ['Another origin knocks', outcome], { steps: [{ kind: 'attack' }], why })
}
