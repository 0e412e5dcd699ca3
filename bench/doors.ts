/** Handshakes through each door, beside bare `ws` that accepts everything. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from './rig/bench.ts'
import type { Attempt } from './rig/generator.ts'
import { figuresOf, measurePairs, type Plan } from './rig/pairs.ts'
import { Server } from './rig/process.ts'
import { sessionCookie, type Role } from './rig/protocol.ts'
import type { Row, Target } from './rig/report.ts'
import { handshakeRequest, textFrame } from './rig/requests.ts'
import { ed25519Signer, hmacSigner, unusedKey, type Signer } from './rig/tokens.ts'

/** A door as a row of the table below. */
interface Door {
  readonly name: string
  /** @default 'memory' */
  readonly records?: 'memory' | 'sqlite'
  /** What the guarded side is held against. @default bare `ws` that does nothing after its 101 */
  readonly floor?: Role
  /** Status of the guarded side. @default 101 */
  readonly status?: number
  /** Keys of the JWT method, where tokens are shown. */
  readonly signer?: Signer
  readonly target?: Target
  /** Makes what is sent in one slice; both sides get the very same bytes, and the floor does not look at them. */
  attempts(guarded: Server, count: number): Promise<readonly Attempt[]> | readonly Attempt[]
}

const hs256 = hmacSigner(0)
const eddsa = ed25519Signer(0)
const eddsaSeen = ed25519Signer(10_000)

const doors: readonly Door[] = [
  { name: 'query ticket, memory', target: share(0.75), attempts: queryTickets },
  { name: 'query ticket, SQLite', records: 'sqlite', target: share(0.45), attempts: queryTickets },
  { name: 'session cookie, memory', target: share(0.75), attempts: sessionCookies },
  { name: 'session cookie, SQLite', records: 'sqlite', target: share(0.6), attempts: sessionCookies },
  { name: 'HS256 JWT, uncached', signer: hs256, target: share(0.6), attempts: freshTokens(hs256) },
  { name: 'EdDSA JWT, uncached', signer: eddsa, attempts: freshTokens(eddsa) },
  {
    name: 'EdDSA JWT, beside its check',
    signer: eddsa,
    floor: { kind: 'checking', key: eddsa.key, check: 'webcrypto' },
    target: { figure: 'more µs', bound: 30, sense: 'at most' },
    attempts: freshTokens(eddsa),
  },
  {
    name: 'EdDSA JWT, beside a one-shot check',
    signer: eddsa,
    floor: { kind: 'checking', key: eddsa.key, check: 'one-shot' },
    attempts: freshTokens(eddsa),
  },
  { name: 'EdDSA JWT, seen before', signer: eddsaSeen, target: share(0.75), attempts: seenTokens(eddsaSeen) },
  {
    name: 'first message, memory',
    floor: { kind: 'bare', application: 'acknowledge' },
    target: share(0.7),
    attempts: firstMessages,
  },
  { name: 'refused: forbidden origin', status: 403, target: share(0.95), attempts: foreignOrigins },
  { name: 'refused: wrong ticket', status: 401, target: share(0.95), attempts: wrongTickets },
]

/** The doors bench. */
export const bench: Bench = {
  name: 'doors',
  about: 'handshakes through each door, server CPU beside bare ws',
  async run({ quick, only, done }) {
    const plan: Plan = quick
      ? { pairs: 8, sliceMs: 150, warmUp: 6_000 }
      : { pairs: 24, sliceMs: 250, warmUp: 16_000 }
    for (const door of doors.filter(({ name }) => name.includes(only))) done(await measureDoor(door, plan))
  },
}

async function measureDoor(door: Door, plan: Plan): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
  const records = door.records === 'sqlite' ? join(folder, 'records.db') : 'memory'
  const key = door.signer?.key ?? unusedKey
  const floor = await Server.start(door.floor ?? { kind: 'bare', application: 'idle' })
  const guarded = await Server.start({ kind: 'guarded', application: 'idle', records, key })
  try {
    const attempts = (count: number): Promise<readonly Attempt[]> =>
      Promise.resolve(door.attempts(guarded, count))
    const pairs = await measurePairs(
      {
        floor: { server: floor, status: 101, attempts },
        guarded: { server: guarded, status: door.status ?? 101, attempts },
      },
      plan,
    )
    const targets = door.target === undefined ? [] : [door.target]
    return { bench: 'doors', name: door.name, figures: figuresOf(pairs), targets }
  } finally {
    await Promise.all([floor.stop(), guarded.stop()])
    rmSync(folder, { recursive: true })
  }
}

function share(bound: number): Target {
  return { figure: 'share', bound, sense: 'at least' }
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

function freshTokens(signer: Signer): Door['attempts'] {
  return (_guarded, count) => Array.from({ length: count }, () => bearer(signer.token()))
}

/** The same few tokens again and again, as clients show them that connect again. */
function seenTokens(signer: Signer): Door['attempts'] {
  const tokens = Array.from({ length: 64 }, () => signer.token())
  return (_guarded, count) => repeat(tokens.map(bearer), count)
}

function bearer(token: string): Attempt {
  return plain(handshakeRequest({ lines: [`Authorization: Bearer ${token}`] }))
}

async function firstMessages(guarded: Server, count: number): Promise<readonly Attempt[]> {
  const tickets = await guarded.ask('mint', { what: 'ticket', count })
  const request = handshakeRequest()
  return tickets.map((token) => ({ request, frame: textFrame(JSON.stringify({ type: 'auth', token })) }))
}

function foreignOrigins(_guarded: Server, count: number): readonly Attempt[] {
  const request = handshakeRequest({ target: `/?ticket=${noTicket}`, origin: 'https://evil.example.net' })
  return repeat([plain(request)], count)
}

/** No Origin: only clients that are no browsers are told by HTTP. */
function wrongTickets(_guarded: Server, count: number): readonly Attempt[] {
  const request = handshakeRequest({ target: `/?ticket=${noTicket}`, origin: undefined })
  return repeat([plain(request)], count)
}

const noTicket = `cst_${'A'.repeat(43)}`

function plain(request: Buffer): Attempt {
  return { request, frame: undefined }
}

function repeat(attempts: readonly Attempt[], count: number): readonly Attempt[] {
  return Array.from({ length: Math.ceil(count / attempts.length) }, () => attempts)
    .flat()
    .slice(0, count)
}
