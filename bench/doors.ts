/** Handshakes through each door, beside bare `ws` that accepts everything. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from './rig/bench.ts'
import type { Attempt } from './rig/generator.ts'
import { figuresOf, measurePairs, type Plan } from './rig/pairs.ts'
import { Server } from './rig/process.ts'
import { sessionCookie, type Application } from './rig/protocol.ts'
import type { Row } from './rig/report.ts'
import { handshakeRequest, textFrame } from './rig/requests.ts'
import { unusedKey } from './rig/tokens.ts'

/** A door as a row of the table below. */
interface Door {
  readonly name: string
  readonly records: 'memory' | 'sqlite'
  /** What the floor does after its 101. @default 'idle' */
  readonly floor?: Application
  /** Status of the guarded side. @default 101 */
  readonly status?: number
  readonly atLeast: number
  attempts(guarded: Server, count: number): Promise<readonly Attempt[]>
}

const doors: readonly Door[] = [
  { name: 'query ticket, memory', records: 'memory', atLeast: 0.75, attempts: queryTickets },
  { name: 'query ticket, SQLite', records: 'sqlite', atLeast: 0.45, attempts: queryTickets },
  { name: 'session cookie, memory', records: 'memory', atLeast: 0.75, attempts: sessionCookies },
  { name: 'session cookie, SQLite', records: 'sqlite', atLeast: 0.6, attempts: sessionCookies },
  { name: 'first message, memory', records: 'memory', floor: 'acknowledge', atLeast: 0.7, attempts: firstMessages },
  { name: 'refused: forbidden origin', records: 'memory', status: 403, atLeast: 0.95, attempts: foreignOrigins },
  { name: 'refused: wrong ticket', records: 'memory', status: 401, atLeast: 0.95, attempts: wrongTickets },
]

/** The doors bench. */
export const bench: Bench = {
  name: 'doors',
  about: 'handshakes through each door, CPU beside bare ws',
  async run({ quick, only, done }) {
    const plan: Plan = quick ? { pairs: 4, sliceMs: 250 } : { pairs: 10, sliceMs: 500 }
    for (const door of doors.filter(({ name }) => name.includes(only))) done(await measureDoor(door, plan))
  },
}

async function measureDoor(door: Door, plan: Plan): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
  const records = door.records === 'memory' ? 'memory' : join(folder, 'records.db')
  const bare = await Server.start({ kind: 'bare', application: door.floor ?? 'idle' })
  const guarded = await Server.start({ kind: 'guarded', application: 'idle', records, key: unusedKey })
  try {
    // Both sides are sent the very same bytes; the floor does not look at them.
    const attempts = (count: number): Promise<readonly Attempt[]> => door.attempts(guarded, count)
    const pairs = await measurePairs(
      { floor: { server: bare, status: 101, attempts }, guarded: { server: guarded, status: door.status ?? 101, attempts } },
      plan,
    )
    return {
      bench: 'doors',
      name: door.name,
      figures: figuresOf(pairs),
      targets: [{ figure: 'share', bound: door.atLeast, sense: 'at least' }],
    }
  } finally {
    await Promise.all([bare.stop(), guarded.stop()])
    rmSync(folder, { recursive: true })
  }
}



async function queryTickets(guarded: Server, count: number): Promise<readonly Attempt[]> {
  const tickets = await guarded.ask('mint', { what: 'ticket', count })
  return tickets.map((ticket) => plain(handshakeRequest({ target: `/?ticket=${ticket}` })))
}

/** Sessions are used again and again; a few dozen users come and go. */
async function sessionCookies(guarded: Server, count: number): Promise<readonly Attempt[]> {
  const sessions = await guarded.ask('mint', { what: 'session', count: 64 })
  const requests = sessions.map((session) =>
    plain(handshakeRequest({ lines: [`Cookie: theme=dark; ${sessionCookie}=${session}`] })),
  )
  return repeat(requests, count)
}

async function firstMessages(guarded: Server, count: number): Promise<readonly Attempt[]> {
  const tickets = await guarded.ask('mint', { what: 'ticket', count })
  const request = handshakeRequest()
  return tickets.map((token) => ({ request, frame: textFrame(JSON.stringify({ type: 'auth', token })) }))
}

function foreignOrigins(_guarded: Server, count: number): Promise<readonly Attempt[]> {
  const request = handshakeRequest({ target: `/?ticket=${noTicket}`, origin: 'https://evil.example.net' })
  return Promise.resolve(repeat([plain(request)], count))
}

/** No Origin: only clients that are no browsers are told by HTTP. */
function wrongTickets(_guarded: Server, count: number): Promise<readonly Attempt[]> {
  return Promise.resolve(repeat([plain(handshakeRequest({ target: `/?ticket=${noTicket}`, origin: undefined }))], count))
}

const noTicket = `cst_${'A'.repeat(43)}`

function plain(request: Buffer): Attempt {
  return { request, frame: undefined }
}

function repeat(attempts: readonly Attempt[], count: number): readonly Attempt[] {
  return Array.from({ length: count }, (_one, at) => attempts[at % attempts.length]).filter((one) => one !== undefined)
}
