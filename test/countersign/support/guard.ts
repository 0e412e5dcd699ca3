import { createGuard, memory, type GuardOptions } from '../../../packages/countersign/src/index.ts'
import type { PeerTurn, Turn } from '../../../packages/countersign/src/core/drive.ts'
import type { Guard } from '../../../packages/countersign/src/core/guard.ts'
import type { Handshake } from '../../../packages/countersign/src/core/handshake.ts'
import type { Accepted, Decision, Refused } from '../../../packages/countersign/src/core/knock.ts'
import type { Challenge, JournalEntry, PasswordHasher } from '../../../packages/countersign/src/core/ports.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import type { Records } from '../../../packages/countersign/src/core/records.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { expect } from 'vitest'
import { stillClock, type StillClock } from './clock.ts'

/** Origin of the page that every guard of these tests allows. */
export const pageOrigin = 'https://app.example.com'

/** How often a property of a pure parser or reducer is tried. */
export const numRuns: number = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)

/** A guard with everything that a test wants to look at. */
export interface Opened {
  readonly guard: Guard
  readonly clock: StillClock
  /** Names of the records port's members, in the order in which they were asked. */
  readonly calls: string[]
  readonly journal: JournalEntry[]
  readonly records: Records
}

/** Compares texts: these tests are not about argon2. */
export const plainPasswords: PasswordHasher = {
  hash: (password) => password,
  verify: (password, hash) => (password === hash ? 'right' : 'wrong'),
}

/** A guard over memory on a clock that stands still. */
export function openGuard(options: Partial<GuardOptions> & Pick<GuardOptions, 'accept'>): Opened {
  const clock = stillClock()
  const calls: string[] = []
  const journal: JournalEntry[] = []
  const records = counting(options.records ?? memory(), calls)
  const guard = createGuard({
    origins: [pageOrigin],
    journal: { record: (entry) => void journal.push(entry) },
    platform: { ...nodePlatform(), clock },
    passwords: plainPasswords,
    decoyKey: 'decoy key of the tests',
    ...options,
    records,
  })
  return { guard, clock, calls, journal, records }
}

/** The same records; every call is noted first. */
export function counting(records: Records, calls: string[]): Records {
  return wrapped(records, (name, call) => {
    calls.push(name)
    return call()
  })
}

/** Records with something put around every call. */
export function wrapped(records: Records, around: (name: string, call: () => unknown) => unknown): Records {
  return new Proxy(records, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function' || typeof name !== 'string') return member
      return (...args: readonly unknown[]) => around(name, () => Reflect.apply(member, target, args))
    },
  })
}

/** A handshake from loopback without any credential, and without `Origin`. */
export function handshakeOf(facts: Partial<Handshake> = {}): Handshake {
  return {
    target: '/',
    host: 'localhost:8000',
    origin: undefined,
    cookie: undefined,
    authorization: undefined,
    subprotocol: undefined,
    remoteAddress: '127.0.0.1',
    secure: false,
    certificate: undefined,
    ...facts,
  }
}

/** Knocks and waits for the decision; the peer has nothing to say. */
export async function knock(guard: Guard, facts: Partial<Handshake> = {}): Promise<Decision> {
  const turn = await guard.knock(handshakeOf(facts))
  if (turn.kind !== 'done') throw new Error('the guard wants to hear the peer')
  return turn.value
}

/** Knocks, expecting to be given the word. */
export async function knockAndListen(
  guard: Guard,
  facts: Partial<Handshake> = {},
): Promise<PeerTurn<Decision>> {
  return peerTurn(await guard.knock(handshakeOf(facts)))
}

/** A turn in which the peer has the word. */
export function peerTurn(turn: Turn<Decision>): PeerTurn<Decision> {
  if (turn.kind !== 'peer') throw new Error(`the guard has decided: ${JSON.stringify(turn.value)}`)
  return turn
}

/** Says the first message, and whatever answers each challenge that follows. */
export async function say(
  opened: Opened,
  turn: PeerTurn<Decision>,
  ...texts: readonly (string | ((challenge: Challenge) => string))[]
): Promise<Decision> {
  let current: Turn<Decision> = turn
  for (const text of texts) {
    const { say: challenge, answer } = peerTurn(current)
    const words = typeof text === 'string' ? text : text(challenge ?? { method: '', extra: {} })
    current = await answer({ text: words, now: opened.clock.now() })
  }
  if (current.kind !== 'done') throw new Error('the guard wants to hear more')
  return current.value
}

/** Asserts a refusal with this reason. */
export function expectRefusal(decision: Decision, reason: Reason): Refused {
  expect(decision).toMatchObject({ kind: 'refused', reason })
  return decision as Refused
}

/** Asserts an acceptance of this subject. */
export function expectAcceptance(decision: Decision, subject: string): Accepted {
  expect(decision).toMatchObject({ kind: 'accepted', lease: { principal: { id: subject } } })
  return decision as Accepted
}
