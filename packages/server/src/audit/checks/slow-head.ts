/** I9: requests that never end their head. */
import type { Check } from '../check.ts'
import { RawTalk } from '../raw-talk.ts'

const sockets = 5
const defaultHeadMs = 15_000
const byteMs = 1_000

/** Slow handshakes. */
export const slowHead: Check = {
  id: 'I9',
  title: 'A request may take as long as it likes to say what it wants',
  cwe: [400, 772],
  asvs: ['15.2.2'],
  safety: 'A',
  needs: [],
  waits: true,
  why: 'A connection that sends a byte a second holds its place before anything can judge it. A few hundred of them from one machine (slowloris) fill a server that nothing else would trouble. Node waits for a minute, and looks only every half a minute.',
  remedy: {
    text: 'Give the head of a request five to ten seconds, and look often enough.',
    ws: 'createServer({ headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 }, app)',
    socketIo:
      'createServer({ headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 }, app)',
    countersign:
      '// the program does; for a server of your own: createServer({ headersTimeout: 5_000, connectionsCheckingInterval: 1_000 })',
  },
  async run({ endpoint, needs, budget, options }) {
    const { headMs = defaultHeadMs } = options
    const talks = await Promise.all(Array.from({ length: sockets }, () => RawTalk.open(needs, endpoint.url)))
    try {
      const connected = talks.filter((talk) => talk.connected)
      if (connected.length === 0) return { kind: 'inconclusive', says: 'no connection came about' }
      const { pathname } = endpoint.url
      for (const talk of connected)
        talk.write(
          `GET ${pathname} HTTP/1.1\r\nHost: ${endpoint.url.host}\r\nX-Slow: `,
          'the first lines of a request, then a byte a second',
        )
      const until = performance.now() + headMs
      while (performance.now() < until && connected.some(({ live }) => live)) {
        await budget.pause(Math.min(byteMs, headMs / 10, Math.max(0, until - performance.now())))
        for (const talk of connected) if (talk.live) talk.write('a', 'a')
      }
      const open = connected.filter(({ live }) => live)
      const exchanges = (open.length > 0 ? open : connected).slice(0, 1).map(({ exchange }) => exchange)
      if (open.length === 0) {
        const slowest = Math.max(...connected.map(({ endedAtMs }) => endedAtMs ?? 0))
        return { kind: 'pass', says: `unfinished requests were closed after ${slowest} ms`, exchanges }
      }
      return {
        kind: 'fail',
        findings: [
          {
            says: `${open.length} of ${connected.length} requests without an end were still open after ${headMs / 1_000} s`,
            severity: 'medium',
            confidence: 'high',
            exchanges,
          },
        ],
      }
    } finally {
      for (const talk of talks) talk.leave()
    }
  },
}
