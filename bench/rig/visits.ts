/** Those whom a flood must not keep out: visitors with tickets and sessions, and people who log in, at a steady rate. */
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sourceAddress } from './addresses.ts'
import { quantile } from './numbers.ts'
import { accountPassword, door, type ProgramSite } from './program-site.ts'
import { handshakeRequest } from './requests.ts'

/** How long a visitor waits, ms. */
const patienceMs = 5_000
/** Addresses of visitors: none of a flood's. */
const firstAddress = 60_000

/** How visits went. */
export interface Visits {
  readonly count: number
  readonly succeeded: number
  /** From when each was due to its success, ascending; those that failed are `Infinity`. */
  readonly latenciesMs: readonly number[]
  /** What went wrong, each once. */
  readonly failures: readonly string[]
}

/** Pays visits at a steady rate, whatever becomes of those before. */
export async function payVisits(
  plan: { readonly perSecond: number; readonly forMs: number },
  visit: (at: number) => Promise<void>,
): Promise<Visits> {
  const count = Math.round((plan.perSecond * plan.forMs) / 1_000)
  const startedAt = performance.now()
  const failures = new Set<string>()
  const one = async (at: number): Promise<number> => {
    const dueAt = startedAt + (at * 1_000) / plan.perSecond
    await sleep(Math.max(0, dueAt - performance.now()))
    try {
      await visit(at)
      return performance.now() - dueAt
    } catch (error) {
      failures.add(error instanceof Error ? error.message : String(error))
      return Infinity
    }
  }
  const latenciesMs = await Promise.all(Array.from({ length: count }, (_none, at) => one(at)))
  return {
    count,
    succeeded: latenciesMs.filter(Number.isFinite).length,
    latenciesMs: latenciesMs.toSorted((a, b) => a - b),
    failures: [...failures],
  }
}

/** Several series as one. */
export function together(all: readonly Visits[]): Visits {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    succeeded: all.reduce((sum, { succeeded }) => sum + succeeded, 0),
    latenciesMs: all.flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b),
    failures: all.flatMap(({ failures }) => failures),
  }
}

/** The 99th percentile of latencies, failures included. */
export function p99Of({ latenciesMs }: Visits): number {
  return quantile(latenciesMs, 0.99)
}

/** Logs in by the site. @returns the session cookie, as `Cookie` wants it */
export async function logIn(site: ProgramSite, username: string, at: number): Promise<string> {
  const answer = await post(site, '/login', { body: { username, password: accountPassword }, at })
  const [cookie] = answer.cookies
  if (answer.status !== 200 || cookie === undefined) throw new Error(`login: ${answer.status} ${answer.text}`)
  return cookie.split(';')[0] ?? ''
}

/** Opens a socket by a session cookie, and is greeted. */
export function visitBySession(site: ProgramSite, cookie: string, at: number): Promise<void> {
  return greeted(site, { target: door.path, lines: [`Cookie: ${cookie}`] }, at)
}

/** Asks the site for a ticket, opens a socket by it, and is greeted. */
export async function visitByTicket(site: ProgramSite, cookie: string, at: number): Promise<void> {
  const answer = await post(site, '/countersign/ticket', { body: { audience: door.name }, cookie, at })
  const ticket = /"ticket":"([^"]+)"/.exec(answer.text)?.[1]
  if (ticket === undefined) throw new Error(`ticket: ${answer.status} ${answer.text}`)
  await greeted(site, { target: `${door.path}?ticket=${ticket}`, lines: [] }, at)
}

/** The application's first frame is the proof: a refused browser gets a 101 as well, and a close behind it. */
function greeted(
  site: ProgramSite,
  shown: { readonly target: string; readonly lines: readonly string[] },
  at: number,
): Promise<void> {
  const { host, origin, server } = site
  return new Promise((resolve, reject) => {
    const socket = connect({
      port: server.port,
      host: '127.0.0.1',
      localAddress: sourceAddress(firstAddress + (at % 100)),
    })
    let heard = ''
    const end = (failure?: string): void => {
      clearTimeout(late)
      socket.resetAndDestroy()
      if (failure === undefined) resolve()
      else reject(new Error(`handshake: ${failure}`))
    }
    const late = setTimeout(end, patienceMs, 'nothing in time')
    socket.on('error', (error) => end(error.message))
    socket.once('close', () => end('closed'))
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      const headEnd = heard.indexOf('\r\n\r\n')
      if (headEnd < 0 || heard.length === headEnd + 4) return
      const opcode = heard.charCodeAt(headEnd + 4)
      if (heard.startsWith('HTTP/1.1 101') && opcode === 0x81) end()
      else end(`${heard.slice(9, 12)}, frame ${opcode.toString(16)}`)
    })
    socket.write(handshakeRequest({ ...shown, host, origin }))
  })
}

interface Posted {
  readonly body: object
  readonly cookie?: string
  readonly at: number
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly cookies: readonly string[]
}

/** A request on a connection of its own, as a page of the site sends it. */
function post(site: ProgramSite, path: string, { body, cookie, at }: Posted): Promise<Answer> {
  const { host, origin, server } = site
  const headers = {
    Host: host,
    Origin: origin,
    'Content-Type': 'application/json',
    ...(cookie === undefined ? {} : { Cookie: cookie }),
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: server.port,
        localAddress: sourceAddress(firstAddress + (at % 100)),
        method: 'POST',
        path,
        headers,
        agent: false,
        timeout: patienceMs,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, cookies: response.headers['set-cookie'] ?? [] }),
        )
      },
    )
    request.on('timeout', () => request.destroy(new Error(`${path}: nothing in time`)))
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}
