import { connect, type Socket } from 'node:net'
import { WebSocket, type ClientOptions } from 'ws'

/** What came of bytes that were written to a port. */
export interface Reply {
  /** Everything that was answered, as Latin-1. */
  readonly text: string
  /** Status of the first answer; 0: none came. */
  readonly status: number
  /** How many answers came. */
  readonly answers: number
  /** Whether the server ended the connection. */
  readonly ended: boolean
  readonly ms: number
}

/** Writes bytes to a port as they are and reads until the server ends the connection, or for `patienceMs`. */
export function raw(port: number, bytes: string, patienceMs = 1_500): Promise<Reply> {
  return new Promise((resolve) => {
    const since = Date.now()
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let text = ''
    const finish = (ended: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      const lines = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
      const status = Number(lines[0]?.[1] ?? 0)
      resolve({ text, status, answers: lines.length, ended, ms: Date.now() - since })
    }
    const timer = setTimeout(() => finish(false), patienceMs)
    socket.on('data', (chunk) => (text += chunk.toString('latin1')))
    socket.on('error', () => finish(true))
    socket.on('end', () => finish(true))
    socket.write(bytes, 'latin1')
  })
}

/** An opening handshake; `fields` are whole lines. */
export function opening(
  port: number,
  fields: readonly string[] = [],
  line = 'GET / HTTP/1.1',
  host = `localhost:${port}`,
): string {
  const all = [
    line,
    ...(host === '' ? [] : [`Host: ${host}`]),
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...fields,
  ]
  return `${all.join('\r\n')}\r\n\r\n`
}

/** A plain request. */
export function request(line: string, host: string, fields: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  return `${[line, `Host: ${host}`, ...fields, ...length].join('\r\n')}\r\n\r\n${body}`
}

/** How a visit at a door ended, or where it stands after a moment. */
export interface Visit {
  /** The first message, when one came. */
  readonly greeting: string | undefined
  /** HTTP status of a refusal. */
  readonly status: number | undefined
  /** Close code. */
  readonly code: number | undefined
  readonly socket: WebSocket
}

/** What a visitor brings. */
export interface Brought {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly origin?: string
  readonly protocols?: readonly string[]
  /** Said as soon as the socket is open. */
  readonly says?: string
  readonly options?: ClientOptions
}

/** Knocks and waits until it is greeted, refused or closed. */
export function visit(brought: Brought): Promise<Visit> {
  const { url, headers = {}, origin, protocols = [], says, options = {} } = brought
  return new Promise((resolve) => {
    const socket = new WebSocket(url, [...protocols], {
      ...options,
      headers,
      ...(origin === undefined ? {} : { origin }),
    })
    const end = (facts: Partial<Visit>): void =>
      resolve({ greeting: undefined, status: undefined, code: undefined, socket, ...facts })
    socket.on('error', () => end({}))
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      end({ status: response.statusCode })
      socket.terminate()
    })
    socket.on('open', () => {
      if (says !== undefined) socket.send(says)
    })
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text.startsWith('Hello')) end({ greeting: text })
    })
    socket.on('close', (code) => end({ code }))
  })
}

/** Whether a visit got in. */
export function gotIn({ greeting }: Visit): boolean {
  return greeting !== undefined
}
