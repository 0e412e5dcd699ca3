/** O8: a handshake that failed leaves a connection on which more is answered. */
import { readHead } from '../answer.ts'
import type { Check } from '../check.ts'
import { anonymous } from '../presented.ts'
import { RawTalk } from '../raw-talk.ts'

const answerMs = 1_500

/** A failed upgrade leaves a tunnel. */
export const failedUpgrade: Check = {
  id: 'O8',
  title: 'A failed upgrade leaves a tunnel behind',
  cwe: [444],
  asvs: ['4.2.1'],
  safety: 'A',
  needs: [],
  why: 'A proxy that takes any answer for a success connects the client with whatever is behind it: what comes next on the connection passes by every check.',
  remedy: {
    text: 'Answer a failed upgrade with “Connection: close” and close; in a proxy, switch to a tunnel for a 101 with the right Sec-WebSocket-Accept only.',
    ws: "socket.end('HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\n\\r\\n')",
    socketIo: 'Keep destroyUpgrade at its default, true.',
    countersign: 'guardUpgrades(server, wss, guard) // closes after every refusal',
  },
  async run({ endpoint, oracle, needs }) {
    const { pathname, search, host } = oracle.attempt(anonymous).url
    const talk = await RawTalk.open(needs, endpoint.url)
    try {
      talk.write(
        [
          `GET ${pathname}${search} HTTP/1.1`,
          `Host: ${host}`,
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
          'Sec-WebSocket-Version: 777',
          '',
          '',
        ].join('\r\n'),
      )
      const first = await talk.head(answerMs)
      if (first === undefined)
        return {
          kind: 'pass',
          says: 'a handshake of a wrong version gets no answer',
          exchanges: [talk.exchange],
        }
      if (first.status === 101)
        return {
          kind: 'fail',
          findings: [
            {
              says: 'a handshake of version 777 is answered with 101',
              severity: 'medium',
              confidence: 'high',
              exchanges: [talk.exchange],
            },
          ],
        }
      const before = talk.heard.length
      talk.write(`GET /countersign-audit-second HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      await talk.closed(answerMs)
      const second = readHead(talk.heard.subarray(before))
      if (typeof second === 'string')
        return {
          kind: 'pass',
          says: `a failed upgrade (${first.status}) ends the connection`,
          exchanges: [talk.exchange],
        }
      return {
        kind: 'info',
        says: `after a failed upgrade (${first.status}) the connection answers a second request with ${second.status}; ordinary for an origin server, a hole in a proxy`,
        exchanges: [talk.exchange],
      }
    } finally {
      talk.leave()
    }
  },
}
