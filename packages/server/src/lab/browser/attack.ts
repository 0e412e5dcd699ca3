import type { DoorId, SocketIoWay } from './case.ts'
import { within } from './later.ts'
import type { Measured } from './outcome.ts'

const patienceMs = 12_000

/** What came of an attack, and the id under which the server kept the exchange; empty when there was none. */
export interface Attempted {
  readonly measured: Measured
  readonly probe: string
}

/** Lets the hostile site knock at a door, at Socket.IO by one of its transports. */
export type Attack = (door: DoorId, by?: SocketIoWay) => Promise<Attempted>

/**
 * Loads the hostile site into its framed panel on first use, and believes what it reports only when it comes from that
 * frame and that origin.
 */
export function prepareAttacker(frame: HTMLIFrameElement, origin: string): Attack {
  const waiting = new Map<string, (attempted: Attempted) => void>()
  let ready: Promise<void> | undefined
  addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return
    const message = readMessage(event.data)
    if (message?.type !== 'hostile-result') return
    waiting.get(message.door)?.(message.attempted)
    waiting.delete(message.door)
  })
  const load = (): Promise<void> =>
    new Promise((resolve) => {
      // A frame's load event comes after its modules have run, so it listens by then.
      frame.addEventListener('load', () => resolve(), { once: true })
      frame.src = `${origin}/attack`
    })
  const attack: Attack = async (door, by) => {
    ready ??= load()
    await ready
    const answer = new Promise<Attempted>((resolve) => waiting.set(door, resolve))
    frame.contentWindow?.postMessage({ type: 'hostile-attack', door, by }, origin)
    return answer
  }
  const silence: Attempted = { measured: unsettled('the hostile site is silent'), probe: '' }
  return (door, by) => within(patienceMs, attack(door, by), silence)
}

function unsettled(why: string): Measured {
  return { kind: 'unsettled', why }
}

interface HostileMessage {
  readonly type: string
  readonly door: string
  readonly attempted: Attempted
}

function readMessage(data: unknown): HostileMessage | undefined {
  if (typeof data !== 'object' || data === null || !('type' in data) || typeof data.type !== 'string')
    return undefined
  const door = 'door' in data && typeof data.door === 'string' ? data.door : ''
  const outcome = 'outcome' in data ? readOutcome(data.outcome) : undefined
  const probe = 'probe' in data && typeof data.probe === 'string' ? data.probe.slice(0, 64) : ''
  const measured = outcome ?? unsettled('an unreadable report')
  return { type: data.type, door, attempted: { measured, probe } }
}

function readOutcome(value: unknown): Measured | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  if (value.kind === 'accepted') return { kind: 'accepted', greeting: true }
  const code = 'code' in value && typeof value.code === 'number' ? value.code : 0
  if (value.kind === 'failed' && (code === 1006 || code === 1015)) return { kind: 'failed', code }
  const reason = 'reason' in value && typeof value.reason === 'string' ? value.reason.slice(0, 123) : ''
  if (value.kind === 'closed') return { kind: 'closed', code, reason }
  if (value.kind === 'rejected') return { kind: 'rejected', reason }
  if (value.kind === 'unopened' && 'by' in value)
    return { kind: 'unopened', by: value.by === 'polling' ? 'polling' : 'websocket' }
  return 'why' in value && typeof value.why === 'string'
    ? { kind: 'unsettled', why: value.why.slice(0, 80) }
    : undefined
}
