import { createServer as createHttp2 } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { audit, type Report } from '../../../packages/server/src/audit/audit.ts'
import { accept, behaviours, openHostile, type Behaviour } from './support/hostile.ts'

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function hostile(behave: Behaviour): Promise<string> {
  const { url, close } = await openHostile(behave)
  closers.push(close)
  return url
}

/** Short, so that the tests are; the bounds of a real audit are those of `defaultAllowance`. */
const options = { settleMs: 150, silenceMs: 500, allowance: { maxMs: 12_000 }, protocol: 'plain' } as const

interface Measured {
  readonly report: Report
  readonly ms: number
  readonly grownBytes: number
}

async function measured(target: string): Promise<Measured> {
  const before = process.memoryUsage().rss
  const startedAt = performance.now()
  const report = await audit(target, options)
  return { report, ms: performance.now() - startedAt, grownBytes: process.memoryUsage().rss - before }
}

describe('a target that', () => {
  it.each(behaviours)('%s: the audit ends in time, says so, and stays small', async (_name, behave) => {
    const { report, ms, grownBytes } = await measured(await hostile(behave))
    expect(ms).toBeLessThan(options.allowance.maxMs + 5_000)
    expect(grownBytes).toBeLessThan(200 * 1_048_576)
    const said = report.unreachable ?? report.stopped ?? ''
    const failed = report.results.filter(({ outcome }) => outcome.kind === 'fail')
    // Nothing is claimed to be secure that never was a WebSocket, and nothing is left without a word.
    expect(said !== '' || report.results.length > 0).toBe(true)
    for (const { outcome } of failed)
      expect(outcome.kind === 'fail' && outcome.findings.length).toBeGreaterThan(0)
  })

  it('never answers is unreachable', async () => {
    const { report } = await measured(await hostile(() => undefined))
    expect(report.unreachable).toMatch(/^timeout/)
  })

  it('speaks HTTP/2 only is unreachable', async () => {
    const server = createHttp2()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { report } = await measured(`ws://127.0.0.1:${port}/socket`)
    expect(report.unreachable).toMatch(/garbage|reset/)
  })

  it('breaks TLS is unreachable', async () => {
    const plain = await hostile((socket) => void socket.end('no TLS here'))
    const { report } = await measured(plain.replace('ws:', 'wss:'))
    expect(report.unreachable).toMatch(/^tls|^reset/)
  })

  it('is not there is unreachable', async () => {
    const { report } = await measured('ws://127.0.0.1:1/socket')
    expect(report.unreachable).toMatch(/^refused/)
  })
})

describe('an audit that is stopped', () => {
  it('answers with what it has, and leaves nothing open', async () => {
    let open = 0
    const target = await hostile((socket, head) => {
      open += 1
      socket.on('close', () => (open -= 1))
      accept(socket, head)
    })
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 700)
    const report = await audit(target, { ...options, silenceMs: 30_000, signal: stop.signal })
    expect(report.stopped).toMatch(/stopped/)
    expect(report.results.length).toBeGreaterThan(0)
    await expect.poll(() => open, { timeout: 3_000 }).toBe(0)
  })
})
