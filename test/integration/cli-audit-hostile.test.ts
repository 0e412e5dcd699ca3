import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { behaviours, openHostile, type Behaviour } from '../server/audit/support/hostile.ts'
import { auditFolder } from './support/audit-site.ts'
import { start, type Ended } from './support/program.ts'

const folder = auditFolder()
const maxMs = 8_000
/** Beyond the time of the audit: for starting the program, and for writing the report. */
const aroundMs = 10_000
const maxResidentBytes = 300 * 1_048_576

afterAll(() => folder.remove())

/** How an audit by the real command went. */
interface Run extends Ended {
  readonly tookMs: number
  /** The most memory that the process ever had. */
  readonly residentBytes: number
}

/** Audits a target as somebody with a cookie, who looks for an identity, for data and for an effect. */
async function auditOf(does: string, behave: Behaviour): Promise<Run> {
  const target = await openHostile(behave)
  const name = does.replaceAll(' ', '-')
  const config = folder.path(`${name}.json`)
  writeFileSync(config, JSON.stringify({ ...options, target: target.url, only: only[does] }))
  const startedAt = performance.now()
  const { child, ended } = start(['audit', '--config', config, '--out', folder.path(`${name}.html`)])
  let residentBytes = 0
  const timer = setInterval(() => {
    residentBytes = Math.max(residentBytes, peakOf(child.pid))
  }, 20)
  try {
    const end = await ended
    return { ...end, residentBytes, tookMs: Math.round(performance.now() - startedAt) }
  } finally {
    clearInterval(timer)
    target.close()
  }
}

const options = {
  protocol: 'plain',
  identities: { low: { cookie: 'sid=a-cookie-of-mira' }, high: { cookie: 'sid=a-cookie-of-otto' } },
  whoami: { send: { type: 'whoami' }, expect: '"name":"(mira|otto)"' },
  private: ['"type":"order"', '"secret":"[^"]+"'],
  canaries: [{ name: 'bell', send: { type: 'bell' }, effect: '"rung":"{marker}"' }],
  settleMs: 150,
  silenceMs: 500,
  headMs: 500,
  deadPeerMs: 500,
  allowance: { maxMs },
}

/** `VmHWM` of a process, bytes; 0 for one that is no more. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kib = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib) * 1_024
  } catch {
    return 0
  }
}

const compresses = 'compresses a mebibyte to a kilobyte, again and again, where it may compress'
/** Only the checks that matter, where there is no time for all. */
const only: Readonly<Record<string, readonly string[]>> = { [compresses]: ['I6'] }
/** What it found until it was stopped, or nothing. */
const interrupted = [1, 4]
/** Where nothing answers as a WebSocket does. */
const codes: Readonly<Record<string, readonly number[]>> = {
  'answers garbage': [3],
  'closes at once': [3],
  resets: [3],
  'sends an endless head': [3],
  // Both identities are refused, as by a server that wants another credential.
  redirects: [4],
  // Nobody has a login there, so nothing is tested: what is read at the first look is read compressed.
  [compresses]: [4],
}

describe.concurrent('countersign audit, of a target that', () => {
  it.each(behaviours)('%s, stays below 300 MiB, and ends in time', async (does, behave) => {
    const { code, signal, stderr, residentBytes, tookMs } = await auditOf(does, behave)
    console.log(`${does}: ${Math.round(residentBytes / 1_048_576)} MiB, ${tookMs} ms, exit code ${code}`)
    expect(signal).toBeNull()
    expect(stderr).not.toContain('unforeseen')
    expect(codes[does] ?? interrupted).toContain(code)
    expect(tookMs).toBeLessThan(maxMs + aroundMs)
    expect(residentBytes).toBeGreaterThan(0)
    expect(residentBytes).toBeLessThan(maxResidentBytes)
  })
})
