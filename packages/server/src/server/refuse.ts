/** Refusals over HTTP: a status and one public word, never a detail. */
import { reasons, type Reason } from 'countersign'
import type { FastifyReply } from 'fastify'

/** Words of the reasons table, and those that only HTTP needs. */
export type Word = Reason | HttpWord

type HttpWord =
  | 'invalid_request'
  | 'unknown_audience'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'too_large'

/** Words that a socket never needs: they are about requests, not about credentials. */
const httpStatus: Readonly<Record<HttpWord, number>> = {
  invalid_request: 400,
  unknown_audience: 400,
  not_found: 404,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  too_large: 413,
}

/** The status that goes with a word; reasons that never appear on HTTP are 403. */
export function statusOf(word: Word): number {
  return isHttpWord(word) ? httpStatus[word] : (reasons[word].status ?? 403)
}

/** Answers a refusal as `{"error": word}`. Return what it returns. */
export function refuse(reply: FastifyReply, word: Word, retryAfterMs?: number): FastifyReply {
  const status = statusOf(word)
  if (retryAfterMs !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))))
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="countersign"')
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send({ error: word })
}

/** The word for an error that the HTTP server raised itself, by its status. */
export function wordOf(status: number | undefined): Word {
  if (status === 415) return 'unsupported_media_type'
  if (status === 413) return 'too_large'
  if (status === 404) return 'not_found'
  if (status === 405) return 'method_not_allowed'
  if (status === 503) return 'overloaded'
  return status !== undefined && status >= 400 && status < 500 ? 'invalid_request' : 'internal'
}

function isHttpWord(word: Word): word is HttpWord {
  return Object.hasOwn(httpStatus, word)
}
