/** Shows the leases that cases hold open: counting down at the gate and on the card, and why they ended. */
import type { DoorId } from './case.ts'
import { findIn } from './dom.ts'
import { endWords, shortWords, timeLeft } from './lease-words.ts'
import type { LeaseNews } from './surroundings.ts'

/** What a gate does while leases are open: it does not fall idle. */
export interface Pinning {
  readonly pin: (door: DoorId, open: boolean) => void
}

/** Hears of leases. */
export type LeaseBoard = (door: DoorId, caseId: string, news: LeaseNews) => void

/** How long a gate of the strip shows why a lease ended, ms; the card keeps it. */
const reasonMs = 4_000

interface Place {
  readonly gate: HTMLElement | undefined
  readonly card: HTMLElement | undefined
  /** Ends of open leases by case, ms since the epoch. */
  readonly open: Map<string, number>
  /** What is shown when none is open. */
  rest: string
  short: string
  shortUntilMs: number
}

/** Finds the places of the page. One timer counts for all of them, and only while a lease is open. */
export function startLeaseBoard({ pin }: Pinning): LeaseBoard {
  const places = new Map<DoorId, Place>()
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  let timer: ReturnType<typeof setTimeout> | undefined
  const draw = (): void => {
    timer = undefined
    const now = Date.now()
    let busy = false
    for (const place of places.values()) busy = show(place, now, calm.matches) || busy
    if (busy) timer = setTimeout(draw, calm.matches ? 1_000 : 100)
  }
  return (door, caseId, news) => {
    const place = places.get(door) ?? placeOf(door)
    places.set(door, place)
    if (news.kind === 'open') place.open.set(caseId, news.endsAtMs)
    else if (place.open.delete(caseId)) note(place, news, Date.now())
    pin(door, place.open.size > 0)
    clearTimeout(timer)
    draw()
  }
}

function placeOf(door: DoorId): Place {
  return {
    gate: findIn(document, `[data-gate="${door}"]`),
    card: findIn(document, `[data-card-gate="${door}"]`),
    open: new Map(),
    rest: '',
    short: '',
    shortUntilMs: 0,
  }
}

function note(place: Place, news: Exclude<LeaseNews, { kind: 'open' }>, now: number): void {
  if (news.kind === 'left') return
  place.rest = endWords(news.measured)
  place.short = shortWords(news.measured)
  place.shortUntilMs = now + reasonMs
}

/** @returns whether it will look different soon */
function show({ gate, card, open, ...rest }: Place, now: number, calm: boolean): boolean {
  const endsAtMs = Math.min(...open.values())
  const isOpen = open.size > 0
  const recent = now < rest.shortUntilMs
  const left = !isOpen ? '' : endsAtMs > now ? timeLeft(endsAtMs - now, calm) : 'grace'
  write(gate, '[data-gate-left]', isOpen ? left : recent ? rest.short : '')
  const words = isOpen
    ? endsAtMs > now
      ? `open: its lease ends in ${left}`
      : 'open: its lease is over, in its grace'
    : rest.rest
  write(card, '[data-card-gate-words]', words === '' ? 'idle: no lease is open' : words)
  if (card !== undefined) card.dataset['state'] = isOpen ? 'open' : words === '' ? 'idle' : 'ended'
  return isOpen || recent
}

function write(root: HTMLElement | undefined, selector: string, words: string): void {
  const target = root === undefined ? undefined : findIn(root, selector)
  if (target !== undefined && target.textContent !== words) target.textContent = words
}
