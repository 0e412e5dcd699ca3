/** Reports whose every text is given, for tests of what a hostile target may say. */
import type { Report } from '../../../../packages/server/src/audit/audit.ts'
import type { Check, Outcome } from '../../../../packages/server/src/audit/check.ts'
import { checks } from '../../../../packages/server/src/audit/checks.ts'

/** A check of the catalogue. */
export function checkOf(id: string): Check {
  const found = checks.find((check) => check.id === id)
  if (found === undefined) throw new Error(`no check ${id}`)
  return found
}

/** A report with these outcomes, in a place that does not change. */
export function reportWith(outcomes: Readonly<Record<string, Outcome>>, more: Partial<Report> = {}): Report {
  return {
    target: 'ws://127.0.0.1:8080/socket',
    endpoint: {
      url: new URL('ws://127.0.0.1:8080/socket'),
      protocol: 'plain',
      origin: 'http://127.0.0.1:8080',
      subprotocols: [],
      headers: [],
      page: undefined,
      namespace: '/',
      realm: 'realm1',
    },
    startedAt: '2026-01-02T03:04:05.678Z',
    spent: { connections: 3, bytes: 4_096, ms: 1_500, mostOpen: 2 },
    results: Object.entries(outcomes).map(([id, outcome]) => ({ check: checkOf(id), outcome, ms: 12 })),
    stopped: undefined,
    unreachable: undefined,
    loginTroubles: [],
    ...more,
  }
}

/** A report that says a text in every place in which a target's words can stand. */
export function reportSaying(text: string): Report {
  const line = { atMs: 1, from: 'target', text } as const
  const head = { atMs: 0, from: 'scanner', text: `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${text}` } as const
  const answer = { atMs: 1, from: 'target', text: `HTTP/1.1 101\n${text}: ${text}` } as const
  return reportWith(
    {
      O1: {
        kind: 'fail',
        findings: [
          {
            says: text,
            severity: 'high',
            confidence: 'high',
            subject: text,
            exchanges: [[head, answer, line]],
          },
        ],
      },
      O2: { kind: 'info', says: text },
      O4: { kind: 'inconclusive', says: text },
      A1: { kind: 'not tested', missing: text },
      A3: { kind: 'pass', says: text },
    },
    { stopped: text, loginTroubles: [text] },
  )
}
