/** Answers a refused upgrade by HTTP and makes sure that the socket is gone soon after, whatever the peer does. */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Guard } from '../core/guard.ts'
import type { Refused } from '../core/knock.ts'
import { reasons, retryAfterSeconds, type Reason } from '../core/reasons.ts'
import { basicChallenge, bearerChallenge } from '../wire/www-authenticate.ts'

/**
 * The HTTP answer to a refusal: status, fields, a body of plain text, all from the table of reasons. A 401
 * has its challenges (RFC 9110 §15.5.2), a 429 and a 503 their `Retry-After` in whole seconds (§10.2.3).
 */
export function httpRefusal(guard: Guard, refused: Refused): HttpAnswer {
  const row = reasons[refused.reason]
  const status = row.status ?? 403
  const headers: Record<string, string> = {}
  if (status === 401) headers['WWW-Authenticate'] = challengesOf(guard)[kindOf(refused.reason)]
  if (status === 429 || status === 503) {
    headers['Retry-After'] = String(
      Math.max(1, Math.ceil((refused.retryAfterMs ?? retryAfterSeconds * 1_000) / 1_000)),
    )
  }
  return { status, headers, body: row.body }
}

/** An answer to be written by `answerHttp`. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Writes the answer, ends the socket, and destroys it after `lingerMs` even if the peer holds its half open.
 * The socket is the callee's from now on, its `error` events included.
 */
export function answerHttp(socket: Duplex, answer: HttpAnswer, lingerMs: number): void {
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`,
    'Connection: close',
    'Cache-Control: no-store',
  ]
  for (const [name, value] of Object.entries(answer.headers)) lines.push(`${name}: ${value}`)
  lines.push(
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(answer.body)}`,
    '',
    answer.body,
  )
  socket.on('error', ignoreError)
  // Reads on and drops it: only then is the peer's end seen, and unread bytes would turn ours into a reset.
  socket.resume()
  socket.end(lines.join('\r\n'))
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/** What a 401 says, by what was wrong: nothing was shown, or something that does not do. */
type Challenges = Readonly<Record<'missing' | 'invalid', string>>

/** A guard's own never change: whoever is refused again and again does not make them again and again. */
const known = new WeakMap<Guard, Challenges>()

function challengesOf(guard: Guard): Challenges {
  const made = known.get(guard)
  if (made !== undefined) return made
  const challenges = {
    missing: challengesWith(guard, undefined),
    invalid: challengesWith(guard, 'invalid_token'),
  }
  known.set(guard, challenges)
  return challenges
}

function kindOf(reason: Reason): keyof Challenges {
  return reason === 'missing_credential' ? 'missing' : 'invalid'
}

/** RFC 9110 §11.6.1: a 401 names at least one scheme; `Countersign` stands for places that HTTP has no scheme for. */
function challengesWith(guard: Guard, error: 'invalid_token' | undefined): string {
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
