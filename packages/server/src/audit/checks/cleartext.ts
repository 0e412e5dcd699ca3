/** T1: the socket opens without TLS. */
import type { Check, Outcome, Scene } from '../check.ts'
import { anonymous } from '../presented.ts'
import { isLoopbackUrl } from '../scope.ts'
import { Visit } from '../visit.ts'

/** Cleartext. */
export const cleartext: Check = {
  id: 'T1',
  title: 'The socket can be opened without TLS',
  cwe: [319],
  asvs: ['4.4.1', '12.2.1'],
  safety: 'A',
  needs: [],
  why: 'Without TLS everybody on the way reads what is said, credentials first, and writes what he likes.',
  remedy: {
    text: 'Serve wss: only. On port 80 answer with a redirect for pages and nothing for sockets, and send Strict-Transport-Security.',
    ws: 'new WebSocketServer({ server: https.createServer({ key, cert }) })',
    socketIo: 'new Server(https.createServer({ key, cert }))',
    countersign:
      'A guard refuses tickets, tokens, cookies and passwords over ws: off this machine; leave dangerouslyAllowCleartext out.',
  },
  async run(scene) {
    const { endpoint } = scene
    if (endpoint.url.protocol === 'wss:') return besides(scene)
    const { view, exchange } = scene.baseline.anonymous
    if (await isLoopbackUrl(scene.needs.scope, endpoint.url))
      return {
        kind: 'info',
        says: 'cleartext, on this machine; TLS may end before it',
        exchanges: [exchange],
      }
    if (
      view.kind === 'refused' &&
      view.at === 'http' &&
      (view.status === 426 || (view.status >= 300 && view.status < 400))
    )
      return { kind: 'pass', says: `ws: is answered with ${view.status}`, exchanges: [exchange] }
    return {
      kind: 'fail',
      findings: [
        {
          says: `${endpoint.url.origin} is cleartext`,
          severity: 'high',
          confidence: 'high',
          exchanges: [exchange],
        },
      ],
    }
  },
}

/** A target behind TLS, tried without: on its own port and on 80. */
async function besides({ endpoint, oracle, needs }: Scene): Promise<Outcome> {
  const exchanges = []
  for (const port of new Set([endpoint.url.port === '' ? '443' : endpoint.url.port, '80'])) {
    const attempt = oracle.attempt(anonymous)
    const url = new URL(attempt.url)
    url.protocol = 'ws:'
    url.port = port
    const visit = await Visit.open(needs, { ...attempt, url })
    await visit.leave()
    exchanges.push(visit.exchange)
    if (visit.opened)
      return {
        kind: 'fail',
        findings: [
          {
            says: `the same socket opens at ws://${url.host} without TLS`,
            severity: 'high',
            confidence: 'high',
            exchanges: [visit.exchange],
          },
        ],
      }
  }
  return { kind: 'pass', says: 'without TLS nothing opens, on its own port and on 80', exchanges }
}
