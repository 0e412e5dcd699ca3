/** The opening handshake of a client (RFC 6455 §4.1), as an attempt has it. */
import { createHash } from 'node:crypto'
import type { Header } from './answer.ts'
import type { Attempt } from './visit.ts'

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** `Sec-WebSocket-Accept` for a key (§4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + guid)
    .digest('base64')
}

/** The head of an attempt. */
export function writeHead(attempt: Attempt, key: string): string {
  const { url, origins, host = url.host, subprotocols = [], headers = [], version = '13' } = attempt
  const fields: Header[] = [
    ['Host', host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ...('version' in attempt && attempt.version === undefined
      ? []
      : [['Sec-WebSocket-Version', version] as const]),
    ...origins.map((origin): Header => ['Origin', origin]),
    ...(subprotocols.length === 0 ? [] : [['Sec-WebSocket-Protocol', subprotocols.join(', ')] as const]),
    ...(attempt.offersDeflate === true
      ? [
          [
            'Sec-WebSocket-Extensions',
            'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
          ] as const,
        ]
      : []),
    ...headers,
  ]
  const lines = fields.map(([name, value]) => `${name}: ${value}`)
  return [`GET ${url.pathname}${url.search} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}
