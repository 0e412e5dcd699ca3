/** Answers a refused upgrade by HTTP and makes sure that the socket is gone soon after, whatever the peer does. */
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Guard } from '../core/guard.ts'
import type { Refused } from '../core/knock.ts'
import { reasons, retryAfterSeconds, type Reason } from '../core/reasons.ts'
import { basicChallenge, bearerChallenge } from '../wire/www-authenticate.ts'

/** An answer to be written by `answerHttp`. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A guard's answers never change: whoever is refused again and again does not have them made again and again. */
const answers = new WeakMap<Guard, Map<Reason, HttpAnswer>>()
/** The bytes of answers in `answers`, which are frozen. */
const written = new WeakMap<HttpAnswer, Buffer>()

/**
 * The HTTP answer to a refusal: status, fields, a body of plain text, all from the table of reasons. A 401
 * has its challenges (RFC 9110 §15.5.2), a 429 and a 503 their `Retry-After` in whole seconds (§10.2.3).
 */
export function httpRefusal(guard: Guard, refused: Refused): HttpAnswer {
  const { reason, retryAfterMs } = refused
  if (retryAfterMs !== undefined) return answerOf(guard, reason, retryAfterMs)
  let known = answers.get(guard)
  if (known === undefined) answers.set(guard, (known = new Map<Reason, HttpAnswer>()))
  const made = known.get(reason)
  if (made !== undefined) return made
  const answer = answerOf(guard, reason, retryAfterSeconds * 1_000)
  known.set(reason, answer)
  written.set(answer, bytesOf(answer))
  return answer
}

function answerOf(guard: Guard, reason: Reason, retryAfterMs: number): HttpAnswer {
  const row = reasons[reason]
  const status = row.status ?? 403
  const headers: Record<string, string> = {}
  if (status === 401) {
    const error = reason === 'missing_credential' ? undefined : 'invalid_token'
    headers['WWW-Authenticate'] = challengesOf(guard, error)
  }
  if (status === 429 || status === 503)
    headers['Retry-After'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)))
  return Object.freeze({ status, headers: Object.freeze(headers), body: row.body })
}

/**
 * Writes the answer, ends the socket, and destroys it after `lingerMs` even if the peer holds its half open.
 * The socket is the callee's from now on, its `error` events included.
 */
export function answerHttp(socket: Duplex, answer: HttpAnswer, lingerMs: number): void {
  socket.on('error', ignoreError)
  // Reads on and drops it: only then is the peer's end seen, and unread bytes would turn ours into a reset.
  socket.resume()
  socket.end(written.get(answer) ?? bytesOf(answer))
  const timer = setTimeout(destroy, lingerMs, socket)
  socket.on('close', () => clearTimeout(timer))
}

function bytesOf(answer: HttpAnswer): Buffer {
  const { status, headers, body } = answer
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Cache-Control: no-store',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ]
  return Buffer.from(lines.join('\r\n'))
}

/** Answers an ordinary request by a refusal; whatever it would be told otherwise, it is told by HTTP. */
export function refuseRequest(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
}

function destroy(socket: Duplex): void {
  socket.destroy()
}

/** RFC 9110 §11.6.1: a 401 names at least one scheme; `Countersign` stands for places that HTTP has no scheme for. */
function challengesOf(guard: Guard, error: 'invalid_token' | undefined): string {
  const schemes = new Set(
    [...guard.places.explicit, ...guard.places.ambient].map((place) => place.carrier.scheme),
  )
  if (schemes.size === 0) schemes.add('Countersign')
  return [...schemes]
    .map((scheme) => {
      if (scheme === 'Basic') return basicChallenge(guard.name)
      if (scheme === 'Bearer') return bearerChallenge(guard.name, error)
      return bearerChallenge(guard.name).replace('Bearer', 'Countersign')
    })
    .join(', ')
}

/** For sockets that nobody has taken over: a peer may reset at any time, and there is nobody left to tell. */
export function ignoreError(): void {
  // Nothing to do.
}
