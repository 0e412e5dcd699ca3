/** The bytes that the generator sends: opening handshakes as a browser writes them, and masked text frames. */
import { host, origin } from './protocol.ts'

/** Where in a handshake something differs from the plain one. */
export interface RequestParts {
  /** @default '/' */
  readonly target?: string
  /** `undefined`: not sent. */
  readonly origin?: string | undefined
  /** @default that of the guarded servers */
  readonly host?: string
  /** Further header lines, each `Name: value`. */
  readonly lines?: readonly string[]
}

/** An opening handshake. `origin` is the allowed one unless the parts name it. */
export function handshakeRequest(parts: RequestParts = {}): Buffer {
  const shown = 'origin' in parts ? parts.origin : origin
  const lines = [
    `GET ${parts.target ?? '/'} HTTP/1.1`,
    `Host: ${parts.host ?? host}`,
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    ...(shown === undefined ? [] : [`Origin: ${shown}`]),
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9',
    ...(parts.lines ?? []),
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** A masked text frame (RFC 6455 §5.2) of at most 65,535 bytes. The mask is constant: nobody's cache is in the way. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff])
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([head, mask, masked])
}

/** The answer to a close: a masked close frame without a code (RFC 6455 §5.5.1). */
export const closeFrame: Buffer = Buffer.from([0x88, 0x80, 0x37, 0xfa, 0x21, 0x3d])
